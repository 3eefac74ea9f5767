import { Prng } from '../prng.ts';

/** Chooses the keys of operations. Seeded; makes no garbage. */
export interface KeyChooser {
  /** Fills the first `count` of `keys` with key numbers. Which numbers come does not depend on the sizes of the calls. */
  drawInto(keys: Uint32Array, count: number): void;
}

const kept = 256;

/** Single keys at the price of draws in a large call. */
export class KeyDraws {
  readonly #chooser: KeyChooser;
  readonly #drawn = new Uint32Array(kept);
  #next = kept;

  constructor(chooser: KeyChooser) {
    this.#chooser = chooser;
  }

  next(): number {
    if (this.#next === kept) {
      this.#chooser.drawInto(this.#drawn, kept);
      this.#next = 0;
    }
    return this.#drawn[this.#next++] as number;
  }
}

/** Single random numbers at the price of draws in a large call. */
export class Draws {
  readonly #prng: Prng;
  readonly #drawn = new Uint32Array(kept);
  #next = kept;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  /** A whole number from 0 to 2³² − 1. */
  next(): number {
    if (this.#next === kept) {
      this.#prng.drawInto(this.#drawn);
      this.#next = 0;
    }
    return this.#drawn[this.#next++] as number;
  }

  /** A whole number from `from` to `to`. */
  between({ from, to }: { readonly from: number; readonly to: number }): number {
    return from + Math.floor((this.next() / 2 ** 32) * (to - from + 1));
  }
}

/**
 * Draws indices in proportion to their weights, each by one random number and one look into a table, however many there
 * are: the alias method of A. J. Walker (1977), with the tables made as M. D. Vose (1991) does it.
 */
export class AliasTable {
  readonly #size: number;
  /** A draw that falls into the cell of an index is that index up to this fraction of the cell, its alias above. */
  readonly #own: Float64Array;
  readonly #alias: Uint32Array;

