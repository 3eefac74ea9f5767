import { Prng } from '../prng.ts';

const kept = 256;

/** Random numbers one by one at the price of many at a time. */
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
}
