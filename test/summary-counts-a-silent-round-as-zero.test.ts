import { expect, test } from 'vitest';
import { summarise } from '../src/aggregate/stats/summary.ts';
import { buildRound } from './support/result-builder.ts';

test('a scenario without a measured round has no summary', () => {
  expect(summarise([])).toBeNull();
});

test('medians and intervals are over the rounds', () => {
  const summary = summarise([300, 100, 200, 500, 400].map((rate, round) => buildRound(round, rate)));
  expect(summary?.opsPerSecond).toEqual({ median: 300, low: 100, high: 500 });
  expect(summary?.responseP50).toEqual({ median: 10_000 / 300, low: 20, high: 100 });
  expect(summary?.failedShare).toBe(0);
});

test('a round in which nothing completed is 0 operations a second, and no latency', () => {
  const silent = buildRound(1, 0, { issued: 100, failed: { ECONNREFUSED: 100 } });
  const summary = summarise([buildRound(0, 100), silent]);
  expect(summary?.opsPerSecond).toEqual({ median: 50, low: 0, high: 100 });
  expect(summary?.responseP99).toEqual({ median: 250, low: 250, high: 250 });
  expect(summary?.failedShare).toBe(0.5);
});

test('where nothing completed at all, latencies are null, not 0', () => {
  const summary = summarise([buildRound(0, 0, { issued: 3, failed: { OOM: 3 } })]);
  expect(summary).toMatchObject({
    responseP99: null,
    serviceP50: null,
    clientMicrosPerOp: null,
    failedShare: 1,
  });
  expect(summary?.opsPerSecond.median).toBe(0);
});
