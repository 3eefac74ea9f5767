import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { expandScenarios, type Scenario } from '../../../src/main/experiment/scenarios.ts';
import {
  splitAtLeastOne,
  splitEvenly,
  splitInProportion,
  splitOverThreads,
} from '../../../src/main/experiment/split.ts';
import type { PoolTask } from '../../../src/workers/contract.ts';

describe('scenarios are expanded once under unique ids', () => {
  function expand(...groups: object[]): Scenario[] {
    const target = { server: 'redis', url: 'redis://h' };
    return expandScenarios(experimentSchema.parse({ name: 'a', target, scenarios: groups }).scenarios);
  }
  const idsOf = (...groups: object[]): string[] => expand(...groups).map(({ id }) => id);

  test('a group is the cross product of its lists', () => {
    expect(idsOf({ client: ['ioredis', 'wire'], pools: [1, 4], workers: 100 })).toEqual([
      'ioredis-optimized-1pool-100workers',
      'ioredis-optimized-4pools-100workers',
      'wire-optimized-1pool-100workers',
      'wire-optimized-4pools-100workers',
    ]);
  });

  test('a scenario holds the totals over its pools', () => {
    const [scenario] = expand({
      client: 'wire',
      pools: 5,
      poolsPerThread: 2,
      workers: 7,
      minIdleShare: 0.5,
      probe: 'ping',
    });
    expect(scenario).toEqual({
      id: 'wire-optimized-5pools-7workers-2perThread-idle0.5-ping',
      client: 'wire',
      preset: 'optimized',
      pools: 5,
      poolsPerThread: 2,
      threads: 3,
      workers: 7,
      connections: 14,
      minIdle: 7,
      pipeline: 1,
      healthTtlMs: 1000,
      probe: 'ping',
      arrival: { kind: 'closed' },
      connects: 'parallel',
      clientOptions: {},
      autoPipelining: false,
      readFrom: 'primary',
      transport: 'direct',
      batch: { pool: 'none', workers: 0, pipeline: 0 },
      cutEveryMs: 0,
      cut: 'close',
      burst: false,
      hosts: 0,
      beside: null,
    });
  });

  test('the id names a further dimension if it varies or is not at its default', () => {
    expect(idsOf({ pipeline: [1, 10] })).toEqual([
      'ioredis-optimized-1pool-50workers-depth1',
      'ioredis-optimized-1pool-50workers-depth10',
    ]);
    expect(idsOf({ workers: 1, connectionsPerWorker: 0.5, healthTtlMs: 0 })).toEqual([
      'ioredis-optimized-1pool-1worker-0.5perWorker-ttl0ms',
    ]);
    expect(
      idsOf({
        workers: 1,
        connects: 'jittered',
        clientOptions: { noDelay: false },
        autoPipelining: true,
        batch: { pool: 'shared', workers: 5, pipeline: 100 },
        cutEveryMs: 100,
        burst: true,
      }),
    ).toEqual([
      'ioredis-optimized-1pool-1worker-jittered-noDelay_false-autopipelined-sharedBatch5x100-cut100ms-burst',
    ]);
    expect(
      idsOf({ pool: ['baseline', 'optimized'], workers: 1, minIdleShare: 1, connects: 'serial' }),
    ).toEqual(['ioredis-baseline-1pool-1worker', 'ioredis-optimized-1pool-1worker-idle1-serial']);
  });

  test('no pool is without a connection', () => {
    expect(expand({ pools: 4, workers: 4, connectionsPerWorker: 0.1 })[0]?.connections).toBe(4);
  });

  test('the same cell of two groups, or twice in a list, is one scenario', () => {
    expect(idsOf({ workers: [10, 50, 10] }, { workers: [50, 100] })).toEqual([
      'ioredis-optimized-1pool-10workers',
      'ioredis-optimized-1pool-50workers',
      'ioredis-optimized-1pool-100workers',
    ]);
  });

  test('settings that a preset does not use make no scenarios of their own', () => {
    const [only, ...others] = expand({
      pool: 'baseline',
      minIdleShare: [0, 0.5],
      healthTtlMs: [0, 500],
      poolsPerThread: [1, 2],
      connects: ['parallel', 'jittered'],
    });
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      id: 'ioredis-baseline-1pool-50workers',
      minIdle: 0,
      healthTtlMs: 0,
      threads: 1,
      connects: 'serial',
    });
    expect(idsOf({ client: 'wire', autoPipelining: [false, true] })).toHaveLength(1);
    expect(idsOf({ client: ['ioredis', 'wire'], transport: ['direct', 'io_uring'] })).toHaveLength(3);
    expect(idsOf({ client: 'wire', clientOptions: [{}, { RESP: 2 }] })).toHaveLength(1);
    expect(idsOf({ pool: 'shared', minIdleShare: [0, 1], healthTtlMs: [0, 500] })).toHaveLength(1);
  });

  test('a shared pool opens all of its connections at the start', () => {
    expect(expand({ pool: 'shared', connectionsPerWorker: 0.08 })[0]).toMatchObject({
      connections: 4,
      minIdle: 4,
    });
  });

  test('batch workers have a part of the connections, and pools of their own need one each', () => {
    const batch = { workers: 2, pipeline: 100 };
    expect(
      expand({ workers: 2, pools: 2, connectionsPerWorker: 0.1, batch: { pool: 'separate', ...batch } })[0],
    ).toMatchObject({ connections: 4, workers: 2, batch: { pool: 'separate', ...batch } });
    expect(expand({ workers: 20, batch: { pool: 'shared', ...batch } })[0]?.connections).toBe(44);
  });

  test('ids are unique whatever the lists', () => {
    const list = <Value>(...values: Value[]) =>
      fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
    const group = fc.record({
      client: list('ioredis', 'wire', 'node-redis', './a/my-client.mjs', './b/my-client.mjs'),
      pool: list('baseline', 'health-cached', 'warmed', 'optimized', 'shared'),
      pools: list(1, 2, 3),
      workers: list(3, 10, 11),
      pipeline: list(1, 10),
      poolsPerThread: list(1, 2, 3),
      connectionsPerWorker: list(1, 1.5, 2),
      minIdleShare: list(0, 0.25, 1),
      healthTtlMs: list(0, 1000),
      probe: list('poll', 'ping'),
      connects: list('parallel', 'serial', 'jittered'),
      clientOptions: list({}, { RESP: 2 }, { RESP: 3 }, { a: { b: 1 } }, { 'a.b': 1 }, { a: '1' }),
      autoPipelining: list(false, true),
      batch: list({ pool: 'none' }, { pool: 'shared', workers: 3, pipeline: 20 }),
      cutEveryMs: list(0, 100),
      burst: list(false, true),
    });
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 2 }), groups => {
        const scenarios = expand(...groups);
        expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
        expect(new Set(scenarios.map(({ id, ...rest }) => JSON.stringify(rest))).size).toBe(scenarios.length);
      }),
      { numRuns: 15, seed: 1 },
    );
  });
});

