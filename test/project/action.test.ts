import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { readPlainYaml, type Yaml } from '../support/plain-yaml.ts';
import { shareServer } from '../support/servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const read = async (path: string) => readPlainYaml(await readFile(join(root, path), 'utf8'));

/** The value at a path of keys; empty if there is none. */
function at(yaml: Yaml, ...keys: readonly string[]): Yaml {
  let found: Yaml = yaml;
  for (const key of keys) found = typeof found === 'object' && key in found ? Reflect.get(found, key) : '';
  return found;
}

const entries = (yaml: Yaml): [string, Yaml][] => (typeof yaml === 'object' ? Object.entries(yaml) : []);

describe('the files of the build server say what they mean', () => {
  test('every expression of the action is about an input, or an output of a step before it', async () => {
    const action = await read('action.yml');
    expect(entries(at(action, 'inputs')).map(([name]) => name)).toContain('fail-if');
    const steps = entries(at(action, 'runs', 'steps')).map(([, step]) => step);
    const known = new Set(entries(at(action, 'inputs')).map(([name]) => `inputs.${name}`));
    const unknown = (yaml: Yaml) =>
      expressionsIn(yaml).flatMap(expression =>
        [...expression.matchAll(/\b(?:inputs|steps)\.[\w.-]+/g)].flatMap(([name]) =>
          known.has(name) ? [] : name,
        ),
      );
    for (const step of steps) {
      expect(unknown(step)).toEqual([]);
      const outputs = ['code', 'folder', 'report'];
      for (const output of outputs) known.add(`steps.${at(step, 'id')}.outputs.${output}`);
      // A composite action has no default shell.
      expect(at(step, 'uses') === '', String(at(step, 'name'))).toBe(at(step, 'shell') === 'bash');
    }
    expect(unknown(at(action, 'outputs'))).toEqual([]);
    expect(steps.length).toBeGreaterThan(3);
  });

  test('the workflow tests each supported version of Node, and runs the action on a config that is there', async () => {
    const workflow = await read('.github/workflows/ci.yml');
    expect(at(workflow, 'jobs', 'tests', 'strategy', 'matrix', 'node')).toEqual(['20', '22', '24']);
    const used = entries(at(workflow, 'jobs')).flatMap(([, job]) => entries(at(job, 'steps')));
    const own = used.find(([, step]) => at(step, 'uses') === './')?.[1] ?? '';
    const inputs = entries(at(await read('action.yml'), 'inputs')).map(([name]) => name);
    expect(inputs).toEqual(expect.arrayContaining(entries(at(own, 'with')).map(([name]) => name)));
    await readFile(join(root, String(at(own, 'with', 'config'))));
  });

  test.each([
    ['an indent that fits nothing', 'a:\n    b: 1\n  c: 2'],
    ['a key twice', 'a: 1\na: 2'],
    ['a map within a line', 'a: b: c'],
    ['a text in quotation marks with more behind it', 'a: "b" c'],
    ['a block text', 'a: |\n  b'],
  ])('%s is a fault', (_, text) => {
    expect(() => readPlainYaml(text)).toThrow(/line \d/);
  });
});

function expressionsIn(yaml: Yaml): string[] {
  if (typeof yaml === 'string')
    return [...yaml.matchAll(/\$\{\{(.*?)\}\}/g)].map(([, expression = '']) => expression);
  return entries(yaml).flatMap(([, value]) => expressionsIn(value));
}

