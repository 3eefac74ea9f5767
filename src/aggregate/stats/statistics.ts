/** A median with its interval, which is that of `medianInterval`. */
export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** With fewer rounds no interval allows a verdict, and no round is an outlier. */
export const minRounds = 5;

/** A ratio above `clearlyMore` is a gain, one below `clearlyLess` a loss. What lies between is not worth a change. */
export const clearlyMore = 1.05;
export const clearlyLess = 0.95;

/** Resamples of a bootstrap and of a sampled permutation test. Fixed, so that figures repeat. */
export const resamples = 10_000;
/** What an interval of 5 values or more covers at least: as much as the widest interval of 5 does, 1 − 2/2⁵. */
const minCoverage = 0.9375;
/** The same rounds give the same interval in every run. */
export const defaultSeed = 1;

/**
 * The value below which a fraction `q` (0 to 1) of the values lies, interpolated between neighbours (type 7 of Hyndman
 * and Fan, 1996; the default of R and NumPy). NaN without values.
 */
export function quantile(values: readonly number[], q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

function quantileOfSorted(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  // No arithmetic between equals: it would leave a rounding error in a value that is known exactly.
  return below === above ? below : below + (above - below) * (position - Math.floor(position));
}

/** NaN without values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of what is known; null if nothing is. */
export function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : median(known);
}

/** The nth root of the product, by logarithms. Values must be above 0. NaN without values. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/**
 * A small generator of 32 bits (mulberry32, Tommy Ettinger): uniform in [0, 1), the same for the same seed. It is not
 * the `Prng` of src/workers, which draws keys and arrivals: aggregate imports no code of theirs, and with other draws
 * every interval that was ever published would change in its last digits.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/**
 * The median with a seeded percentile bootstrap interval (Efron, 1979; 2.5 % to 97.5 % of 10,000 resamples), which is
 * never narrower than that of the sign test: the bootstrap alone is too narrow for few values (with 7 it runs from the
 * second lowest to the second highest and covers 87.5 %), so that more rounds would make a verdict easier.
 *
 * Where the values are independent, the interval covers the true median with at least 93.75 %, with n < 5 values
 * (then it is [min, max], as it is up to 8) with 1 − 2^(1−n): see `coverageOf`.
 *
 * @throws RangeError without values
 */
export function medianInterval(values: readonly number[], seed = defaultSeed): Interval {
  if (values.length === 0)
    throw new RangeError('Expected at least one value to take the median of, found none');
  const sorted = Float64Array.from(values).sort();
  const medians = resampleMedians(sorted.length, seed)
    .map(({ lower, upper, count }) => ({ value: midpoint(sorted[lower], sorted[upper]), count }))
    .sort((a, b) => a.value - b.value);
  const { cut } = signTest(sorted.length);
  return {
    median: quantileOfSorted(sorted, 0.5),
    low: Math.min(quantileOfCounted(medians, 0.025), sorted[cut] ?? Number.NaN),
    high: Math.max(quantileOfCounted(medians, 0.975), sorted.at(-1 - cut) ?? Number.NaN),
  };
}

/** Min probability, 0 to 1, with which the interval of `count` independent values covers the true median. */
export function coverageOf(count: number): number {
  return Math.max(0, Math.min(minCoverage, 1 - 2 ** (1 - count)));
}

/**
 * How often, 0 to 1, at least one verdict of `comparisons` is false by chance, at most: each says that the interval of
 * `rounds` rounds lies clear of a threshold on one side of it, where the truth is on the other side or just there. One
 * does so in at most 1/2ⁿ of runs with n = 5 to 8 rounds, in 10/512 with 9, in 12/2048 with 11 (the sign test). For
 * several the chances are added up (Bonferroni), which holds however the comparisons depend on one another; never
 * above 1. A claim that is judged on both sides of a threshold makes two comparisons.
 */
export function falseVerdictChance(rounds: number, comparisons: number): number {
  return Math.min(1, comparisons * signTest(rounds).error);
}

/**
 * How many of `count` values may be left out at either end so that the rest still spans the true median with 93.75 %:
 * the number of values below it is binomial with p = ½ (the sign test; Thompson, 1936). `error` is the probability that
 * all that is left lies above the median, and the same that it lies below.
 */
function signTest(count: number): { readonly cut: number; readonly error: number } {
  // The binomial's first term; a config's 1000 rounds do not let it underflow.
  let term = 2 ** -count;
  let error = term;
  let cut = 0;
  while (cut < count / 2) {
    term *= (count - cut) / (cut + 1);
    // The probability that at most cut + 1 values lie below, and the same that so many lie above.
    const next = error + term;
    if (1 - 2 * next < minCoverage) break;
    error = next;
    cut++;
  }
  return { cut, error };
}

function midpoint(lower = Number.NaN, upper = Number.NaN): number {
  return lower === upper ? lower : (lower + upper) / 2;
}

function quantileOfCounted(sorted: readonly { value: number; count: number }[], q: number): number {
  let seen = 0;
  for (const { value, count } of sorted) {
    seen += count;
    if (seen >= q * resamples) return value;
  }
  return Number.NaN;
}

/** How many resamples have their median halfway between these two of the sorted values, by index. */
interface ResampledMedian {
  readonly lower: number;
  readonly upper: number;
  count: number;
}

/** Which values are drawn depends on their number and the seed alone, so it is drawn once for all intervals. */
const resampledMedians = new Map<string, ResampledMedian[]>();

function resampleMedians(size: number, seed: number): ResampledMedian[] {
  const key = `${size} ${seed}`;
  const known = resampledMedians.get(key);
  if (known) return known;
  const random = seededRandom(seed);
  const medians = new Map<number, ResampledMedian>();
  const drawn = new Uint32Array(size);
  for (let resample = 0; resample < resamples; resample++) {
    for (let draw = 0; draw < size; draw++) drawn[draw] = Math.floor(random() * size);
    drawn.sort();
    const lower = drawn[Math.floor((size - 1) / 2)] ?? 0;
    const upper = drawn[Math.floor(size / 2)] ?? 0;
    const median = medians.get(lower * size + upper) ?? { lower, upper, count: 0 };
    median.count++;
    medians.set(lower * size + upper, median);
  }
  const counted = [...medians.values()];
  resampledMedians.set(key, counted);
  return counted;
}
