import fc from 'fast-check';
import { expect, test } from 'vitest';
import { experimentSchema } from '../src/main/experiment/experiment.ts';
import { expandScenarios, type Scenario } from '../src/main/experiment/scenarios.ts';
import {
  splitAtLeastOne,
  splitEvenly,
  splitInProportion,
  splitOverThreads,
} from '../src/main/experiment/split.ts';
import type { PoolShare } from '../src/workers/contract.ts';

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

function workersOf({ groups }: PoolShare): number {
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

test('batch workers join the pools of the others, or have pools of their own with their share of the connections', () => {
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