describe('totals are split exactly over pools and threads', () => {
  const sum = (parts: readonly number[]): number => parts.reduce((all, part) => all + part, 0);

  test('7 over 4 is 2, 2, 2, 1', () => {
    expect(splitEvenly(7, 4)).toEqual([2, 2, 2, 1]);
    expect(splitEvenly(3, 5)).toEqual([1, 1, 1, 0, 0]);
  });

  test('an even split is exact, in falling order, and differs by one at most', () => {
    fc.assert(
      fc.property(fc.nat(100_000_000), fc.integer({ min: 1, max: 300 }), (total, count) => {
        const parts = splitEvenly(total, count);
        expect(parts).toHaveLength(count);
        expect(sum(parts)).toBe(total);
        expect(parts).toEqual([...parts].sort((left, right) => right - left));
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
      { seed: 1 },
    );
  });

  test('14 connections for 2, 2, 2, 1 workers are 4, 4, 4, 2', () => {
    expect(splitInProportion(14, [2, 2, 2, 1])).toEqual([4, 4, 4, 2]);
  });

  const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 50 });

  test('a proportional split is exact, less than one off its proportion, and gives more to the larger weight', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), weights, (total, given) => {
        const parts = splitInProportion(total, given);
        expect(sum(parts)).toBe(total);
        const whole = sum(given);
        for (const [index, weight] of given.entries()) {
          const part = parts[index] ?? Number.NaN;
          expect(Math.abs(part - (total * weight) / whole)).toBeLessThan(1);
          for (const [other, otherWeight] of given.entries()) {
            if (otherWeight > weight) expect(parts[other]).toBeGreaterThanOrEqual(part);
          }
        }
      }),
      { seed: 1 },
    );
  });

  test('with at least one each, nobody goes without and the sum stays exact', () => {
    expect(splitAtLeastOne(5, [100, 1, 1])).toEqual([3, 1, 1]);
    expect(splitAtLeastOne(14, [2, 2, 2, 1])).toEqual([4, 4, 4, 2]);
    fc.assert(
      fc.property(weights, fc.nat(10_000), (given, more) => {
        const total = given.length + more;
        const parts = splitAtLeastOne(total, given);
        expect(sum(parts)).toBe(total);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
      }),
      { seed: 1 },
    );
  });

  function scenarioOf(group: object): Scenario {
    const target = { server: 'redis', url: 'redis://h' };
    const [scenario] = expandScenarios(
      experimentSchema.parse({ name: 'a', target, scenarios: [group] }).scenarios,
    );
    if (!scenario) throw new Error('No scenario');
    return scenario;
  }

  function singles(workers: number) {
    return { groups: [{ workers, pipeline: 1 }] };
  }

  function workersOf({ groups }: PoolTask): number {
    return sum(groups.map(({ workers }) => workers));
  }

  test('7 workers over 4 pools, 3 of them in the first thread', () => {
    const scenario = scenarioOf({ workers: 7, pools: 4, poolsPerThread: 3 });
    expect(splitOverThreads(scenario, 10)).toEqual([
      [
        { ...singles(2), connections: 4, minIdle: 1, firstKey: 0, keys: 3 },
        { ...singles(2), connections: 4, minIdle: 1, firstKey: 3, keys: 3 },
        { ...singles(2), connections: 4, minIdle: 1, firstKey: 6, keys: 2 },
      ],
      [{ ...singles(1), connections: 2, minIdle: 1, firstKey: 8, keys: 2 }],
    ]);
  });

  test('every total of a scenario is found again in its pools, and the keys have no gap and no overlap', () => {
    const settings = fc.record({
      pools: fc.integer({ min: 1, max: 60 }),
      moreWorkers: fc.nat(500),
      moreKeys: fc.nat(100_000),
      poolsPerThread: fc.integer({ min: 1, max: 70 }),
      connectionsPerWorker: fc.double({ min: 0.01, max: 5, noNaN: true }),
      minIdleShare: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(settings, ({ moreWorkers, moreKeys, ...group }) => {
        const scenario = scenarioOf({ ...group, workers: group.pools + moreWorkers });
        const keys = group.pools + moreKeys;
        const threads = splitOverThreads(scenario, keys);
        expect(threads).toHaveLength(scenario.threads);
        for (const thread of threads.slice(0, -1)) expect(thread).toHaveLength(scenario.poolsPerThread);

        const pools = threads.flat();
        expect(pools).toHaveLength(scenario.pools);
        expect(sum(pools.map(workersOf))).toBe(scenario.workers);
        expect(sum(pools.map(({ connections }) => connections))).toBe(scenario.connections);
        expect(sum(pools.map(({ minIdle }) => minIdle))).toBe(scenario.minIdle);
        let nextKey = 0;
        for (const pool of pools) {
          expect(Math.min(workersOf(pool), pool.connections, pool.keys)).toBeGreaterThanOrEqual(1);
          expect(pool.minIdle).toBeLessThanOrEqual(pool.connections);
          expect(pool.firstKey).toBe(nextKey);
          nextKey += pool.keys;
        }
        expect(nextKey).toBe(keys);
      }),
      { seed: 1 },
    );
  });

  const batch = { workers: 5, pipeline: 100 };

  test('batch workers join the pools of the others, or have pools of their own with their part of the connections', () => {
    const shared = scenarioOf({ workers: 20, pools: 2, batch: { pool: 'shared', ...batch } });
    expect(splitOverThreads(shared, 10).flat()).toMatchObject([
      {
        groups: [
          { workers: 10, pipeline: 1 },
          { workers: 3, pipeline: 100 },
        ],
        connections: 26,
        firstKey: 0,
        keys: 5,
      },
      {
        groups: [
          { workers: 10, pipeline: 1 },
          { workers: 2, pipeline: 100 },
        ],
        connections: 24,
        firstKey: 5,
        keys: 5,
      },
    ]);
    const separate = scenarioOf({ workers: 20, pools: 2, batch: { pool: 'separate', ...batch } });
    expect(splitOverThreads(separate, 10)).toMatchObject([
      [
        { groups: [{ workers: 10, pipeline: 1 }], connections: 20, firstKey: 0, keys: 5 },
        { groups: [{ workers: 3, pipeline: 100 }], connections: 6, firstKey: 0, keys: 5 },
      ],
      [
        { groups: [{ workers: 10, pipeline: 1 }], connections: 20, firstKey: 5, keys: 5 },
        { groups: [{ workers: 2, pipeline: 100 }], connections: 4, firstKey: 5, keys: 5 },
      ],
    ]);
  });
});
