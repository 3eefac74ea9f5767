import { expect, test } from 'vitest';
import { judge, measureSuite } from '../../support/claim-arms.ts';

/** Throughput of pools of these connections per worker, as a factor of that of 2. */
const sizes = (speeds: Record<string, number>, rounds = 6, noise = 0) =>
  measureSuite(
    'pool-size',
    ({ connections, workers }, round) => {
      const size = connections / workers;
      return {
        speed: (speeds[size] ?? 1) * (size === 2 ? 1 : 1 + noise * (round - 2)),
        poolMetrics: { acquireWait: { count: 9, mean: size < 1 ? 2.5 : 0, p50: 0, p99: 0, max: 0 } },
      };
    },
    rounds,
  );

test('supported: one connection per worker costs 10 %, and four gain nothing', async () => {
  const claim = judge('C11', await sizes({ 0.5: 0.7, 1: 0.9, 4: 1.02 }));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(0.9);
  expect(claim.reason).toContain('to 2: throughput ×0.90');
  expect(claim.reason).toContain('to 2: throughput ×1.02');
});

test('refuted: one connection per worker does as well', async () => {
  expect(judge('C11', await sizes({ 1: 0.99, 4: 1 })).verdict).toBe('refuted');
});

test('a verdict comes with what the closed loop cannot test', async () => {
  const claim = judge('C11', await sizes({ 1: 0.99, 4: 1 }));
  expect(claim.gist).toContain('is not tested.');
});

test('refuted: four a worker do better', async () => {
  expect(judge('C11', await sizes({ 1: 0.9, 4: 1.1 })).verdict).toBe('refuted');
});

test('inconclusive: the intervals hold 5 %', async () => {
  expect(judge('C11', await sizes({ 1: 0.95, 4: 1 }, 5, 0.02)).verdict).toBe('inconclusive');
});

test('not tested without a larger pool', async () => {
  const scenarios = (await sizes({ 1: 0.9 })).filter(
    ({ connections, workers }) => connections <= 2 * workers,
  );
  const claim = judge('C11', scenarios);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('configs/claims/pool-size.json');
});

test('a half, the p99 and the wait for a connection stand beside it', async () => {
  const claim = judge('C11', await sizes({ 0.5: 0.7, 1: 0.9 }));
  const half = claim.comparisons.filter(({ other }) => other.includes('0.5perWorker'));
  expect(half.map(({ measure }) => measure)).toEqual(expect.arrayContaining(['throughput', 'response p99']));
  expect(half.every(({ predicted }) => predicted === null)).toBe(true);
  expect(claim.reason).toContain('2.50 ms with 0.5');
});
