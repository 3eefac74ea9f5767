import { expect, test } from 'vitest';
import { judge, measureSuite } from '../../support/claim-arms.ts';

/** Response times of bursts with a connection for each of their callers, as a factor of those with one for half of them. */
const sizes = (slowness: number) =>
  measureSuite('pool-size', ({ connections, workers, arrival }) => {
    const waits = connections < workers;
    return {
      slowness: arrival.kind === 'burst' && !waits ? slowness : 1,
      poolMetrics: { acquireWait: { count: 9, mean: waits ? 2.5 : 0, p50: 0, p99: 0, max: 0 } },
    };
  });

test.each([
  ['supported', 0.8],
  ['refuted', 1],
] as const)('%s: the p99 of bursts with twice the connections is ×%d', async (verdict, ratio) => {
  const claim = judge('C11', await sizes(ratio));
  expect(claim).toMatchObject({ verdict, predictions: 1 });
  expect(claim.measured).toBeCloseTo(ratio);
  expect(claim.gist).toContain('only the bursts of an open loop are judged');
});

test('the closed loop is shown and not judged, with the wait for a connection', async () => {
  const claim = judge('C11', await sizes(1));
  expect(claim.reason).toContain('2.50 ms with 0.5 at 50 workers');
  const closed = claim.comparisons.filter(({ measure }) => measure === 'throughput');
  expect(closed).toHaveLength(3);
  expect(closed.every(({ predicted }) => predicted === null)).toBe(true);
});

test('not tested by a closed loop alone', async () => {
  const closed = (await sizes(0.8)).filter(({ arrival }) => arrival.kind === 'closed');
  expect(judge('C11', closed).verdict).toBe('not tested');
});
