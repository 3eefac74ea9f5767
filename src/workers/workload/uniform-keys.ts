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
    const { firstKey } = this.#range;
    const scale = this.#range.keys / 2 ** 32;
    this.#prng.drawInto(keys, count);
    for (let i = 0; i < count; i++) keys[i] = firstKey + Math.floor((keys[i] as number) * scale);
  }
}
