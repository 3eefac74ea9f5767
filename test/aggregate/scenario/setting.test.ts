import { expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import { fieldsOf } from '../../../src/aggregate/scenario/scenario.ts';
import { groupBySetting } from '../../../src/aggregate/scenario/setting.ts';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';
import { buildScenario } from '../../support/result-builder.ts';

/** The scenarios of a group as a result has them, under ids that tell nothing. */
function measured(group: object): ScenarioResult[] {
  const target = { server: 'redis', url: 'redis://h' };
  const { scenarios } = experimentSchema.parse({ name: 'a', target, scenarios: [group] });
  return expandScenarios(scenarios).map((scenario, index) =>
    buildScenario({ ...fieldsOf(scenario), id: String(index) }, []),
  );
}

const labels = (group: object) => groupBySetting(measured(group)).map(({ label }) => label);

test.each([
  [0.1, 1],
  [0.5, 2],
  [1, 2],
  [1.5, 4],
])('%d and %d connections per worker are two settings, however totals were rounded', (few, many) => {
  const workers = [1, 2, 3, 5, 10, 50, 77];
  const words = (ratio: number) =>
    `ioredis, ${ratio} ${ratio === 1 ? 'connection' : 'connections'} per worker`;
  expect(labels({ workers, connectionsPerWorker: [few, many] }).toSorted()).toEqual(
    [words(few), words(many)].toSorted(),
  );
});

test('the min of connections that pools need is the same setting as more', () => {
  expect(labels({ workers: [8, 80], pools: [1, 4], connectionsPerWorker: 0.1 })).toEqual(['ioredis']);
  const batch = [{ pool: 'shared', workers: 4, pipeline: 100 }, { pool: 'none' }];
  expect(labels({ workers: [10, 50], batch })).toEqual([
    'ioredis, 4 batch workers at depth 100 in shared pools',
    'ioredis, no batch workers',
  ]);
});

test('a ratio of idle connections is in the label of pools that keep some', () => {
  expect(
    labels({ pool: ['baseline', 'optimized', 'shared'], minIdleShare: [0, 0.125], workers: [16, 80] }),
  ).toEqual([
    'ioredis, baseline pool',
    'ioredis, optimized pool, minIdle 0 %',
    'ioredis, optimized pool, minIdle 12.5 %',
    'ioredis, shared pool',
  ]);
});

test('a label has what differs, but not what a preset does not have', () => {
  expect(labels({ pool: ['baseline', 'optimized'], connects: ['parallel', 'jittered'] })).toEqual([
    'ioredis, baseline pool',
    'ioredis, optimized pool, parallel connects',
    'ioredis, optimized pool, jittered connects',
  ]);
  expect(labels({ client: ['ioredis', 'wire'], autoPipelining: [false, true] })).toEqual([
    'ioredis, no auto-pipelining',
    'ioredis, auto-pipelining',
    'wire',
  ]);
  expect(labels({ client: ['ioredis', 'wire'], transport: ['direct', 'io_uring'] })).toEqual([
    'ioredis',
    'wire, transport direct',
    'wire, transport io_uring',
  ]);
  expect(labels({ cutEveryMs: [0, 20], burst: [false, true] })).toEqual([
    'ioredis, no cuts, no burst of first connections',
    'ioredis, no cuts, a burst of first connections',
    'ioredis, a cut every 20 ms, no burst of first connections',
    'ioredis, a cut every 20 ms, a burst of first connections',
  ]);
});
