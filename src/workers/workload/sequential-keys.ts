import type { KeyChooser } from './key-chooser.ts';
import type { KeyRange } from './key-range.ts';

/** One key after the other, and from the first again after the last. */
export class SequentialKeys implements KeyChooser {
  readonly #range: KeyRange;
  #next = 0;

  constructor(range: KeyRange) {
    this.#range = range;
  }

  drawInto(keys: Uint32Array, count: number): void {
    const { firstKey, keys: size } = this.#range;
    for (let i = 0; i < count; i++) {
      keys[i] = firstKey + this.#next;
      this.#next = this.#next + 1 === size ? 0 : this.#next + 1;
    }
  }
}
