import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dimensions } from '../../../src/aggregate/scenario/dimensions.ts';
import { keepQuestion, questionTips } from '../../../src/main/cli/question.ts';
import { secondsAtLeast } from '../../../src/main/experiment/plan.ts';
import { type Asked, askedExperiment, describeAssumed } from '../../../src/main/experiment/question.ts';
import { questionFlags } from '../../../src/main/experiment/question-flags.ts';
import { parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import { readPlan } from '../../../src/main/experiment/read-plan.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';

const url = 'redis://my-host:6380/1';
const idsOf = (asked: Asked) => expandScenarios(askedExperiment(url, asked).scenarios).map(({ id }) => id);
const faultOf = (asked: Asked, at = url) => {
  try {
    askedExperiment(at, asked);
  } catch (error) {
    return error;
  }
  return undefined;
};

test('every key of a scenario that is no object, names none, and can differ at a URL, has a flag', () => {
  const paths = Object.values(questionFlags).map(({ path }) => path.at(-1));
  for (const [key, { config }] of Object.entries(dimensions)) {
    if (config === null || ['batch', 'clientOptions', 'beside', 'readFrom'].includes(key)) continue;
    expect(paths).toContain('name' in config ? config.name : key);
  }
});

test('what the help names as usual is what is asked without flags', () => {
  const { scenarios, workload } = askedExperiment(url, {});
  for (const [name, { path, usual }] of Object.entries(questionFlags)) {
    if (name === 'rate') continue;
    const key = String(path.at(-1));
    const from = path[0] === 'workload' ? workload : scenarios[0];
    expect([name, usual]).toEqual([name, String((from as Readonly<Record<string, unknown>>)[key])]);
  }
});

describe('a URL and flags amount to a config', () => {
  test('without flags the question is whether several pools pay, at 50 workers and beyond', () => {
    expect(idsOf({})).toEqual([
      'ioredis-optimized-1pool-50workers',
      'ioredis-optimized-1pool-100workers',
      'ioredis-optimized-2pools-50workers',
      'ioredis-optimized-2pools-100workers',
    ]);
    expect(askedExperiment(url, {})).toMatchObject({
      name: 'my-host-6380',
      target: { server: 'any', url },
      compare: null,
    });
  });

  test('its first look comes within half a minute', async () => {
    const plan = await readPlan([url], { url, asked: {} });
    expect(plan.rounds.atLeast).toBeGreaterThanOrEqual(6);
    expect(secondsAtLeast(plan)).toBeLessThanOrEqual(25);
  });

  test.each<[Asked, Record<string, unknown>, readonly string[] | null]>([
    [{ pools: '1,2,4' }, { pools: [1, 2, 4], workers: [50, 100] }, null],
    [{ workers: '10,200' }, { pools: [1, 2], workers: [10, 200] }, null],
    [{ workers: '1' }, { pools: [1], workers: [1] }, null],
    [{ pools: '128' }, { pools: [128], workers: [128] }, null],
    [{ client: 'ioredis,wire' }, { client: ['ioredis', 'wire'], pools: [1], workers: [50] }, ['client']],
    [{ pipeline: '1,50', workers: '50,100' }, { pipeline: [1, 50], workers: [50, 100] }, ['pipeline']],
    [
      { client: 'ioredis,wire', pools: '1,2' },
      { client: ['ioredis', 'wire'], pools: [1, 2], workers: [100] },
      null,
    ],
    [{ 'connections-per-worker': '0.5,2' }, { connectionsPerWorker: [0.5, 2] }, ['connectionsPerWorker']],
    [{ 'auto-pipelining': 'true,false' }, { autoPipelining: [true, false] }, ['autoPipelining']],
  ])('%o', (asked, group, compare) => {
    const experiment = askedExperiment(url, asked);
    expect(experiment.scenarios).toMatchObject([group]);
    expect(experiment.compare).toEqual(compare);
  });

  test('rates are those of an open loop, and workload keys are set', () => {
    const experiment = askedExperiment(url, {
      rate: '1000,5000',
      keys: '100',
      'value-bytes': '64',
      'read-share': '0.9',
    });
    expect(experiment.scenarios[0]?.arrival).toMatchObject([{ kind: 'poisson', rate: [1000, 5000] }]);
    expect(experiment.workload).toMatchObject({ keys: 100, valueBytes: 64, readShare: 0.9 });
    expect(experiment.seconds).toBe(1);
  });

  test.each<[Asked, RegExp]>([
    [{ workers: '50,x' }, /^--workers: .*1 to 100000, found "x"$/],
    [{ workers: '' }, /^--workers: .*found ""$/],
    [{ client: 'ioredi' }, /^--client: .*did you mean "ioredis"\?/],
    [{ pool: 'optimised' }, /^--pool: .*did you mean "optimized"\?/],
    [{ pools: '1,200', workers: '100' }, /^--pools: .*found 200$/],
    [{ rate: 'fast' }, /^--rate: .*found "fast"$/],
    [{ rate: '5,0' }, /^--rate: .*found 0$/],
    [{ burst: 'yes' }, /^--burst: expected true or false, found "yes"$/],
    [{ 'read-share': '2' }, /^--read-share: .*found 2$/],
    [{ pools: '0', workers: '-1' }, /^--pools: .*\n--workers: .*$/],
  ])('%o is refused by the name of the flag', (asked, message) => {
    expect(faultOf(asked)).toMatchObject({
      code: 'USAGE',
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });

  test('a URL that cannot be read is refused without its password', () => {
    const error = faultOf({}, 'http://me:s3cret@h');
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(/^URL: /) });
    expect(String(error)).not.toContain('s3cret');
  });

  test('what was not typed is named, what was is not', () => {
    expect(describeAssumed(url, { workers: '10' })).toMatch(/--pools 1,2(?!.*--workers)/);
  });
});

test('--save writes a commented config that is the same experiment, and overwrites nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const questions: Asked[] = [
    {},
    { client: 'ioredis,wire' },
    { pipeline: '1,10', rate: '500', 'value-bytes': '9' },
    { burst: 'true', pools: '2' },
  ];
  for (const [index, asked] of questions.entries()) {
    const save = join(folder, `${index}.json`);
    const options = { url, asked, save, seconds: '0.3', rounds: '7' };
    const plan = await readPlan([url], options);
    await keepQuestion(options);
    const { $schema, ...read } = await readConfig(save);
    expect($schema).toMatch(/configs\/schema\.json$/);
    expect(read).toEqual(plan.sides[0]?.experiment);
  }
  const text = await readFile(join(folder, '0.json'), 'utf8');
  expect(text.match(/^ *\/\/ /gm)?.length).toBeGreaterThan(10);
  expect(parseConfig(text, 'saved').seconds).toBe(0.3);
  const quick = { url, asked: {}, save: join(folder, 'quick.json'), quick: true };
  // Whatever ends the run before it has its rounds, more time is offered; nothing is left to offer for a quick one.
  const slow = { url, asked: {}, seconds: '1' };
  expect(questionTips(await readPlan([url], slow), slow)).toMatch(/--budget 6m\n.*--save /);
  const plan = await readPlan([url], quick);
  expect(plan.rounds.atMost).toBeLessThanOrEqual(2);
  expect(await keepQuestion(quick)).toMatch(/with its full rounds and times$/);
  expect(questionTips(plan, quick)).toBe('');
  expect((await readConfig(quick.save)).rounds).toEqual(askedExperiment(url, {}).rounds);

  const options = { url, asked: {}, save: join(folder, '0.json') };
  await expect(keepQuestion(options)).rejects.toMatchObject({
    code: 'USAGE',
  });
});
