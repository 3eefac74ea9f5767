import type { Interval } from './result.ts';
import { defaultSeed, geometricMean, medianInterval, resamples, seededRandom } from './statistics.ts';

/** Up to this many pairs the permutation test looks at every combination of signs. */
const exactPairs = 16;

/** Ratios of one arm to another, each made within one round. */
export interface PairedRatio {
  /** Median ratio and its interval over the rounds; null without a common round. */
  readonly ratio: Interval | null;
  /** Permutation p-value of the log ratios; 1 without a common round. */
  readonly p: number;
  readonly byRound: ReadonlyMap<number, number>;
}

/**
 * Pairs two arms by round and takes `other / base` in each. Rounds that only one of them has, or in which a value is
 * not above 0, make no ratio and are left out.
 */
export function pairedRatio(
  base: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
  seed = defaultSeed,
): PairedRatio {
  const byRound = new Map<number, number>();
  for (const [round, value] of [...base].toSorted(([a], [b]) => a - b)) {
    const otherValue = other.get(round) ?? 0;
    if (value > 0 && otherValue > 0) byRound.set(round, otherValue / value);
  }
  const ratios = [...byRound.values()];
  return {
    ratio: ratios.length === 0 ? null : medianInterval(ratios, seed),
    p: signFlipP(ratios.map(Math.log), seed),
    byRound,
  };
}

/** For each round that all of the ratios have, in order: their geometric mean. */
export function combineByRound(ratios: readonly PairedRatio[]): number[] {
  const [first, ...others] = ratios;
  const rounds = [...(first?.byRound.keys() ?? [])].filter(round =>
    others.every(other => other.byRound.has(round)),
  );
  return rounds.map(round => geometricMean(ratios.flatMap(ratio => ratio.byRound.get(round) ?? [])));
}

/**
 * Two-sided sign-flip permutation test (Fisher, 1935) of differences against 0: the share of all 2ⁿ ways to choose
 * their signs whose sum is at least as far from 0 as the one observed. Exact up to 16 differences, above that from
 * 10,000 seeded samples, the observed signs counted among them. The smallest p that n rounds can give is 2/2ⁿ: 0.0625 with 5.
 */
export function signFlipP(differences: readonly number[], seed = defaultSeed): number {
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const size = differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  // Sums that are equal but for the order of their terms must count as equal.
  const atLeast = observed - size * 1e-12;
  const isAsFar = (negative: (index: number) => boolean) =>
    Math.abs(differences.reduce((sum, value, index) => sum + (negative(index) ? -value : value), 0)) >=
    atLeast;

  let asFar = 0;
  if (differences.length <= exactPairs) {
    // All signs turned round, a sum is as far from 0 as before: the last one can stay as it is.
    const combinations = 2 ** Math.max(0, differences.length - 1);
    for (let signs = 0; signs < combinations; signs++) {
      if (isAsFar(index => ((signs >>> index) & 1) === 1)) asFar++;
    }
    return asFar / combinations;
  }
  const random = seededRandom(seed);
  for (let sample = 0; sample < resamples; sample++) {
    if (isAsFar(() => random() < 0.5)) asFar++;
  }
  return (asFar + 1) / (resamples + 1);
}
