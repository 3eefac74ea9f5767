import type { KeyChoice } from '../../../workers/contract.ts';
import { streamSeed } from '../../../workers/prng.ts';
import { openKeyChooser } from '../../../workers/workload/keys.ts';
import { zipfianStrips } from '../../../workers/workload/samplers.ts';

/** A choice of keys whose accesses are similar to those of a recording. */
export interface Popularity {
  readonly choice: KeyChoice;
  readonly keys: number;
  /** Rank-frequency distance between the recorded accesses and the same number of drawn accesses. */
  readonly distance: number;
}

/** Max accesses that are analysed: more take longer. */
const maxAccesses = 50_000;
/** If the recording has few accesses, they are drawn repeatedly up to this number, because a single draw varies much. */
const enoughDrawn = 20_000;
/** Fewer accesses show no popularity. */
export const minAccesses = 100;
/** Max keys: every key is written before a load. */
const maxKeys = 10_000_000;
/** If each key was seen only once, the number of keys is unknown: it is taken as at most this multiple of those seen. */
const maxUnseen = 100;
/** A simpler choice is preferred if its distance is larger by no more than this. */
const tolerance = 0.003;
/** A choice is good enough below the distance that random variation causes (about 1 / √accesses), but never above this. */
const maxGood = 0.01;

/**
 * The cumulative rank-frequency curve of accesses: element r is the fraction of accesses to the r + 1 most accessed keys. It
 * ends at 1.
 *
 * @param keys the number of a key for each access
 */
export function rankCurve(keys: Uint32Array): Float64Array {
  const counts: number[] = [];
  let last: number | undefined;
  for (const key of keys.toSorted()) {
    if (key === last) counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    else counts.push(1);
    last = key;
  }
  let sum = 0;
  return Float64Array.from(Uint32Array.from(counts).sort().reverse(), count => {
    sum += count;
    return sum / keys.length;
  });
}

/**
 * Rank-frequency distance: the largest difference of two cumulative rank-frequency curves, 0 to 1. It does not depend on
 * which key has which rank. Curves of different numbers of accesses differ more: few accesses find fewer of the rare keys.
 */
export function curveDistance(a: Float64Array, b: Float64Array): number {
  let max = 0;
  for (let rank = 0; rank < Math.max(a.length, b.length); rank++)
    max = Math.max(max, Math.abs((a[rank] ?? 1) - (b[rank] ?? 1)));
  return max;
}

/**
 * Finds the choice of keys, and their number, with accesses most similar to the recorded ones. Each candidate is tested by
 * drawing from it, because ranks of counts are biased: of equally popular keys, some occur more often by chance. The number
 * of keys is chosen so that as many accesses reach as many different keys as in the recording. It can exceed those seen.
 *
 * @param accesses the number of a key for each access, in order; at least one
 */
export function fitPopularity(accesses: Uint32Array): Popularity {
  const recorded = accesses.subarray(0, maxAccesses);
  const curve = rankCurve(recorded);
  const seen = curve.length;
  const tried = (choice: KeyChoice): Popularity => {
    const keys = keysFor(choice, seen, recorded.length);
    return { choice, keys, distance: curveDistance(curve, drawnCurve(choice, keys, recorded.length)) };
  };
  const uniform = tried({ kind: 'uniform' });
  if (recorded.length < minAccesses) return { ...uniform, keys: seen };
  const good = Math.min(maxGood, 1 / Math.sqrt(recorded.length));
  if (uniform.distance <= good) return uniform;
  const zipfian = refine(
    steps(0.1, 2.5, 0.1),
    near => steps(near - 0.09, near + 0.09, 0.01),
    exponent => tried({ kind: 'zipfian', exponent: Math.max(0.01, exponent) }),
  );
  if (zipfian.distance <= good) return zipfian;
  const hotSet = refine(
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7],
    near => [0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3].map(factor => factor * near),
    share => {
      const keyShare = Math.min(1, Number(share.toPrecision(3)));
      // The number of keys depends on the fraction of accesses to hot keys, which depends on the number of hot keys.
      const first = tried({ kind: 'hotSet', keyShare, operationShare: shareOfFirst(curve, keyShare * seen) });
      const operationShare = shareOfFirst(curve, keyShare * first.keys);
      return operationShare === shareOfFirst(curve, keyShare * seen)
        ? first
        : tried({ kind: 'hotSet', keyShare, operationShare });
    },
  );
  return [uniform, zipfian, hotSet].reduce((a, b) => (b.distance < a.distance - tolerance ? b : a));
}

