import { Prng } from '../prng.ts';
import type { KeyChooser } from './key-chooser.ts';
import type { KeyRange } from './key-range.ts';

/** Every key of the range as often as any other. */
export class UniformKeys implements KeyChooser {
  readonly #prng: Prng;
  readonly #range: KeyRange;

  constructor(range: KeyRange, seed: number) {
    this.#prng = new Prng(seed);
    this.#range = range;
  }

  drawInto(keys: Uint32Array, count: number): void {
    this.#prng.drawRange(keys, count, this.#range.firstKey, this.#range.keys);
  }
}
