import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseCommandLine } from '../../../src/main/cli/command-line.ts';
import { renderHelp } from '../../../src/main/cli/help.ts';
import { asTypedHere, optionWords } from '../../../src/main/command-words.ts';
import { applyOverrides } from '../../../src/main/experiment/overrides.ts';
import { secondsAtMost } from '../../../src/main/experiment/plan.ts';
import { readConfig, readExperiment } from '../../../src/main/experiment/read-config.ts';
import { readPlan } from '../../../src/main/experiment/read-plan.ts';
import { outlineOf } from '../../support/config-faults.ts';
import { rejection } from '../../support/connections.ts';

test('docs/commands.md has what --help prints (written again by vitest run -u)', async () => {
  const path = resolve('docs/commands.md');
  const page = await readFile(path, 'utf8');
  const [, usage = ''] = /\nUsage\n(.*)$/s.exec(renderHelp()) ?? [];
  const listed = ['```', usage.replace(/^ {2}/gm, '').trimEnd(), '```'].join('\n');
  await expect(page.replace(/```\n.*?```/s, () => listed)).toMatchFileSnapshot(path);
});

describe('operands and options of each command', () => {
  test('versus and compare take two or more', () => {
    expect(parseCommandLine(['versus', 'a.json', 'b.json', '--rounds', '3'])).toMatchObject({
      command: 'versus',
      operands: ['a.json', 'b.json'],
      options: { rounds: '3' },
    });
    expect(parseCommandLine(['compare', 'a', 'b', 'c', '--force'])).toMatchObject({
      command: 'compare',
      operands: ['a', 'b', 'c'],
      options: { force: true },
    });
    for (const [args, message] of [
      [['versus'], /expected versus CONFIG CONFIG…, two or more, found no CONFIG/],
      [['versus', 'a.json'], /two or more, found one: a\.json/],
      [['compare', 'a'], /expected compare RESULT RESULT…, two or more, found one: a/],
    ] as const) {
      expect(() => parseCommandLine(args)).toThrow(message);
    }
  });

  test.each([
    ['check', '--resume=a'],
    ['search', '--resume=a'],
    ['check', '--json'],
    ['versus', '--url=redis://a'],
    ['versus', '--target=a.json'],
    ['report', '--force'],
    ['compare', '--rounds=3'],
    ['report', '--json'],
    ['run', '--as=memtier'],
    ['compare', '--scenario=a'],
  ])('%s does not take %s', (command, option) => {
    const flag = option.split('=', 1)[0] ?? '';
    expect(() => parseCommandLine([command, 'a.json', 'b.json', option])).toThrow(
      `${command} does not take ${flag}`,
    );
  });

  test('a run that is resumed has its config', () => {
    expect(parseCommandLine(['run', '--resume', 'a', '--target', 'b.json', '--json'])).toMatchObject({
      command: 'run',
      operands: [],
      options: { resume: 'a', target: 'b.json', json: true },
    });
    expect(() => parseCommandLine(['run', 'a.json', '--resume', 'a'])).toThrow('expected no CONFIG');
    expect(() => parseCommandLine(['run', '--resume', 'a', '--quick', '--out=b'])).toThrow(
      'expected no --quick, --out with --resume',
    );
  });

  test('run and check take another target', () => {
    for (const command of ['run', 'check']) {
      expect(parseCommandLine([command, 'a.json', '--target', 'b.json', '--url', 'redis://c'])).toMatchObject(
        {
          operands: ['a.json'],
          options: { target: 'b.json', url: 'redis://c' },
        },
      );
    }
  });

  test('every command that measures takes --prometheus', () => {
    for (const args of [
      ['run', 'a.json'],
      ['versus', 'a.json', 'b.json'],
      ['claims', 'redis'],
      ['search', 'a.json'],
    ]) {
      expect(parseCommandLine([...args, '--prometheus', '9400'])).toMatchObject({
        options: { prometheus: '9400' },
      });
    }
  });

  test.each([
    [
      ['a.json', 'b.json'],
      /expected one CONFIG, found a\.json b\.json; to compare them: .* versus a\.json b\.json$/m,
    ],
    [['report', 'a', 'b'], /expected one RESULT, found a b; to compare them: .* compare a b$/m],
    [
      ['redis://h:1', '--fail-if', 'p99'],
      /--fail-if belongs to versus and compare; .*configs\/examples\/thresholds\.json/,
    ],
    [['a.json', '--speed', '2'], /--speed belongs to record; .*"speed" .* "recorded", otherwise "rate"$/m],
    [['search', 'redis://h:1'], /search configs\/examples\/search\.json --url redis:\/\/h:1/],
    [['search', 'a.json', 'b.json'], /expected one CONFIG, found a\.json b\.json$/m],
    [['chek', 'a.json'], /found chek \(did you mean check\?\)$/],
    [['redis'], /run, check, .*, found redis$/m],
    [['a.json', '--round', '5'], / --round \(did you mean --rounds\?\)$/],
    [['a.json', '--zzzzzz'], / --zzzzzz$/m],
    [['chekc', 'a.json'], /found chekc \(did you mean check\?\)$/],
    [['--resume', 'results/a'], /found none; to resume a run: .* run --resume results\/a$/m],
    [['a.json', '-x'], / -x$/m],
    [['a.json', '--help=yes'], /--help without/],
    [['a.json', '--rounds'], /value after --rounds/],
    [['a.json', '--seed', '-5'], /--seed; .*--seed=-1$/m],
    [['a.json', '--quick=yes'], /--quick without/],
  ])('%j is wrong, with a suggestion if there is one', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('options that npm took because -- was forgotten are an error', () => {
    const instead = (env: Readonly<Record<string, string>>, ...args: string[]) => {
      vi.unstubAllEnvs();
      vi.stubEnv('npm_lifecycle_event', 'start');
      for (const [name, value] of Object.entries(env)) vi.stubEnv(`npm_config_${name}`, value);
      let message = '';
      try {
        parseCommandLine(args);
      } catch (error) {
        message = (error as Error).message;
      }
      return /\(did you mean (.*)\?\)$/.exec(message)?.[1];
    };
    // As npm leaves them of: --quick, --rounds=5, --no-stand-in.
    expect(instead({ quick: 'true', rounds: '5', stand_in: '' }, 'configs/redis.json')).toBe(
      'npm start -- configs/redis.json --rounds 5 --quick --no-stand-in',
    );
    // Of --workers 50,100 npm leaves the value behind.
    expect(instead({ workers: 'true' }, 'redis://h', '50,100')).toBe(
      'npm start -- redis://h --workers 50,100',
    );
    expect(instead({ value_bytes: 'true', keys: 'true' }, 'redis://h', '9', '10')).toBe(
      'npm start -- redis://h --keys N --value-bytes N',
    );
    expect(instead({ burst: 'true' }, 'redis://h')).toBe('npm start -- redis://h --burst true');
    expect(instead({ quick: 'true' }, 'configs/redis.json', '--rounds', '5')).toBe(
      'npm start -- configs/redis.json --rounds 5 --quick',
    );
    expect(parseCommandLine(['configs/redis.json', '--quick'])).toMatchObject({ options: { quick: true } });
    vi.stubEnv('npm_lifecycle_event', 'test');
    expect(parseCommandLine(['configs/redis.json'])).toMatchObject({ command: 'run' });
  });
});

describe('commands are printed as they can be typed here', () => {
  const { argv } = process;

  afterEach(() => {
    vi.unstubAllEnvs();
    process.argv = argv;
  });

  test.each([
    ['start', '/a/dist/main/cli.js', 'npm start -- claims redis', 'npm start -- --help'],
    ['claims', '/a/dist/main/cli.js', 'npm run claims -- redis', 'npm start -- --help'],
    ['npx', '/a/node_modules/.bin/poolbench', 'npx poolbench claims redis', 'npx poolbench --help'],
    [undefined, '/usr/local/bin/poolbench', 'poolbench claims redis', 'poolbench --help'],
    [undefined, 'dist/main/cli.js', 'node dist/main/cli.js claims redis', 'node dist/main/cli.js --help'],
  ])('called by %s as %s: %s', (script, program, claims, help) => {
    vi.stubEnv('npm_lifecycle_event', script);
    process.argv = ['node', program];
    expect(asTypedHere('claims', 'redis')).toBe(claims);
    expect(asTypedHere('--help')).toBe(help);
  });

  test('a value that a shell would split is quoted', () => {
    const typed = { resume: "results/it's mine", 'no-stand-in': true, force: false, json: undefined };
    expect(optionWords(typed)).toEqual(["--resume 'results/it'\\''s mine'", '--no-stand-in']);
  });
});

describe('overrides obey the rules of the config', async () => {
  const experiment = await readConfig('configs/redis.json');

  test('flags replace what the config says, and nothing else', () => {
    const overrides = { url: 'rediss://h:1/2', rounds: '7', seconds: '0.5', warmup: '0', seed: '9' };
    expect(applyOverrides(experiment, overrides)).toEqual({
      ...experiment,
      target: { ...experiment.target, url: 'rediss://h:1/2' },
      rounds: { atLeast: 7, atMost: 7 },
      budgetSeconds: null,
      seconds: 0.5,
      warmupSeconds: 0,
      seed: 9,
    });
    expect(applyOverrides(experiment, {})).toEqual(experiment);
  });

  test.each([
    [{ rounds: '0' }, '--rounds 1 1000 found 0'],
    [{ rounds: '2.5' }, '--rounds 1 1000 found 2.5'],
    [{ rounds: '' }, '--rounds 1 1000 found ""'],
    [{ seconds: 'ten' }, '--seconds 0.05 3600 found "ten"'],
    [{ seconds: '0x10' }, '--seconds 0.05 3600 found "0x10"'],
    [{ seconds: '5 secs' }, '--seconds 0.05 3600 found "5 secs"'],
    [{ budget: '5 secs' }, '--budget 1 86400 found "5 secs"'],
    [{ budget: '99h' }, '--budget 1 86400 found "99h"'],
    [{ warmup: '-1' }, '--warmup 0 600 found -1'],
    [{ seed: '4294967296' }, '--seed 0 4294967295 found 4294967296'],
  ])('%o is refused', async (overrides, fault) => {
    const error = await rejection((async () => applyOverrides(experiment, overrides))());
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 });
    expect(outlineOf(error.message)).toBe(fault);
  });

  test('POOLBENCH_URL stands for --url, but not of a run that is resumed, and is named if it is wrong', () => {
    vi.stubEnv('POOLBENCH_URL', 'localhost');
    expect(parseCommandLine(['a.json'])).toMatchObject({ options: { url: 'localhost' } });
    expect(parseCommandLine(['run', '--resume', 'a'])).toMatchObject({ options: { resume: 'a' } });
    expect(parseCommandLine(['run', '--resume', 'a'])).not.toHaveProperty('options.url');
    expect(() => applyOverrides(experiment, { url: 'localhost' })).toThrow(/^POOLBENCH_URL: /);
    vi.unstubAllEnvs();
    expect(() => applyOverrides(experiment, { url: 'localhost' })).toThrow(/^--url: /);
  });

  test('another target must suit what is measured', () => {
    const { target } = experiment;
    const silent = {
      ...experiment,
      scenarios: experiment.scenarios.map(group => ({
        ...group,
        cutEveryMs: [50],
        cut: ['silent' as const],
      })),
    };
    expect(applyOverrides({ ...silent, target }, {}).target).toEqual(target);
    expect(() => applyOverrides({ ...silent, target: { ...target, cluster: true } }, {})).toThrow(
      /scenarios\[0\]\.cut: expected "close"/,
    );
  });

  test('all wrong options are listed', () => {
    const overrides = { url: 'localhost', rounds: 'x', seconds: '0', quick: true };
    expect(() => applyOverrides(experiment, overrides)).toThrow(/^--url: .*\n--rounds: .*\n--seconds: .*$/);
  });

  test('the faults of all configs are listed, and those of a flag once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [first, second] = [join(folder, 'first.json'), join(folder, 'second.json')];
    await writeFile(first, '{ "name": 7 }');
    await writeFile(second, 'oops');
    const missing = join(folder, 'third.json');
    const refused = await rejection(readPlan([first, second, missing], {}));
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
    expect(refused.message).toMatch(/first\.json:1:11: name: [\s\S]*second\.json:1:1: [\s\S]*third\.json/);

    const both = await rejection(readExperiment(first, { target: second }));
    expect(both.message).toMatch(/first\.json:1:11: name: [\s\S]*second\.json:1:1: /);

    const wrongFlag = await rejection(
      readPlan(['configs/redis.json', 'configs/valkey.json'], { rounds: 'x' }),
    );
    expect(wrongFlag).toMatchObject({ code: 'USAGE', message: expect.stringMatching(/^--rounds: .*$/) });
  });

  test('configs whose rounds or budgets differ are not compared, unless --rounds makes them alike', async () => {
    const differing = ['configs/redis.json', 'configs/smoke.json'];
    await expect(readPlan(differing, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/ in redis and .* in smoke: .*--rounds/),
    });
    const { rounds } = await readPlan(differing, { rounds: '7' });
    expect(rounds).toEqual({ atLeast: 7, atMost: 7 });
    const quick = await readPlan(differing, { quick: true, rounds: '1' });
    for (const { experiment } of quick.sides) expect(experiment.rounds).toEqual(quick.rounds);
  });

  test('--quick cuts what the command line does not name', async () => {
    const quick = await readPlan(['configs/redis.json'], { quick: true, rounds: '4' });
    expect(quick.rounds).toEqual({ atLeast: 4, atMost: 4 });
    expect(quick.sides[0]?.experiment.rounds).toEqual({ atLeast: 4, atMost: 4 });
    expect(quick.sides[0]?.experiment.seconds).toBeLessThan(experiment.seconds);
    expect(secondsAtMost(quick)).toBeLessThanOrEqual(30);

    const timed = await readPlan(['configs/redis.json'], { quick: true, seconds: '0.7', warmup: '0.1' });
    expect(timed.sides[0]?.experiment).toMatchObject({
      rounds: { atLeast: 1, atMost: 1 },
      seconds: 0.7,
      warmupSeconds: 0.1,
    });
  });

  test('--quick with values that take longer is refused', async () => {
    await expect(readPlan(['configs/redis.json'], { quick: true, seconds: '10' })).rejects.toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(/19 scenarios .* 30 s .*--seconds as given/),
      }),
    );
  });
});

test('a flag that a command has itself is not taken for that of another tool', () => {
  const line = ['agent', '--control', 'redis://a:1', '--allow-target', 'b:2', '--threads', '2'];
  expect(parseCommandLine(line)).toMatchObject({ command: 'agent', options: { threads: '2' } });
  expect(() => parseCommandLine(['redis://a:1', '--threads', '2'])).toThrow(/--pools 2/);
});
