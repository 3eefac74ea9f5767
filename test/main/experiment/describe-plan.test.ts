import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import { formatDuration } from '../../../src/aggregate/text/format.ts';
import { describePlan, describeWorkload } from '../../../src/main/experiment/describe-plan.ts';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { planRun } from '../../../src/main/experiment/plan.ts';
import { parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import { formatReplay, untimedHead } from '../../../src/workers/workload/replay-file.ts';

describe('plan is described in eighty columns', () => {
  test('the plan names scenarios, rounds, times, order, threads and duration', async () => {
    const experiment = await readConfig('configs/smoke.json');
    expect(describePlan(planRun([experiment]))).toBe(`Plan: smoke
  4 scenarios × 2 rounds = 8 measurements
  each: 0.3 s, after 0.1 s of warm-up
  order: 2 blocks, and the arms in each, reshuffled every round, seed 1
  workload: 1,000 keys, values of 32 bytes, 50 % GET, 50 % SET
  duration: about 4 s
  verdict: none, because that needs 6 rounds

  client   pool       pools  threads  workers
  ioredis  optimized  1      1        10
  ioredis  optimized  2      2        10
  wire     optimized  1      1        10
  wire     optimized  2      2        10
`);
  });

  test('what else makes a scenario is said where there is something to say', () => {
    const experiment = experimentSchema.parse({
      name: 'depth',
      target: { server: 'redis', url: 'redis://h' },
      scenarios: [{ client: 'wire', pools: [1, 4], poolsPerThread: 4, workers: [50, 100], pipeline: 10 }],
    });
    expect(describePlan(planRun([experiment]))).toBe(`Plan: depth
  4 scenarios and 1 control × 10 to 50 rounds
  ends: when every comparison is decided, or after 50 rounds
  controls: scenarios measured twice, to show how much identical ones differ
  each: 1 s, after 0.25 s of warm-up
  order: 2 blocks, and the arms in each, reshuffled every round, seed 1
  workload: 10,000 keys, values of 32 bytes, 50 % GET, 50 % SET
  duration: about 1 min 10 s to 5 min 50 s

  client  pool       pools  threads  also                workers
  wire    optimized  1      1        depth10-1perThread  50 100
  wire    optimized  4      1        depth10-4perThread  50 100
`);
  });

  test('the measured time is rounded, as that of a recording has many digits', () => {
    const timesOf = (seconds: number) =>
      /each: (.*), after (.*) of warm-up/
        .exec(
          describePlan(
            planRun([
              experimentSchema.parse({
                name: 'recorded',
                target: { server: 'redis', url: 'redis://h' },
                scenarios: [{}],
                seconds,
                warmupSeconds: 0.25,
              }),
            ]),
          ),
        )
        ?.slice(1);
    expect(timesOf(5.00057)).toEqual(['5 s', '0.25 s']);
    expect(timesOf(1234.4)).toEqual(['1234 s', '0.25 s']);
  });

  test.each<[settings: object, says: RegExp, hidden: RegExp]>([
    [{ budgetSeconds: 90 }, /10 to 50 rounds\n {2}ends: .* or after 1 min 30 s\n/, /budget:/],
    [{ budgetSeconds: 180 }, /10 to 50 rounds\n {2}ends: .* or after 50 rounds\n/, /budget:/],
    [{ budgetSeconds: 27 }, /× 7 rounds .*\n {2}budget: 27 s, .* too short for 10 rounds\n/, /ends:|verdict/],
    [
      { budgetSeconds: 12 },
      /× 6 rounds .*\n {2}budget: 12 s, .* too short for these rounds; a verdict needs them\n/,
      /ends:/,
    ],
    [
      { budgetSeconds: 3, rounds: 2 },
      /× 2 rounds .*\n {2}budget: 3 s, .* too short for these rounds\n/,
      /ends:/,
    ],
    [{ budgetSeconds: 60, rounds: 2 }, /× 2 rounds/, /budget:|ends:/],
  ])('%j: what ends the run is what its plan has', (settings, says, hidden) => {
    const text = describeShort({ client: ['ioredis', 'wire'] }, settings);
    expect(text).toMatch(says);
    expect(text).not.toMatch(hidden);
  });

  test('a replay shows its speed and the part of the recording in a measured window', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const operations = [0, 10, 20, 30].map(seconds => ({
      instant: seconds * 1e6,
      command: 0,
      size: 0,
      keys: [1],
    }));
    await writeFile(join(folder, 'a.replay'), formatReplay(['GET {key}'], operations));
    const recorded = (speed: number) => ({ kind: 'recorded', speed });
    const config = {
      name: 'replay',
      target: { server: 'redis', url: 'redis://h' },
      workload: { commands: [{ command: 'GET {key}' }], replay: 'a.replay' },
      scenarios: [{ workers: [5, 10], arrival: [recorded(1), recorded(2), recorded(8)] }],
      seconds: 12,
    };
    const planOf = (config: object) =>
      describePlan(planRun([parseConfig(JSON.stringify(config), join(folder, 'c.json'))]));
    const text = planOf(config);
    expect(text).toMatch(
      /workers\n.* 5 10\n +recorded ×1 at 0\.1\/s on average: the first 12 s of the 40 s recording\n +recorded ×2 at 0\.2\/s on average: the first 24 s of the 40 s recording\n +recorded ×8 at 0\.8\/s on average: the 40 s recording 2\.4 times\n/,
    );
    const beside = planOf({ ...config, populations: [{ name: 'other', arrival: recorded(3) }] });
    expect(beside.replaceAll(/\s+/g, ' ')).toMatch(
      /population other: .*, recorded ×3 at 0\.3\/s on average: the first 36 s of the 40 s recording/,
    );
    // The arrivals of scenarios that are otherwise alike are listed together, below one line.
    expect(beside.match(/^ {2}ioredis +optimized .*$/gm)).toEqual([
      expect.stringMatching(/ alone +5 10$/),
      expect.stringMatching(/ beside-other +5 10$/),
    ]);
    for (const line of beside.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each<[settings: object, says: RegExp]>([
    [{}, /1 scenario × 10 rounds = 10 measurements\n {2}ends: after 10 rounds, .* nothing\n/],
    [{ rounds: 2 }, /1 scenario × 2 rounds = 2 measurements\n {2}each:/],
    [{ budgetSeconds: 8 }, /× 6 rounds .*\n {2}budget: 8 s, .* too short for 10 rounds\n/],
    [{ budgetSeconds: 4 }, /× 6 rounds .*\n {2}budget: 4 s, .* too short for these rounds\n/],
  ])('%j: a run that compares nothing has a number of rounds, and no verdict', (settings, says) => {
    const text = describeShort({ client: 'wire' }, settings);
    expect(text).toMatch(says);
    expect(text).not.toMatch(/verdict|decided|10 to 50/);
    const few = describeShort({ client: 'wire' }, { seconds: 1 });
    expect(few).toContain('duration: about 12 s\n');
  });

  test.each<[scenario: object, settings: object, says: RegExp]>([
    [{ pool: ['baseline', 'optimized'], pipeline: [1, 10] }, {}, /here pool and pipeline vary\n/],
    [{ pool: ['baseline', 'optimized'], pipeline: [1, 10] }, { rounds: 2 }, /here pool and pipeline vary\n/],
    [{ pool: ['baseline', 'optimized'] }, { compare: ['probe'] }, /here pool varies\n/],
  ])('%j, %j: scenarios that are not compared show which keys can be', (scenario, settings, says) => {
    const text = describeShort({ client: 'wire', ...scenario }, settings);
    expect(text.replaceAll(/\n {2,}(?=\w+ v)/g, ' ')).toMatch(says);
    expect(describeShort({ client: 'wire', ...scenario }, { ...settings, compare: ['pool'] })).not.toMatch(
      /to compare/,
    );
    expect(describeShort({ client: 'wire' }, settings)).not.toMatch(/to compare/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('a claim about a single arm is decided like a comparison', () => {
    const text = describeShort({ client: 'ioredis', pool: 'baseline', workers: 1 }, {});
    expect(text).toMatch(/10 to 50 rounds\n {2}ends: when every comparison is decided/);
  });

  function describeShort(scenario: object, settings: object): string {
    const experiment = experimentSchema.parse({
      name: 'short',
      target: { server: 'redis', url: 'redis://h' },
      scenarios: [{ workers: 10, ...scenario }],
      ...{ seconds: 1, warmupSeconds: 0, ...settings },
    });
    return describePlan(planRun([experiment]));
  }

  test('no line passes 80 columns, however large the experiment', () => {
    const experiment = experimentSchema.parse({
      name: 'n'.repeat(64),
      target: { server: 'redis', url: 'redis://h' },
      workload: { keys: 100_000_000, valueBytes: 900, readShare: 1 / 3 },
      scenarios: [
        {
          client: ['ioredis', 'wire'],
          workers: Array.from({ length: 40 }, (_, index) => 1000 + index),
          pipeline: [1, 1000],
          minIdleShare: [0.123456789, 0.5],
          healthTtlMs: [1, 3_600_000],
          connectionsPerWorker: [0.333333, 1, 2],
        },
      ],
      rounds: 1000,
      seconds: 3599.123,
      warmupSeconds: 599.123,
      seed: 4_294_967_295,
    });
    const text = describePlan(planRun([{ ...experiment, rounds: fixedRounds(10) }]));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain('… and 8 more');
  });

  test.each([
    [0.2, '1 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [168, '2 min 48 s'],
    [3600, '1 h'],
    [11_100, '3 h 5 min'],
  ])('%d s reads %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('workload is described in a few lines', () => {
  test('with the commands of a replay as often as it sends them, whatever their weights', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const replay = join(folder, 'a.replay');
    await writeFile(replay, `${untimedHead}\n0 0 1\n1 0 1\n1 0 2\n1 0 3\n`);
    const commands = [{ command: 'GET {key}', weight: 99 }, { command: 'DEL {key}' }];
    expect(linesOf({ commands, replay }).join('').replaceAll(/\s+/g, ' ')).toContain(
      '25 % GET, 75 % DEL, in the order of a.replay',
    );
  });

  test('with no choice of keys for the types of a replay, which has the key of each operation', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const replay = join(folder, 'a.replay');
    await writeFile(replay, `${untimedHead}\n0 0 1\n1 0 1\n`);
    const workload = {
      commands: [{ command: 'GET {key}' }, { command: 'HGET {key} f' }],
      types: { hashes: { keys: 20 } },
    };
    expect(linesOf(workload).join('')).toContain('20 hashes');
    expect(linesOf({ ...workload, replay }).join('')).not.toContain('uniform');
  });

  function linesOf(workload: object): string[] {
    const config = { name: 'c', target: { server: 'redis', url: 'redis://h' }, scenarios: [{}], workload };
    return describeWorkload(parseConfig(JSON.stringify(config), 'c.json').workload);
  }

  test.each<[object, string[]]>([
    [{}, ['workload: 10,000 keys, values of 32 bytes, 50 % GET, 50 % SET']],
    [
      { subscribers: 100, commands: [{ command: 'PUBLISH {key} {value}' }] },
      ['workload: 10,000 keys, values of 32 bytes, 100 % PUBLISH, 100 subscribers'],
    ],
    [
      {
        commands: ['GET {key}', 'ZCARD {key}', 'HLEN {key}'].map(command => ({ command })),
        keyChoice: { kind: 'zipfian' },
        types: { hashes: { keys: 50, keyChoice: { kind: 'uniform' } }, sortedSets: { members: 1000 } },
      },
      [
        'workload: 10,000 keys, zipfian 0.99, 50 hashes, uniform, 10,000 sorted sets of',
        '          1,000 elements, values of 32 bytes, 33.33 % GET, 33.33 % ZCARD,',
        '          33.33 % HLEN',
      ],
    ],
    [
      { ycsb: 'B' },
      ['workload: 10,000 keys, zipfian 0.99, values of 32 bytes, YCSB B: 95 % GET, 5 %', '          SET'],
    ],
    [
      { ycsb: 'D' },
      [
        'workload: 10,000 records and room for as many more, the newest read most,',
        '          zipfian 0.99, values of 32 bytes, YCSB D: 95 % GET, 5 % SET',
      ],
    ],
    [
      { ycsb: 'E' },
      [
        'workload: 10,000 records in one sorted set, and room for as many more, zipfian',
        '          0.99, values of 32 bytes, YCSB E: 95 % ZRANGEBYSCORE, 5 % ZADD',
      ],
    ],
    [
      {
        keyChoice: { kind: 'hotSet' },
        valueBytes: { kind: 'lognormal', median: 100 },
        valueContent: { kind: 'compressible', share: 0.3 },
        hitShare: 0.9,
        commands: ['GET {key}', 'MGET {key} {key}', 'SET {key} {value}', 'PING', 'DEL {key}'].map(
          command => ({
            command,
          }),
        ),
      },
      [
        'workload: 10,000 keys, 80 % of operations on 20 %, values of about 100 bytes',
        '          (lognormal, up to 1048576), 20 % GET, 20 % MGET, 20 % SET, and 2',
        '          more, 30 % of a value is one character, 90 % of reads are for',
        '          existing keys',
      ],
    ],
  ])('%j', (workload, lines) => {
    expect(linesOf(workload)).toEqual(lines);
  });
});