  /** @param weights none negative, not all zero */
  constructor(weights: readonly number[]) {
    const size = weights.length;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (!(sum > 0) || weights.some(weight => weight < 0))
      throw new RangeError('Expected weights of 0 and more, not all of them 0');
    this.#size = size;
    this.#own = Float64Array.from(weights, weight => (weight * size) / sum);
    this.#alias = Uint32Array.from(weights, (_, index) => index);
    const own = this.#own;
    const small: number[] = [];
    const large: number[] = [];
    for (let index = 0; index < size; index++) ((own[index] as number) < 1 ? small : large).push(index);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() as number;
      const more = large[large.length - 1] as number;
      this.#alias[less] = more;
      own[more] = (own[more] as number) + (own[less] as number) - 1;
      if ((own[more] as number) >= 1) continue;
      large.pop();
      small.push(more);
    }
    // These differ from 1 by rounding only, or have a weight of 0.
    for (const index of [...small, ...large]) own[index] = 1;
  }

  /** The index that a draw, a whole number from 0 to 2³² − 1, falls on. */
  pick(draw: number): number {
    const place = (draw * this.#size) / 2 ** 32;
    const index = Math.floor(place);
    return place - index < (this.#own[index] as number) ? index : (this.#alias[index] as number);
  }
}

/** Neighbouring numbers `first` … `first + width - 1`, over which the weight is monotonic. */
interface Strip {
  readonly first: number;
  readonly width: number;
}

/** A distribution over whole numbers, cut into strips. */
interface Strips {
  readonly strips: readonly Strip[];
  /** The weight of a number, of any scale. */
  readonly weight: (number: number) => number;
}

/**
 * Draws exactly from a distribution that is given by its weights, in constant time, and with a table of strips instead of
 * numbers: a strip is drawn by its width times its largest weight, a number within it evenly, and then
 * accepted with the ratio of its weight to the largest (rejection from a piecewise constant envelope; L. Devroye,
 * Non-Uniform Random Variate Generation, 1986, chapters II.3 and VIII). A draw below the ratio of the strip's smallest
 * weight to its largest is accepted without computing a weight, which is nearly every draw where strips are narrow.
 */
export class StripSampler implements KeyChooser {
  readonly #draws: Draws;
  readonly #table: AliasTable;
  readonly #first: Uint32Array;
  readonly #width: Uint32Array;
  readonly #highest: Float64Array;
  /** A draw below this is accepted for every number of the strip: 2³² × smallest weight / largest weight. */
  readonly #surelyBelow: Float64Array;
  readonly #weight: (number: number) => number;

  constructor({ strips, weight }: Strips, seed: number) {
    const ends = strips.map(({ first, width }) => [weight(first), weight(first + width - 1)] as const);
    const highest = ends.map(([a, b]) => Math.max(a, b));
    this.#draws = new Draws(seed);
    this.#table = new AliasTable(strips.map(({ width }, index) => width * (highest[index] as number)));
    this.#first = Uint32Array.from(strips, ({ first }) => first);
    this.#width = Uint32Array.from(strips, ({ width }) => width);
    this.#highest = Float64Array.from(highest);
    this.#surelyBelow = Float64Array.from(
      ends,
      ([a, b]) => (Math.min(a, b) / Math.max(a, b, Number.MIN_VALUE)) * 2 ** 32,
    );
    this.#weight = weight;
  }

  drawInto(keys: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) keys[i] = this.draw();
  }

  draw(): number {
    const draws = this.#draws;
    for (;;) {
      const strip = this.#table.pick(draws.next());
      const first = this.#first[strip] as number;
      const width = this.#width[strip] as number;
      if (width === 1) return first;
      const number = first + Math.floor((draws.next() * width) / 2 ** 32);
      const height = draws.next();
      if (height < (this.#surelyBelow[strip] as number)) return number;
      if (height * (this.#highest[strip] as number) < this.#weight(number) * 2 ** 32) return number;
    }
  }
}

/** So many of the hottest keys have strips of their own. */
const single = 1024;
/** Each strip of other keys is wider than the last by this fraction, so that weights within one differ by about 2 %. */
const growth = 0.02;

/**
 * Zipf's law: the key of rank r, from 1, is drawn in proportion to 1 / r^exponent. Rank 1 is key 0, so the hottest keys are
 * neighbours by number. Servers hash the names, so scattering them would change nothing.
 */
export function zipfianStrips(keys: number, exponent: number): Strips {
  const strips: Strip[] = [];
  for (let first = 0; first < keys; ) {
    const wanted = first < single ? 1 : Math.floor(first * growth);
    const width = Math.min(wanted, keys - first);
    strips.push({ first, width });
    first += width;
  }
  return { strips, weight: number => (number + 1) ** -exponent };
}

/** No draw of 32 bits is further from the mean than this many standard deviations. */
const reach = 8;
/** Strips on either side of the mean. */
const perSide = 512;

/**
 * The smallest useful spread: half a key, or the usual tenth of very few keys. With less, nearly all draws are of the
 * middle key; and with much less, the two in the middle of an even number are so many standard deviations away that their
 * weights are 0.
 */
export function minSpread(keys: number): number {
  return Math.min(0.1, 0.5 / keys);
}

/**
 * The normal distribution around the middle key, cut off at the first and the last one.
 *
 * @param spread the standard deviation as a fraction of the keys, at least {@link minSpread}
 */
export function gaussianStrips(keys: number, spread: number): Strips {
  const mean = (keys - 1) / 2;
  const deviation = spread * keys;
  const lowest = Math.max(0, Math.floor(mean - reach * deviation));
  const highest = Math.min(keys - 1, Math.ceil(mean + reach * deviation));
  const middle = Math.floor(mean);
  const strips = [...cut(lowest, middle), ...cut(middle + 1, highest)];
  return { strips, weight: number => Math.exp(-(((number - mean) / deviation) ** 2) / 2) };
}

/** The numbers from `first` to `last` in strips of one width; the last one may be narrower. */
function cut(first: number, last: number): Strip[] {
  const width = Math.ceil((last - first + 1) / perSide);
  const strips: Strip[] = [];
  for (let at = first; at <= last; at += width) {
    strips.push({ first: at, width: Math.min(width, last - at + 1) });
  }
  return strips;
}