describe('the steps of the action', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-action-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    // Comments are files, named by their number.
    await program(
      'gh',
      `echo "$@" >> '${folder}/gh.log'
[ -z "$GH_REFUSES" ] || exit 1
for word in "$@"; do case $word in body=@*) body=\${word#body=@} ;; esac; done
case " $* " in
  *" --paginate "*) [ ! -f '${folder}/comment' ] || echo 77 ;;
  *) cp "$body" '${folder}/comment' ;;
esac`,
    );
    await program('npm', `echo "npm $*" >> '${folder}/npm.log'`);
  });

  async function program(name: string, script: string): Promise<void> {
    await mkdir(join(folder, 'bin'), { recursive: true });
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  }

  /** A substitute for Node: a poolbench that records its arguments, ends with these codes, and leaves a result unless the code is 2. */
  async function fakePoolbench({ run, compare }: { readonly run: number; readonly compare: number }) {
    await program(
      'node',
      `shift
printf '%s\\t' "$@" >> '${folder}/poolbench.log'
echo >> '${folder}/poolbench.log'
for word in "$@"; do [ "$before" != --out ] || out=$word/now; before=$word; done
case $1 in
  run) files='result.json report.md' code=${run} ;;
  *) files=comparison.md code=${compare} ;;
esac
[ "$code" != 2 ] || exit 2
mkdir -p "$out"
for file in $files; do echo "# $1" > "$out/$file"; done
exit "$code"`,
    );
  }

  /** Runs the steps as GitHub does: one after another, until one fails. */
  async function runSteps(
    given: Readonly<Record<string, string>>,
    { event = 'pull_request', env = {} }: { event?: string; env?: object } = {},
  ) {
    const action = await read('action.yml');
    const context: Record<string, string> = {
      'github.token': 'secret',
      'github.event_name': event,
      'github.event.pull_request.number': '5',
    };
    for (const [name, input] of entries(at(action, 'inputs')))
      context[`inputs.${name}`] = given[name] ?? String(at(input, 'default'));
    const fill = (text: string) =>
      text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => context[name] ?? '');
    const [summary, output] = [join(folder, 'summary.md'), join(folder, 'output')];
    const ran: string[] = [];
    let stdout = '';
    for (const [, step] of entries(at(action, 'runs', 'steps'))) {
      if (at(step, 'uses') !== '' || !holds(String(at(step, 'if')), context)) continue;
      ran.push(String(at(step, 'name')));
      await Promise.all([writeFile(output, ''), writeFile(summary, '', { flag: 'a' })]);
      const values = entries(at(step, 'env')).map(([name, value]) => [name, fill(fill(String(value)))]);
      const done = spawnSync(
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', '-c', String(at(step, 'run'))],
        {
          cwd: root,
          encoding: 'utf8',
          env: {
            PATH: [join(folder, 'bin'), inject('usersPath')].join(delimiter),
            ...{ GITHUB_ACTION_PATH: root, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
            ...{ GITHUB_REPOSITORY: 'o/r', RUNNER_TEMP: folder },
            ...Object.fromEntries(values),
            ...env,
          },
        },
      );
      stdout += done.stdout + done.stderr;
      for (const line of (await readFile(output, 'utf8')).split('\n').filter(line => line !== ''))
        context[`steps.${at(step, 'id')}.outputs.${line.split('=', 1)[0]}`] = line.slice(
          line.indexOf('=') + 1,
        );
      if (done.status !== 0)
        return { code: done.status, ran, stdout, context, summary: await readFile(summary, 'utf8') };
    }
    return { code: 0, ran, stdout, context, summary: await readFile(summary, 'utf8') };
  }

  const lines = async (name: string) =>
    (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter(line => line !== '');

  test('a config is run, and its report is in the summary and in one comment that the next run replaces', async () => {
    const { url } = await shareServer();
    const config = join(folder, 'config.json');
    const scenarios = [{ client: 'wire', workers: 2, arrival: { kind: 'constant', rate: 50 } }];
    const target = { server: 'redis', url };
    await writeFile(config, JSON.stringify({ name: 'ci', target, workload: { keys: 50 }, scenarios }));
    const options = '--rounds 1 --seconds 0.2 --warmup 0';
    const first = await runSteps({ config, options });
    expect(first.code, first.stdout).toBe(0);
    expect(first.context['steps.measure.outputs.code']).toBe('0');
    expect(first.summary).toContain('wire');
    expect(await readFile(first.context['steps.measure.outputs.report'] ?? '', 'utf8')).toBe(first.summary);
    const comment = await readFile(join(folder, 'comment'), 'utf8');
    expect(comment).toMatch(/^<!-- poolbench: poolbench -->\n/);
    expect(comment).toContain(first.summary.slice(0, 1000));
    expect(await lines('npm.log')).toEqual(['npm ci', 'npm run build']);

    await fakePoolbench({ run: 0, compare: 0 });
    await runSteps({ config });
    expect(await readFile(join(folder, 'comment'), 'utf8')).toMatch(/-->\n# run\n$/);
    expect((await lines('gh.log')).filter(line => line.includes('--paginate'))).toHaveLength(2);
    expect((await lines('gh.log')).filter(line => line.includes('PATCH'))).toHaveLength(1);
  });

  test('a change that fails the build does so after the report is written, and is compared with every earlier run', async () => {
    await fakePoolbench({ run: 0, compare: 98 });
    for (const run of ['b', 'a']) {
      await mkdir(join(folder, 'baseline', run), { recursive: true });
      await writeFile(join(folder, 'baseline', run, 'result.json'), '');
    }
    const inputs = { config: 'c.json', baseline: join(folder, 'baseline'), 'fail-if': 'response.p99 > +5%' };
    const outcome = await runSteps(inputs);
    expect(outcome.code).toBe(98);
    const [, words = []] = (await lines('poolbench.log')).map(line => line.split('\t'));
    expect(words.slice(0, 3)).toEqual([
      'compare',
      join(folder, 'baseline/a/result.json'),
      join(folder, 'baseline/b/result.json'),
    ]);
    expect(words.slice(4, 6)).toEqual(['--fail-if', 'response.p99 > +5%']);
    expect(outcome.summary).toBe('# compare\n# run\n');
    expect(await readFile(join(folder, 'comment'), 'utf8')).toContain(outcome.summary);
  });

  test.each([
    { run: 99, compare: 98, ends: 98 },
    { run: 99, compare: 0, ends: 99 },
    { run: 1, compare: 98, ends: 1 },
  ])(
    'a run that ends with $run and a comparison with $compare end with $ends',
    async ({ ends, ...codes }) => {
      await fakePoolbench(codes);
      await mkdir(join(folder, 'baseline/a'), { recursive: true });
      await writeFile(join(folder, 'baseline/a/result.json'), '');
      const inputs = { config: 'c.json', baseline: join(folder, 'baseline') };
      expect((await runSteps(inputs)).code).toBe(ends);
    },
  );

  test('several configs are measured in turn, under the same condition', async () => {
    await fakePoolbench({ run: 0, compare: 98 });
    const outcome = await runSteps({ config: 'a.json b.json', 'fail-if': 'opsPerSecond < -5%' });
    expect(outcome.code).toBe(98);
    const [words = []] = (await lines('poolbench.log')).map(line => line.split('\t'));
    expect(words.slice(0, 5)).toEqual(['versus', 'a.json', 'b.json', '--fail-if', 'opsPerSecond < -5%']);
    expect(outcome.summary).toBe('# versus\n');
  });

  test('no comment is written outside of a pull request, and one that is refused fails nothing', async () => {
    await fakePoolbench({ run: 0, compare: 0 });
    const pushed = await runSteps({ config: 'c.json' }, { event: 'push' });
    expect(pushed.ran).not.toContain('Comment on the pull request');
    const refused = await runSteps({ config: 'c.json' }, { env: { GH_REFUSES: 'yes' } });
    expect(refused).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/::warning::.*pull-requests: write/),
    });
  });

  test('a run that measured nothing ends with its own code, and the summary says so', async () => {
    await fakePoolbench({ run: 2, compare: 0 });
    const outcome = await runSteps({ config: 'c.json' });
    expect(outcome.code).toBe(2);
    expect(outcome.summary).toMatch(/exit code 2/);
  });

  test('an empty baseline, one beside several configs, and a condition without one are said', async () => {
    await fakePoolbench({ run: 0, compare: 98 });
    await mkdir(join(folder, 'empty'));
    const empty = await runSteps({ config: 'c.json', baseline: join(folder, 'empty') });
    expect(empty).toMatchObject({ code: 0, stdout: expect.stringMatching(/::notice::.*nothing to compare/) });
    const none = await runSteps({ config: 'c.json', 'fail-if': 'response.p99 > +5%' });
    expect(none).toMatchObject({ code: 0, stdout: expect.stringMatching(/::warning::.*fail-if/) });
    const both = { config: 'a.json b.json', baseline: join(folder, 'empty') };
    expect((await runSteps(both)).stdout).toMatch(/::warning::.*baseline was not used/);
  });
});

/** Whether a condition of a step holds: equalities, joined by "&&". */
function holds(condition: string, context: Readonly<Record<string, string>>): boolean {
  if (condition === '') return true;
  const parts = condition.replace(/^\$\{\{|\}\}$/g, '').split('&&');
  return parts.every(part => {
    const [, name = '', value] = /^ *([\w.-]+) == '([^']*)' *$/.exec(part) ?? [];
    if (value === undefined) throw new Error(`expected an equality, found ${part}`);
    return context[name] === value;
  });
}