/** The best of some values, then of more values near it. */
function refine(
  values: readonly number[],
  near: (value: number) => readonly number[],
  tried: (value: number) => Popularity,
): Popularity {
  const bestOf = (some: readonly number[]) =>
    some
      .map(value => ({ value, popularity: tried(value) }))
      .reduce((a, b) => (b.popularity.distance < a.popularity.distance ? b : a));
  const coarse = bestOf(values);
  const fine = bestOf(near(coarse.value)).popularity;
  return fine.distance < coarse.popularity.distance ? fine : coarse.popularity;
}

/** Numbers of two decimals. */
function steps(from: number, to: number, by: number): number[] {
  const count = Math.round((to - from) / by) + 1;
  return Array.from({ length: count }, (_, index) => Number((from + index * by).toFixed(2)));
}

/** The fraction of accesses to this many of the most accessed keys. */
function shareOfFirst(curve: Float64Array, keys: number): number {
  const share = curve[Math.min(curve.length, Math.max(1, Math.round(keys))) - 1] ?? 1;
  return Number(share.toFixed(4));
}

/** The number of keys for which this many draws are expected to find this many different keys. */
function keysFor(choice: KeyChoice, seen: number, draws: number): number {
  let low = seen;
  let high = Math.max(seen, Math.min(maxKeys, maxUnseen * seen));
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (expectedSeen(choice, middle, draws) < seen - 0.5) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The expected number of different keys in this many draws: the draws of each key are a Poisson process. */
function expectedSeen(choice: KeyChoice, keys: number, draws: number): number {
  return groupsOf(choice, keys).reduce(
    (sum, { width, share }) => sum - width * Math.expm1((-draws * share) / width),
    0,
  );
}

/** Groups of keys with equal or nearly equal popularity: the number of keys, and the fraction of all draws that they get. */
function groupsOf(choice: KeyChoice, keys: number): { width: number; share: number }[] {
  if (choice.kind === 'hotSet') {
    const hot = Math.min(keys, Math.max(1, Math.round(keys * choice.keyShare)));
    if (hot === keys) return [{ width: keys, share: 1 }];
    return [
      { width: hot, share: choice.operationShare },
      { width: keys - hot, share: 1 - choice.operationShare },
    ];
  }
  if (choice.kind !== 'zipfian') return [{ width: keys, share: 1 }];
  const { strips, weight } = zipfianStrips(keys, choice.exponent);
  const weights = strips.map(({ first, width }) => width * weight(first + (width - 1) / 2));
  const sum = weights.reduce((total, one) => total + one, 0);
  return strips.map(({ width }, index) => ({ width, share: (weights[index] ?? 0) / sum }));
}

/** The mean curve of this many accesses, drawn with the load's own choosers. */
function drawnCurve(choice: KeyChoice, keys: number, draws: number): Float64Array {
  const times = Math.max(1, Math.min(20, Math.ceil(enoughDrawn / draws)));
  const chooser = openKeyChooser(choice, { firstKey: 0, keys }, keys, streamSeed(keys, 'fittedKeys'));
  const drawn = new Uint32Array(draws);
  const curves = Array.from({ length: times }, () => {
    chooser.drawInto(drawn, draws);
    return rankCurve(drawn);
  });
  return Float64Array.from(
    { length: Math.max(...curves.map(({ length }) => length)) },
    (_, rank) => curves.reduce((sum, curve) => sum + (curve[rank] ?? 1), 0) / times,
  );
}
