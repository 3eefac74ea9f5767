import type { Interval, RoundResult } from '../result.ts';
import { RoundSeries } from './round-series.ts';
import { commonPlan } from './sign-test.ts';
import { seededRandom } from './statistics.ts';

/** Up to this many pairs the permutation test counts every combination of signs: 2 × 32,768 sums, a fraction of a millisecond. */
const exactPairs = 30;
/** Fixed, like the default seed, so that figures repeat. */
const resamples = 10_000;

/**
 * A ratio is infinite if only the base has the worst value (a throughput of 0, or an infinite latency), and 0 if only
 * the other has it. A round in which an arm completed nothing thus counts against that arm, as more extreme than any
 * measured round.
 */

/** The value of an arm that completed nothing: the worst throughput is 0, the worst latency is infinite. */
export const worst = { more: 0, less: Number.POSITIVE_INFINITY } as const;

/** One figure of a round, and which way it is better. Null, and 0 unless it may be: the round has none. */
export interface Figure {
  readonly better: 'less' | 'more';
  /** Whether 0 is a figure, as of a number of failures. */
  readonly mayBeZero?: true;
  readonly figure: (round: RoundResult) => number | null;
  /** Of a latency: whether so much was lost after a longer wait that the true figure of these rounds is larger. */
  readonly isLowerBound?: (rounds: readonly RoundResult[]) => boolean;
}

/** The value of a round in comparisons and verdicts; null if it has no such figure. */
export function figureIn(round: RoundResult, { better, mayBeZero, figure }: Figure): number | null {
  if (round.completed === 0) return worst[better];
  return mayBeZero ? figure(round) : figure(round) || null;
}

/** Ratios of one arm to another, each made within one round. */
export interface PairedRatio {
  /**
   * Median ratio and its repeated interval over the rounds; null without a common round, or if an arm never completed
   * anything.
   */
  readonly ratio: Interval | null;
  /** Permutation p-value of the log ratios, of the rounds up to the last look; 1 without one. */
  readonly p: number;
  /** Figures from 0 to infinite. Empty where `ratio` is null. */
  readonly series: RoundSeries;
}

/**
 * Pairs two arms by round and takes `other / base` in each. Rounds that only one of them has, or in which both completed
 * nothing, make no ratio and are left out. An arm that completed nothing in any round was not measured.
 *
 * @param base figures from 0 to infinite; `worst` in a round in which the arm completed nothing
 */
export function pairedRatio(
  base: RoundSeries,
  other: RoundSeries,
  of: Pick<Figure, 'mayBeZero'> = {},
): PairedRatio {
  const common = [...base.byRound.keys()].filter(round => other.byRound.has(round));
  const areMeasured = [base, other].every(arm =>
    common.some(round => isMeasured(arm.byRound.get(round), of)),
  );
  const series = areMeasured
    ? other.over(base)
    : new RoundSeries([], commonPlan([base.planned, other.planned]));
  return {
    ratio: series.size === 0 ? null : series.interval(),
    get p() {
      return signFlipP(series.values.slice(0, series.roundsCounted).map(Math.log));
    },
    series,
  };
}

/** Whether a figure is better than that of an arm that completed nothing. */
export const isMeasured = (figure = Number.NaN, { mayBeZero }: Pick<Figure, 'mayBeZero'> = {}) =>
  (figure > 0 || (figure === 0 && mayBeZero === true)) && figure < Number.POSITIVE_INFINITY;

/**
 * Two-sided sign-flip permutation test (Fisher, 1935) of differences against 0: the fraction of all 2ⁿ ways to choose
 * their signs whose sum is at least as far from 0 as the one observed. Exact up to 30 differences, above that from
 * 10,000 seeded samples, the observed signs counted among them. An infinite difference counts as larger than all finite
 * ones together. The smallest p that n rounds can give is 2/2ⁿ: 0.0625 with 5.
 */
export function signFlipP(given: readonly number[], seed = 1): number {
  const finite = given.filter(Number.isFinite);
  const beyond = 1 + 2 * finite.reduce((sum, difference) => sum + Math.abs(difference), 0);
  const differences = given.map(difference => Math.min(beyond, Math.max(-beyond, difference)));
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const size = differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  // Sums that are equal but for the order of their terms must count as equal.
  const limit = observed - size * 1e-12;
  if (limit <= 0) return 1;
  if (differences.length <= exactPairs) return countAbove(differences, limit) / 2 ** (differences.length - 1);

  const random = seededRandom(seed);
  let asFar = 0;
  for (let sample = 0; sample < resamples; sample++) {
    let sum = 0;
    let signs = 0;
    for (let index = 0; index < differences.length; index++) {
      const difference = differences[index] as number;
      // 32 signs at a draw: this is asked for every pair of a run, at every look.
      signs = index % 32 === 0 ? Math.floor(random() * 2 ** 32) : signs >>> 1;
      sum += (signs & 1) === 0 ? -difference : difference;
    }
    if (Math.abs(sum) >= limit) asFar++;
  }
  return (asFar + 1) / (resamples + 1);
}

/**
 * How many ways to choose the signs make a sum of `limit` or more. The sums of either half are sorted. For each sum of
 * the first half, in ascending order, those of the second that are large enough are the same as before and some more
 * (Horowitz and Sahni, 1974): 2^(n/2) steps where all sums would take 2ⁿ, which is seconds for each round of a long run.
 */
function countAbove(differences: readonly number[], limit: number): number {
  const half = differences.length >>> 1;
  const ascending = sumsWithEitherSign(differences.slice(0, half));
  const others = sumsWithEitherSign(differences.slice(half));
  let count = 0;
  let first = others.length;
  for (const sum of ascending) {
    while (first > 0 && sum + (others[first - 1] as number) >= limit) first--;
    count += others.length - first;
  }
  return count;
}

/** Ascending; equal ones as often as they can be made. */
function sumsWithEitherSign(values: readonly number[]): Float64Array {
  let sums = Float64Array.of(0);
  for (const value of values) {
    const step = Math.abs(value);
    const next = new Float64Array(sums.length * 2);
    let lower = 0;
    for (let upper = 0; upper < sums.length; ) {
      const less = (sums[lower] ?? Number.POSITIVE_INFINITY) - step;
      const more = (sums[upper] as number) + step;
      next[lower + upper] = Math.min(less, more);
      if (less <= more) lower++;
      else upper++;
    }
    sums = next;
  }
  return sums;
}
