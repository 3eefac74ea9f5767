import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { type Outcome, runPoolbench } from '../support/poolbench.ts';
import { shareServer, startRedis } from '../support/servers.ts';

describe('help and version end with 0', () => {
  test('--help prints the usage', async () => {
    const outcome = await runPoolbench(['--help']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    for (const part of [
      'poolbench run CONFIG',
      'poolbench check CONFIG',
      '--no-stand-in',
      '130  interrupted',
    ]) {
      expect(outcome.stdout).toContain(part);
    }
  });

  test('--version prints the version of package.json, and nothing else', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runPoolbench(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('bad input ends with 2 and one message', () => {
  /** Nothing here gets as far as its target: this one must not matter. */
  const target = { server: 'redis', url: 'redis://bench:s3cret@127.0.0.1:1/0' };
  const workers = [{ workers: 4 }];

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  let configs = 0;
  async function write(config: unknown): Promise<string> {
    const path = join(folder, `config-${++configs}.json`);
    await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
    return path;
  }

  /** One message that begins with who speaks, no stack trace, no password, nothing on standard output. */
  function expectRefused({ code, stdout, stderr }: Outcome, ...messages: (RegExp | string)[]): void {
    expect(stderr).toMatch(/^poolbench: /);
    for (const message of messages) expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
    expect(stdout).toBe('');
    expect(code, stderr).toBe(2);
  }

  test.each<[string, unknown, (RegExp | string)[]]>([
    ['that is no JSON', `{\n  "name": "x",\n  "target": oops\n}`, [/:3:13: /]],
    [
      'with unknown keys, wrong types and impossible values, all all listed',
      {
        name: '../x',
        target: { server: 'memcached', url: 'http://bench:s3cret@h' },
        scenarios: [{ workers: 0, pipeline: [1, 0] }],
        seconds: 'five',
        worker: 3,
      },
      [
        '7 faults',
        /name.*letters/,
        /target\.server.*"redis" or "valkey" or "dragonfly".*"memcached"/,
        /target\.url.*redis:\/\//,
        /workers.*from 1 to.*\b0\b/,
        /pipeline.*from 1 to/,
        /seconds.*number.*"five"/,
        /\bworker\b/,
      ],
    ],
    [
      'with more pools than workers',
      { name: 'x', target, scenarios: [{ workers: 2, pools: 4 }] },
      [/scenarios\[0\]/, /\b2\b/, /\b4\b/],
    ],
  ])('a config %s', async (_, config, messages) => {
    expectRefused(await runPoolbench([await write(config)]), ...messages);
  });

  test('a config that is not there', async () => {
    expectRefused(await runPoolbench([join(folder, 'missing.json')]), /missing\.json/);
  });

  test.each<[string[], (RegExp | string)[]]>([
    [[], ['--help']],
    [['check'], [/check CONFIG/, '--help']],
    [
      ['CONFIG', '--fast'],
      [/--fast/, '--help'],
    ],
    [
      ['CONFIG', '--rounds', 'many', '--seconds', '0', '--url', 'redis://bench:s3cret@h:0'],
      [/--rounds.*whole number.*"many"/, /--seconds.*from 0\.05 to/, /--url.*port/],
    ],
  ])('a command line: %j', async (args, messages) => {
    const config = await write({ name: 'x', target, scenarios: workers });
    expectRefused(await runPoolbench(args.map(arg => (arg === 'CONFIG' ? config : arg))), ...messages);
  });

  test('a results folder that cannot be written is refused before the target is looked for', async () => {
    const config = await write({ name: 'x', target, scenarios: workers });
    const file = await write('a file, not a folder');
    const outcome = await runPoolbench([config, '--out', join(file, 'results')]);
    expectRefused(outcome, /--out DIR/);
  });

  test('nothing of this leaves a results folder behind', async () => {
    const config = await write({ name: 'x', target, scenarios: workers });
    const out = join(folder, 'results');
    // Gets as far as the target, where nothing listens.
    expect((await runPoolbench([config, '--out', out])).code).toBe(3);
    expect(await readdir(out)).toEqual([]);
  });
});

describe('output', () => {
  test('results go to standard output, progress to standard error', async () => {
    const server = await shareServer();
    const plain = await createExperiment(server.url);
    const { code, stdout, stderr } = await plain.run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^e2e, measured on redis /);
    expect(stdout).not.toMatch(/Plan:|round 1\/1|Written:/);
    expect(stderr).toMatch(
      /^Target: redis .*Plan: e2e\n.*\nround 1\/1 +1\/1 .* wire-\S+\n.*Written: .*\/result\.json/s,
    );
    // Neither colour nor a live line where nobody looks.
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

describe('a closed pipe', () => {
  const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

  /** Runs poolbench with all of its output going into `head -n 1`, which closes the pipe; its exit code goes to a file. */
  const intoHead = '("$@" 2>&1; echo $? > "$0") | head -n 1';

  test('a reader that reads nothing does not make a command fail', async () => {
    const { folder } = await createExperiment('redis://localhost');
    const codeFile = join(folder, 'code');
    // The pipe is closed long before poolbench has started.
    const words = ['-c', '("$@"; echo $? > "$0") | :', codeFile, process.execPath, cli, '--help'];
    expect((await promisify(execFile)('sh', words)).stderr).toBe('');
    expect(await readFile(codeFile, 'utf8')).toBe('0\n');
  });

  test('a reader that closes the pipe ends neither a run nor its cleanup', async () => {
    const server = await shareServer();
    const experiment = await createExperiment(server.url, { seconds: 0.5 });
    const codeFile = join(experiment.folder, 'code');
    const through = async (...args: string[]) => {
      const command = [process.execPath, cli, ...args];
      const { stdout, stderr } = await promisify(execFile)('sh', ['-c', intoHead, codeFile, ...command]);
      expect(stderr).toBe('');
      expect(stdout.split('\n')).toHaveLength(2);
      expect(await readFile(codeFile, 'utf8')).toBe('0\n');
      return stdout;
    };
    const out = join(experiment.folder, 'results');
    expect(await through(experiment.configPath, '--out', out)).toMatch(/^Target: redis/);
    expect((await experiment.result()).complete).toBe(true);
    expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
  });
});

describe('the list of processes does not show', () => {
  const password = 'l1sted-s3cret';

  /** Command lines of all processes, as everybody on the machine may see them. */
  async function commandLines(): Promise<string> {
    const processes = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
    const lines = processes.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    return (await Promise.all(lines)).join('\n').replaceAll('\0', ' ');
  }

  test.runIf(process.platform === 'linux')('a password in --url', async () => {
    const server = await startRedis({ args: ['--user', 'bench', 'on', `>${password}`, '~*', '&*', '+@all'] });
    onTestFinished(() => server.stop());
    const experiment = await createExperiment(server.url, { seconds: 3600 });
    const url = server.url.replace('//', `//bench:${password}@`);
    const running = experiment.start([`--url=${url}`], { ownProcess: true });
    await running.said('Plan:');
    const seen = await commandLines();
    running.kill('SIGINT');
    expect((await running.outcome).code).toBe(130);
    // The test has told it to the server itself.
    const others = seen.split('\n').filter(line => !line.includes('--user bench'));
    expect(others.join('\n')).toContain(`--url=redis://bench@127.0.0.1:${server.port}`);
    expect(others.join('\n')).not.toContain(password);
  });
});
