import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundsOf,
  detectableRatio,
  lagOneCorrelation,
  lookRounds,
  looksOf,
  type RoundsRange,
  repeatedInterval,
  roundsToDecide,
} from '../../../src/aggregate/stats/sign-test.ts';
import { seededRandom } from '../../../src/aggregate/stats/statistics.ts';
import { normalNoise } from '../../support/normal-noise.ts';

const range: RoundsRange = { atLeast: 10, atMost: 50 };

describe('the looks of a run', () => {
  test('are a quarter more rounds apart, from the fewest to the most', () => {
    expect(lookRounds(range)).toEqual([10, 13, 16, 20, 25, 32, 40, 50]);
    expect(lookRounds({ atLeast: 12, atMost: 12 })).toEqual([12]);
  });

  test('have the bounds that spend 1/64 a side', () => {
    const bounds = looksOf(range, 0, 1).map(({ bound }) => bound);
    expect(bounds).toEqual([10, 12, 14, 16, 20, 24, 29, 34]);
  });

  test('a fixed number of rounds has one look, which needs 6 of them to decide', () => {
    const boundOf = (rounds: number) => looksOf({ atLeast: rounds, atMost: rounds }, rounds, 1)[0]?.bound;
    expect([5, 6, 7, 20].map(boundOf)).toEqual([6, 6, 7, 16]);
  });

  test('never reach a bound by chance more often than stated: every sequence of rounds is counted', () => {
    const looks = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(looks, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (unsorted, chance) => {
        const at = unsorted.toSorted((a, b) => a - b);
        const bounds = boundsOf(at, chance);
        const last = at.at(-1) ?? 0;
        let reached = 0;
        for (let sequence = 0; sequence < 2 ** last; sequence++) {
          const above = (rounds: number) => countOnes(sequence & (2 ** rounds - 1));
          if (at.some((rounds, index) => above(rounds) >= (bounds[index] ?? 0))) reached++;
        }
        expect(reached / 2 ** last).toBeLessThanOrEqual(chance + 1e-12);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the repeated interval', () => {
  const ratios = fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), { minLength: 10, maxLength: 50 });

  test('lies above a threshold just where a look has counted enough rounds above it', () => {
    fc.assert(
      fc.property(ratios, fc.double({ min: 0.5, max: 2, noNaN: true }), (values, threshold) => {
        const looks = looksOf(range, values.length, 1).filter(({ rounds }) => rounds <= values.length);
        const decided = (isBeyond: (value: number) => boolean) =>
          looks.some(({ rounds, bound }) => values.slice(0, rounds).filter(isBeyond).length >= bound);
        const above = decided(value => value > threshold);
        const below = decided(value => value < threshold);
        const { low, high, median } = repeatedInterval(values, range);
        if (above !== below) {
          expect(low > threshold).toBe(above);
          expect(high < threshold).toBe(below);
        }
        expect(low).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(high);
      }),
    );
  });

  test('a decision stands, whatever the rounds after it show, unless they show the opposite', () => {
    const decided = Array.from({ length: 10 }, () => 1.2);
    const undecided = [...decided, ...Array.from({ length: 6 }, (_, round) => (round % 2 === 0 ? 1.0 : 1.2))];
    expect(repeatedInterval(undecided, range).low).toBe(1.2);
    const reversed = [...decided, ...Array.from({ length: 40 }, () => 0.8)];
    expect(repeatedInterval(reversed, range)).toMatchObject({ low: 0.8, high: 0.8 });
  });

  test('is unbounded before the first look, and for a number of rounds that decides nothing', () => {
    const nothing = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    expect(repeatedInterval([2, 2, 2], range)).toMatchObject({ ...nothing, median: 2 });
    expect(repeatedInterval([2, 2, 2, 2, 2], { atLeast: 5, atMost: 5 })).toMatchObject(nothing);
    expect(repeatedInterval([2, 2, 2, 2, 2, 2], { atLeast: 6, atMost: 6 })).toMatchObject({
      low: 2,
      high: 2,
    });
  });

  test('comparisons that share the chance to err take more rounds', () => {
    const values = Array.from({ length: 6 }, () => 2);
    expect(repeatedInterval(values, { atLeast: 6, atMost: 6 }, { above: 2 }).low).toBe(
      Number.NEGATIVE_INFINITY,
    );
  });
});

describe('simulated runs', () => {
  const runs = 600;
  /** Fraction of runs in which the median is decided to lie above 1, and below it. */
  function decide(rounds: (random: () => number) => () => number, seed: number) {
    const random = seededRandom(seed);
    let [above, below] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const draw = rounds(random);
      const values = Array.from({ length: 50 }, () => Math.exp(draw()));
      const { low, high } = repeatedInterval(values, range);
      if (low > 1) above++;
      if (high < 1) below++;
    }
    return { above: above / runs, below: below / runs };
  }
  const normal = (random: () => number) => {
    const noise = normalNoise(random);
    return () => 0.2 * noise();
  };

  /** 3 standard deviations of a fraction of 600 runs beside the 1.6 % that are stated. */
  const stated = 1 / 64 + 3 * Math.sqrt((1 / 64) * (63 / 64) * (1 / runs));

  test('rounds without an effect are decided as rarely as stated, with normal and with heavy tails', () => {
    const heavy = (random: () => number) => {
      const noise = normalNoise(random);
      // Student's t with 2 degrees of freedom: a normal over the root of an exponential.
      return () => (0.2 * noise()) / Math.sqrt(-Math.log(1 - random()));
    };
    for (const rounds of [normal, heavy]) {
      const { above, below } = decide(rounds, 11);
      expect(above).toBeLessThan(stated);
      expect(below).toBeLessThan(stated);
    }
  });

  test('rounds that repeat each other (AR(1) of 0.3) err in about 5 % a side', () => {
    const repeating = (random: () => number) => {
      const noise = normalNoise(random);
      let last = noise();
      return () => {
        last = 0.3 * last + Math.sqrt(1 - 0.3 ** 2) * noise();
        return 0.2 * last;
      };
    };
    const { above, below } = decide(repeating, 12);
    expect(above).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    expect(below).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
  });

  test('an effect that 80 % of the rounds show is found', () => {
    const shifted = (random: () => number) => () => (random() < 0.8 ? 0.1 : -0.1);
    expect(decide(shifted, 13).above).toBeGreaterThan(0.97);
  });

  test('the detectable ratio is found in about 4 of 5 runs', () => {
    const random = seededRandom(14);
    const noise = normalNoise(random);
    const fixed = { atLeast: 20, atMost: 20 };
    const sample = Array.from({ length: 2000 }, () => Math.exp(0.1 * noise()));
    const detectable = detectableRatio(sample.slice(0, 20), 1.05, fixed) ?? 0;
    expect(detectable).toBeGreaterThan(1.05);
    expect(detectable).toBeLessThan(1.25);
    expect(detectableRatio([1, 1], 1.05, range)).toBeNull();
  });
});

test('about how many rounds would decide grows as rounds lean less to one side', () => {
  expect(roundsToDecide(10, 20)).toBeNull();
  const few = roundsToDecide(16, 20) ?? 0;
  const many = roundsToDecide(12, 20) ?? 0;
  expect(few).toBeGreaterThan(15);
  expect(few).toBeLessThan(40);
  expect(many).toBeGreaterThan(150);
  expect(roundsToDecide(8, 20)).toBe(many);
});

test('the correlation of neighbouring rounds is 1 where they grow, and about 0 where they are independent', () => {
  const growing = Array.from({ length: 20 }, (_, round) => round);
  expect(lagOneCorrelation(growing)).toBeCloseTo(1, 10);
  const random = seededRandom(15);
  expect(Math.abs(lagOneCorrelation(Array.from({ length: 1000 }, random)) ?? 1)).toBeLessThan(0.1);
  expect(lagOneCorrelation([1, 2, 3])).toBeNull();
  expect(lagOneCorrelation(Array.from({ length: 20 }, () => 1))).toBeNull();
});

function countOnes(bits: number): number {
  let count = 0;
  for (let rest = bits; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
}
