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
    // What is left differs from 1 by rounding only, unless its weight is none at all.
    for (const index of [...small, ...large]) own[index] = 1;
  }

  /** The index that a draw, a whole number from 0 to 2³² − 1, falls on. */
  pick(draw: number): number {
    const place = (draw * this.#size) / 2 ** 32;
    const index = Math.floor(place);
    return place - index < (this.#own[index] as number) ? index : (this.#alias[index] as number);
  }
}
