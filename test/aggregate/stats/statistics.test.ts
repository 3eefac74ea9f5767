import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { independentRatio } from '../../../src/aggregate/comparison/compare-results.ts';
import { pairedRatio, signFlipP } from '../../../src/aggregate/stats/paired-ratio.ts';
import { RoundSeries } from '../../../src/aggregate/stats/round-series.ts';
import {
  coverageOf,
  fixedRounds,
  medianInterval,
  minRounds,
} from '../../../src/aggregate/stats/sign-test.ts';
import {
  geometricMean,
  median,
  quantile,
  seededRandom,
  unbounded,
} from '../../../src/aggregate/stats/statistics.ts';
import { summarise } from '../../../src/aggregate/stats/summary.ts';
import { buildRound } from '../../support/result-builder.ts';

describe('medians ratios and p values are right', () => {
  const values = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 12 });
  const byRound = (...figures: readonly number[]) =>
    new RoundSeries(
      figures.map((figure, index) => [index + 1, figure]),
      fixedRounds(figures.length),
    );

  test('quantiles are those of R and NumPy', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([10, 20], 0.9)).toBeCloseTo(19, 12);
    expect(quantile([7], 0.3)).toBe(7);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([])).toBeNaN();
  });

  test('a geometric mean is the root of the product', () => {
    expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
    expect(geometricMean([0.5, 2])).toBeCloseTo(1, 12);
  });

  test('the generator is mulberry32', () => {
    const random = seededRandom(1);
    expect([random(), random(), random()].map(value => value * 2 ** 32)).toEqual([
      2693262067, 11749833, 2265367787,
    ]);
  });

  test('with five values the interval of the median is the lowest and the highest', () => {
    const five = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(five, rounds => {
        expect(medianInterval(rounds)).toEqual({
          median: median(rounds),
          low: Math.min(...rounds),
          high: Math.max(...rounds),
        });
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  test('an interval holds its median and stays within the values', () => {
    fc.assert(
      fc.property(values, rounds => {
        const interval = medianInterval(rounds);
        expect(interval.low).toBeLessThanOrEqual(interval.median);
        expect(interval.high).toBeGreaterThanOrEqual(interval.median);
        if (rounds.length === 1) return;
        expect(interval.low).toBeGreaterThanOrEqual(Math.min(...rounds));
        expect(interval.high).toBeLessThanOrEqual(Math.max(...rounds));
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  test('up to 9 values the interval is the lowest and the highest, with more it leaves some out', () => {
    expect(medianInterval(upTo(6))).toEqual({ median: 3.5, low: 1, high: 6 });
    expect(medianInterval(upTo(9))).toEqual({ median: 5, low: 1, high: 9 });
    expect(medianInterval(upTo(10))).toEqual({ median: 5.5, low: 2, high: 9 });
    expect(medianInterval(upTo(13).toReversed())).toEqual({ median: 7, low: 3, high: 11 });
    expect(medianInterval(upTo(3))).toEqual({ median: 2, low: 1, high: 3 });
  });

  test('a single value has no interval: it bounds the median on neither side', () => {
    expect(medianInterval([3])).toEqual(unbounded(3));
    expect(coverageOf(1)).toBe(0);
  });

  /** Probability that the true median lies between the values of rank `low` and `high`, by Pascal's triangle. */
  function coverage(count: number, low: number, high: number): number {
    let row = [1];
    for (let size = 0; size < count; size++)
      row = [1, ...row.map((ways, index) => ways + (row[index + 1] ?? 0))];
    const within = row.filter((_, below) => below >= low && below < high);
    return within.reduce((sum, ways) => sum + ways, 0) / 2 ** count;
  }

  test('an interval covers the true median with 96.9 % or more, with few values with what they can give', () => {
    expect([1, 2, 3, 4, 5, 50].map(coverageOf)).toEqual([0, 0.5, 0.75, 0.875, 0.9375, 0.96875]);
    for (let count = 1; count <= 50; count++) {
      const { low, high } = medianInterval(upTo(count));
      // An end between two values covers what the inner of them does at least.
      const covered = coverage(count, Math.ceil(low), Math.floor(high));
      expect(covered, `${count} values`).toBeGreaterThanOrEqual(coverageOf(count));
    }
  });

  test('with many values the interval is no wider than it need be', () => {
    const { low, high } = medianInterval(upTo(1000));
    expect(low).toBeGreaterThan(460);
    expect(high).toBeLessThan(540);
  });

  test('the median of nothing is an error', () => {
    expect(() => medianInterval([])).toThrow(RangeError);
  });

  test('a ratio is paired by round: noise that both arms share does not affect it', () => {
    const { ratio } = pairedRatio(byRound(100, 50, 200, 80, 120, 90), byRound(150, 75, 300, 120, 180, 135));
    expect(ratio).toEqual({ median: 1.5, low: 1.5, high: 1.5 });
  });

  test('a round in which one arm did nothing counts against it, one that an arm lacks makes no ratio', () => {
    const of = (...rounds: [number, number][]) => new RoundSeries(rounds, fixedRounds(4));
    const base = of([1, 10], [2, 10], [3, 0], [4, 10], [5, 0], [6, 10]);
    const other = of([4, 30], [2, 0], [3, 10], [1, 20], [5, 0]);
    const { series, ratio } = pairedRatio(base, other);
    expect([...series.byRound]).toEqual([
      [1, 2],
      [2, 0],
      [3, Number.POSITIVE_INFINITY],
      [4, 3],
    ]);
    expect(ratio?.median).toBe(2.5);
    expect(pairedRatio(base, of())).toMatchObject({ ratio: null, p: 1 });
  });

  test('of an arm that did nothing in any round nothing was measured', () => {
    expect(pairedRatio(byRound(1, 2), byRound(0, 0))).toMatchObject({ ratio: null, p: 1 });
    const endless = byRound(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    expect(pairedRatio(endless, byRound(1, 2)).series.size).toBe(0);
  });

  test('doing nothing counts as worse than any figure, never as better, of what should be large and small', () => {
    const figures = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(figures, figures, fc.nat(), (base, given, at) => {
        const other = given.slice(0, base.length);
        if (other.length < 2) return;
        const silent = at % other.length;
        const measured = pairedRatio(byRound(...base), byRound(...other));
        const counted = (worst: number) =>
          pairedRatio(byRound(...base), byRound(...other.with(silent, worst)));
        const [rate, latency] = [counted(0), counted(Number.POSITIVE_INFINITY)];
        expect([rate.series.size, latency.series.size]).toEqual([other.length, other.length]);
        for (const end of ['low', 'median', 'high'] as const) {
          expect(rate.ratio?.[end]).toBeLessThanOrEqual(measured.ratio?.[end] ?? Number.NaN);
          expect(latency.ratio?.[end]).toBeGreaterThanOrEqual(measured.ratio?.[end] ?? Number.NaN);
        }
        expect(rate.p).toBeGreaterThanOrEqual(2 / 2 ** other.length);
        expect(rate.p).toBeLessThanOrEqual(1);
      }),
      { seed: 1 },
    );
  });

  test('an infinite difference decides a permutation test as one larger than all others together does', () => {
    const differences = fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 8 });
    fc.assert(
      fc.property(differences, fc.boolean(), (given, negative) => {
        const sign = negative ? -1 : 1;
        expect(signFlipP([...given, sign * Number.POSITIVE_INFINITY])).toBe(
          signFlipP([...given, sign * 1e5]),
        );
      }),
      { seed: 1 },
    );
  });

  test('a round in which one ratio is 0 and another infinite has no mean', () => {
    const combined = (one: number, two: number) =>
      RoundSeries.combine([byRound(one, 4), byRound(two, 4)]).values;
    expect(combined(0, Number.POSITIVE_INFINITY)).toEqual([expect.closeTo(4, 12)]);
    expect(combined(0, 9)).toEqual([0, expect.closeTo(4, 12)]);
  });

  test('ratios are combined within the rounds that all of them have', () => {
    expect(RoundSeries.combine([byRound(2, 3, 5), byRound(8, 12)]).values).toEqual([
      expect.closeTo(4, 12),
      expect.closeTo(6, 12),
    ]);
    expect(RoundSeries.combine([]).values).toEqual([]);
  });

  test('the exact p-value counts the signs that reach as far', () => {
    // Of the 8 sums of ±1 ±2 ±3, 6 and −6 reach as far as 6; 0 reaches nowhere.
    expect(signFlipP([1, 2, 3])).toBe(2 / 8);
    // ±1 ±2 ∓3: all 8 reach as far as 0.
    expect(signFlipP([1, 2, -3])).toBe(1);
    expect(signFlipP([0.1, 0.1, 0.1, 0.1, 0.1])).toBe(2 / 32);
    expect(signFlipP([])).toBe(1);
  });

  test('p-values do not depend on order or direction', () => {
    const differences = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(differences, given => {
        expect(signFlipP(given.toReversed())).toBe(signFlipP(given));
        expect(signFlipP(given.map(value => -value))).toBe(signFlipP(given));
        expect(signFlipP(given)).toBeGreaterThanOrEqual(2 / 2 ** given.length);
      }),
      { seed: 1 },
    );
  });

  test('the exact p-value is the fraction of all combinations of signs', () => {
    const differences = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 11 });
    fc.assert(
      fc.property(differences, given => {
        const sumOf = (signs: number) =>
          Math.abs(given.reduce((sum, value, index) => sum + ((signs >>> index) & 1 ? -value : value), 0));
        const all = Array.from({ length: 2 ** given.length }, (_, signs) => sumOf(signs));
        expect(signFlipP(given)).toBe(all.filter(sum => sum >= sumOf(0)).length / all.length);
      }),
      { seed: 1 },
    );
  });

  test('above 30 differences p is sampled, close to the exact one and the same for a seed', () => {
    const random = seededRandom(11);
    const thirty = Array.from({ length: 30 }, () => random() - 0.45);
    // Differences of 0 add signs, but change no sum.
    expect(signFlipP(thirty)).toBeGreaterThan(0.02);
    expect(Math.abs(signFlipP([...thirty, 0]) - signFlipP(thirty))).toBeLessThan(0.02);
    expect(signFlipP([...thirty, 0], 2)).toBe(signFlipP([...thirty, 0], 2));
  });
});

describe('ratio of independent runs covers the truth', () => {
  const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });

  test('it reaches as far as the intervals of both sides allow', () => {
    expect(independentRatio([10, 11, 12, 12, 13, 14], [20, 22, 24, 24, 26, 28])).toEqual({
      median: 2,
      low: 20 / 14,
      high: 2.8,
    });
  });

  test('it is bounded on neither side if either has fewer rounds than a verdict needs', () => {
    const [enough, few] = [Array(minRounds).fill(2), Array(minRounds - 1).fill(2)];
    expect(independentRatio(few, enough)).toEqual(unbounded(1));
    expect(independentRatio(enough, few)).toEqual(unbounded(1));
    expect(independentRatio(enough, enough)).toEqual({ median: 1, low: 1, high: 1 });
  });

  test('it is never narrower than either interval, relative to its median', () => {
    const values = fc.array(positive, { minLength: minRounds, maxLength: 12 });
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

  test('of 2000 pairs of runs with 6 skewed rounds each it covers at least what is promised', () => {
    const random = seededRandom(3);
    // Exponential noise: one-sided and heavy, with its median known.
    const run = (scale: number) => Array.from({ length: 6 }, () => scale * (1 - Math.log(1 - random())));
    let covered = 0;
    for (let pair = 0; pair < 2000; pair++) {
      const ratio = independentRatio(run(10), run(15));
      if (ratio !== null && ratio.low <= 1.5 && ratio.high >= 1.5) covered++;
    }
    expect(covered / 2000).toBeGreaterThanOrEqual(coverageOf(6) ** 2);
  });

  test('there is no ratio without values, or with one that is not above 0', () => {
    expect(independentRatio([], [1])).toBeNull();
    expect(independentRatio([1], [])).toBeNull();
    expect(independentRatio([1, 0], [1, 2])).toBeNull();
    expect(independentRatio([1, 2], [Number.NaN])).toBeNull();
  });
});

describe('summary counts a silent round as zero', () => {
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
    expect(summary?.responseP99).toEqual(unbounded(250));
    expect(summary?.failedShare).toBe(0.5);
  });

  test('latencies are null, not 0, if nothing completed', () => {
    const summary = summarise([buildRound(0, 0, { issued: 3, failed: { OOM: 3 } })]);
    expect(summary).toMatchObject({
      responseP99: null,
      serviceP50: null,
      clientMicrosPerOp: null,
      failedShare: 1,
    });
    expect(summary?.opsPerSecond.median).toBe(0);
  });
});
