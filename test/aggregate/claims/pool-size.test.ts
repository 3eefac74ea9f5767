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
] as const)('%s: bursts with twice the connections take ×%d', async (verdict, ratio) => {
  const claim = judge('C11', await sizes(ratio));
  expect(claim).toMatchObject({ verdict, predictions: 2 });
  expect(claim.measured).toBeCloseTo(ratio);
  expect(claim.gist).toContain('only the bursts of an open loop are judged');
});

test('the closed loop is shown and not judged, with the wait for a connection', async () => {
  const claim = judge('C11', await sizes(1));
  expect(claim.reason).toContain('2.50 ms with 0.5 at 100 workers (ioredis, bursts)');
  const closed = claim.comparisons.filter(({ measure }) => measure === 'throughput');
  expect(closed).toHaveLength(1);
  expect(closed.every(({ predicted }) => predicted === null)).toBe(true);
});

test('a stall at the end of one window costs a rank of the interval, one in half of the windows the verdict', async () => {
  const stalled = (rounds: number) =>
    measureSuite(
      'pool-size',
      ({ arrival, connections, workers }, round) => ({
        slowness: arrival.kind === 'burst' && connections === workers ? 0.5 + round / 100 : 1,
        round: round < rounds ? { unfinished: 100 } : {},
      }),
      10,
    );
  const [none, one, half] = await Promise.all(
    [0, 1, 5].map(async rounds => judge('C11', await stalled(rounds))),
  );
  expect([none?.verdict, one?.verdict, half?.verdict]).toEqual(['supported', 'supported', 'inconclusive']);
  const endsOf = (reason = '') => /response p99 \S+ \[(\S+), (\S+)\]/.exec(reason)?.slice(1) ?? [];
  const [low, high] = endsOf(none?.reason);
  const [lowOfOne, highOfOne] = endsOf(one?.reason);
  // The ratio of that round may be any larger, and no smaller.
  expect(lowOfOne).toBe(low);
  expect(Number(highOfOne)).toBeGreaterThan(Number(high));
  expect(half?.reason).toContain('lower bound');
});

test('not tested by a closed loop alone', async () => {
  const closed = (await sizes(0.8)).filter(({ arrival }) => arrival.kind === 'closed');
  expect(judge('C11', closed).verdict).toBe('not tested');
});
