/**
 * A median with its interval: that of `medianInterval` for an arm, that of `repeatedInterval` for what is judged. Both
 * decide how many rounds it takes; with fewer, both ends are infinite, and no report shows an interval.
 */
export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Whether nothing is excluded: there were too few rounds for either end. */
export const isUnbounded = ({ low, high }: Pick<Interval, 'low' | 'high'>): boolean =>
  low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY;

/** A median of too few rounds for either end. */
export const unbounded = (median: number): Interval => ({
  median,
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
});

/** A ratio above `clearlyMore` is a gain, one below `clearlyLess` a loss. What lies between is not worth a change. */
export const clearlyMore = 1.05;
export const clearlyLess = 0.95;

/** What the interval of a ratio decides: a gain, a loss, or that it is neither; null: it stays open. */
export function changeOf({ low, high }: Pick<Interval, 'low' | 'high'>): 'more' | 'less' | 'same' | null {
  if (low > clearlyMore) return 'more';
  if (high < clearlyLess) return 'less';
  return low > clearlyLess && high < clearlyMore ? 'same' : null;
}

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

/** The largest of what is known; null if nothing is. */
export function maxOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : Math.max(...known);
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

/** The sum of an amount over items. */
export function sumOf<Item>(items: readonly Item[], amount: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}
