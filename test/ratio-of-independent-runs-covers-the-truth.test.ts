import fc from 'fast-check';
import { expect, test } from 'vitest';
import { independentRatio } from '../src/aggregate/comparison/ratios.ts';
import { medianInterval, seededRandom } from '../src/aggregate/stats/statistics.ts';

const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });

test('it reaches as far as the intervals of both sides allow', () => {
  expect(independentRatio([10, 11, 12, 13, 14], [20, 22, 24, 26, 28])).toEqual({
    median: 2,
    low: 20 / 14,
    high: 2.8,
  });
});

test('it is never narrower than either interval, relative to its median', () => {
  const values = fc.array(positive, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(values, values, (base, other) => {
      const ratio = independentRatio(base, other);
      if (ratio === null) throw new Error('expected a ratio');
      expect(ratio.low).toBeLessThanOrEqual(ratio.median);
      expect(ratio.high).toBeGreaterThanOrEqual(ratio.median);
      for (const own of [medianInterval(base), medianInterval(other)]) {
        expect(ratio.high / ratio.low).toBeGreaterThanOrEqual((own.high / own.low) * (1 - 1e-9));
      }
    }),
    { numRuns: 50 },
  );
});

test('of 2000 pairs of runs with 5 skewed rounds each it covers at least what is promised', () => {
  const random = seededRandom(3);
  // Exponential noise: one-sided and heavy, with its median known.
  const run = (scale: number) => Array.from({ length: 5 }, () => scale * (1 - Math.log(1 - random())));
  let covered = 0;
  for (let pair = 0; pair < 2000; pair++) {
    const ratio = independentRatio(run(10), run(15));
    if (ratio !== null && ratio.low <= 1.5 && ratio.high >= 1.5) covered++;
  }
  expect(covered / 2000).toBeGreaterThanOrEqual(0.9375 ** 2);
});

test('there is no ratio without values, or with one that is not above 0', () => {
  expect(independentRatio([], [1])).toBeNull();
  expect(independentRatio([1], [])).toBeNull();
  expect(independentRatio([1, 0], [1, 2])).toBeNull();
  expect(independentRatio([1, 2], [Number.NaN])).toBeNull();
});
