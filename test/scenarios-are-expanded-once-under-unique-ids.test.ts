import fc from 'fast-check';
import { expect, test } from 'vitest';
import { experimentSchema } from '../src/main/experiment/experiment.ts';
import { expandScenarios, type Scenario } from '../src/main/experiment/scenarios.ts';

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
    autoPipelining: false,
    batch: { pool: 'none', workers: 0, pipeline: 0 },
    cutEveryMs: 0,
    burst: false,
  });
});

test('the id names a further dimension where it varies or is not at its default', () => {
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
      autoPipelining: true,
      batch: { pool: 'shared', workers: 5, pipeline: 100 },
      cutEveryMs: 100,
      burst: true,
    }),
  ).toEqual(['ioredis-optimized-1pool-1worker-jittered-autopipelined-sharedBatch5x100-cut100ms-burst']);
  expect(idsOf({ pool: ['baseline', 'optimized'], workers: 1, minIdleShare: 1, connects: 'serial' })).toEqual(
    ['ioredis-baseline-1pool-1worker', 'ioredis-optimized-1pool-1worker-idle1-serial'],
  );
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
  expect(idsOf({ pool: 'shared', minIdleShare: [0, 1], healthTtlMs: [0, 500] })).toHaveLength(1);
});

test('a shared pool opens all of its connections at the start', () => {
  expect(expand({ pool: 'shared', connectionsPerWorker: 0.08 })[0]).toMatchObject({
    connections: 4,
    minIdle: 4,
  });
});

test('batch workers have a share of the connections, and pools of their own need one each', () => {
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
    client: list('ioredis', 'wire'),
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
    { numRuns: 30, seed: 1 },
  );
});
