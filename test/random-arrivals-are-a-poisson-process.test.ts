import { expect, test } from 'vitest';
import { arrivalsOf } from '../src/workers/arrival-schedule.ts';
import { distanceToExponential } from './support/goodness-of-fit.ts';

/** The gaps before the first `count` arrivals of one pool, in nanoseconds. */
function gapsOf(rate: number, count: number, { pools = 1, pool = 0, pipeline = 1, seed = 1 } = {}): number[] {
  const arrivals = { kind: 'poisson', rate, size: pipeline } as const;
  const cursor = arrivalsOf({ arrivals, pools, firstPool: 0 }, pool, pipeline, seed);
  let lastNs = 0;
  return Array.from({ length: count }, () => {
    const gapNs = cursor.dueNs - lastNs;
    lastNs = cursor.dueNs;
    cursor.advance();
    return gapNs;
  });
}

/** The distance that a true sample of this size exceeds in 1 of 100. */
const critical = (size: number) => 1.628 / Math.sqrt(size);

test.each([1, 2, 3])('inter-arrival times pass a Kolmogorov–Smirnov test, seed %i', seed => {
  const gaps = gapsOf(2000, 20_000, { seed });
  expect(distanceToExponential(gaps, 1e9 / 2000)).toBeLessThan(critical(gaps.length));
  // The test can tell: a rate that is 5 % off does not pass.
  expect(distanceToExponential(gaps, 1e9 / 2100)).toBeGreaterThan(critical(gaps.length));
});

test('one gap says nothing of the next', () => {
  const gaps = gapsOf(2000, 20_000);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const product = gaps.slice(1).reduce((sum, gap, index) => sum + gap * (gaps[index] ?? 0), 0);
  // The mean product of independent gaps is the squared mean; its standard error is √3 of that / √n.
  expect(product / (gaps.length - 1) / mean ** 2).toBeCloseTo(1, 1);
});

test('the pools of a scenario are processes of their own, and together one of the whole rate', () => {
  const pools = 4;
  const times = Array.from({ length: pools }, (_, pool) => {
    let ns = 0;
    return gapsOf(2000, 5000, { pools, pool, seed: 10 + pool }).map(gap => {
      ns += gap;
      return ns;
    });
  });
  const [first = [], second = []] = times;
  expect(first).not.toEqual(second);
  // Up to the end of the pool that ends first.
  const endNs = Math.min(...times.map(ofPool => ofPool.at(-1) ?? 0));
  const all = times
    .flat()
    .filter(ns => ns <= endNs)
    .toSorted((a, b) => a - b);
  const gaps = all.map((ns, index) => ns - (all[index - 1] ?? 0));
  expect(distanceToExponential(gaps, 1e9 / 2000)).toBeLessThan(critical(gaps.length));
});

test('an arrival is a batch, and the rate stays one of operations', () => {
  const gaps = gapsOf(2000, 10_000, { pipeline: 10 });
  expect(distanceToExponential(gaps, 10e9 / 2000)).toBeLessThan(critical(gaps.length));
});
