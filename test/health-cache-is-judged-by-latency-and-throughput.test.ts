import { expect, test } from 'vitest';
import type { PoolMetrics } from '../src/aggregate/result.ts';
import { type FiguresOf, judge, measureSuite } from './support/claim-arms.ts';
import { usualMetrics } from './support/preset-metrics.ts';

type Gain = (round: number) => { readonly speed: number; readonly slowness: number };

const promised: Gain = () => ({ speed: 1.07, slowness: 0.87 });

/** The suite, in which health-cached pools differ from baseline by this; `metrics` are of the preset they are told for. */
function measure(gain: Gain, metrics: Partial<Record<string, Partial<PoolMetrics>>> = {}) {
  const figuresOf: FiguresOf = (scenario, round) => ({
    ...(scenario.preset === 'health-cached' ? gain(round) : {}),
    poolMetrics: { ...usualMetrics(scenario), ...metrics[scenario.preset] },
  });
  return measureSuite('optimizations', figuresOf);
}

test('supported: mean response time and throughput gain what is promised', async () => {
  const claim = judge('C5', await measure(promised));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(0.87);
  expect(claim.comparisons.map(({ measure, other }) => [measure, other])).toEqual(
    ['mean response time', 'throughput'].flatMap(measure =>
      [10, 50, 100].map(workers => [measure, `ioredis-health-cached-1pool-${workers}workers`]),
    ),
  );
});

/** In a closed loop both are one figure. */
const closed =
  (speed: number): Gain =>
  () => ({ speed, slowness: 1 / speed });

test('a throughput inside +5–10 % is not refuted by the mean latency that goes with it', async () => {
  for (const speed of [1.06, 1.08, 1.1]) {
    expect(judge('C5', await measure(closed(speed))).verdict, `×${speed}`).toBe('supported');
  }
  const { reason } = judge('C5', await measure(closed(1.08)));
  expect(reason).toContain('these two are one figure, and the document contradicts itself');
});

test('refuted: less than the document promises in either measure', async () => {
  expect(judge('C5', await measure(closed(1.04))).verdict).toBe('refuted');
  expect(judge('C5', await measure(closed(1))).verdict).toBe('refuted');
});

test('both count as one chance', async () => {
  expect(judge('C5', await measure(closed(1.08))).reason).not.toContain('chance');
});

test('inconclusive: a level that contradicts the others, which is named', async () => {
  const scenarios = await measureSuite('optimizations', scenario => ({
    ...(scenario.preset === 'health-cached' ? closed(scenario.workers === 10 ? 0.98 : 1.2)(0) : {}),
    poolMetrics: usualMetrics(scenario),
  }));
  const claim = judge('C5', scenarios);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(
    '10, 50 and 100 workers on average: throughput ×1.12 [1.12, 1.12]; predicted ×1.05 or more: stays open, as at 10 workers alone it is ×0.98 [0.98, 0.98].',
  );
});

test('inconclusive: pools that still opened connections in the window', async () => {
  const connectTime = { count: 50, mean: 1, p50: 1, p99: 1, max: 1 };
  const growing = { created: 50, lastCreatedMs: 900, connectTime };
  const claim = judge('C5', await measure(promised, { baseline: growing }));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
  expect(claim.reason).toContain(
    'onnections were still being opened, for 5.0 % of the window of ioredis-baseline-',
  );
});

test('inconclusive: the intervals lie across what is promised', async () => {
  const gain: Gain = round => ({ speed: 1.07, slowness: 0.9 + 0.02 * round });
  expect(judge('C5', await measure(gain)).verdict).toBe('inconclusive');
});

test('what checks took is told for each operation, beside the figure of the document', async () => {
  const claim = judge('C5', await measure(promised, { baseline: { healthCheckMs: 1000 } }));
  expect(claim.reason).toMatch(
    /In baseline pools an operation waited for health checks 0\.04\d+ ms at 10 workers \(ioredis\), 0\.04\d+ ms at 50 workers \(ioredis\) and 0\.04\d+ ms at 100 workers \(ioredis\); the document says 0\.05–0\.1 ms\.$/,
  );
});

test.each([
  ['baseline', { healthChecksRun: 0 }, 'baseline-1pool-10workers ran no health check in round 0'],
  ['baseline', { healthChecksSkipped: 1 }, 'baseline-1pool-10workers skipped health checks in round 0'],
  ['health-cached', { healthChecksSkipped: 0 }, 'health-cached-1pool-10workers did not cache'],
  ['health-cached', { healthChecksRun: 20_000 }, 'health-cached-1pool-10workers did not cache'],
])('inconclusive: a %s pool that tells %o', async (preset, metrics, told) => {
  const claim = judge('C5', await measure(promised, { [preset]: metrics }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(told);
});

test('a connection that lay idle for the TTL may be checked', async () => {
  // 20 connections at 10 workers, a TTL and a window of 1 s: each may be found stale at the start, and once more.
  const claim = judge('C5', await measure(promised, { 'health-cached': { healthChecksRun: 40 } }));
  expect(claim.verdict).toBe('supported');
  const more = judge('C5', await measure(promised, { 'health-cached': { healthChecksRun: 41 } }));
  expect(more.verdict).toBe('inconclusive');
});

test('not tested: no health-cached pool, or one with another TTL than that of the document', async () => {
  const scenarios = await measure(promised);
  const without = scenarios.filter(({ pool }) => pool !== 'health-cached');
  expect(judge('C5', without).verdict).toBe('not tested');
  const longer = scenarios.map(scenario => ({
    ...scenario,
    healthTtlMs: scenario.pool === 'health-cached' ? 60_000 : scenario.healthTtlMs,
  }));
  expect(judge('C5', longer).verdict).toBe('not tested');
});
