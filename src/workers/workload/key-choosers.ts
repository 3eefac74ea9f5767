import type { KeyChoice } from '../contract.ts';
import { Prng } from '../prng.ts';
import { Draws, gaussianStrips, type KeyChooser, StripSampler, zipfianStrips } from './samplers.ts';

/** The key numbers `firstKey` … `firstKey + keys - 1`. */
export interface KeyRange {
  readonly firstKey: number;
  readonly keys: number;
}

/** Part `index` of `parts` of a range: together they are all of it, without overlap. */
export function partOf({ firstKey, keys }: KeyRange, index: number, parts: number): KeyRange {
  const from = Math.floor((index * keys) / parts);
  const to = Math.floor(((index + 1) * keys) / parts);
  return { firstKey: firstKey + from, keys: to - from };
}

/**
 * @param own the range of the one who draws: a pool, or a worker where keys are partitioned
 * @param keys of all pools together. Where some keys are hotter than others, every pool draws from all of them: else
 *   each number of pools would be another distribution.
 */
export function openKeyChooser(choice: KeyChoice, own: KeyRange, keys: number, seed: number): KeyChooser {
  switch (choice.kind) {
    case 'uniform':
    case 'partitioned':
      return new UniformKeys(own, seed);
    case 'sequential':
      return new SequentialKeys(own);
    case 'hotSet':
      return new HotSetKeys(keys, choice, seed);
    case 'zipfian':
      return new StripSampler(zipfianStrips(keys, choice.exponent), seed);
    case 'gaussian':
      return new StripSampler(gaussianStrips(keys, choice.spread), seed);
  }
}

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

/** A fraction of the operations goes to a fraction of the keys, the first ones, the rest to the others; even within both. */
export class HotSetKeys implements KeyChooser {
  readonly #draws: Draws;
  readonly #hot: number;
  readonly #cold: number;
  /** A draw below this is of the hot keys. */
  readonly #hotBelow: number;

  constructor(
    keys: number,
    { operationShare, keyShare }: { readonly operationShare: number; readonly keyShare: number },
    seed: number,
  ) {
    this.#draws = new Draws(seed);
    this.#hot = Math.min(keys, Math.max(1, Math.round(keys * keyShare)));
    this.#cold = keys - this.#hot;
    this.#hotBelow = this.#cold === 0 ? 2 ** 32 : operationShare * 2 ** 32;
  }

  drawInto(keys: Uint32Array, count: number): void {
    const draws = this.#draws;
    const hotScale = this.#hot / 2 ** 32;
    const coldScale = this.#cold / 2 ** 32;
    for (let i = 0; i < count; i++) {
      keys[i] =
        draws.next() < this.#hotBelow
          ? Math.floor(draws.next() * hotScale)
          : this.#hot + Math.floor(draws.next() * coldScale);
    }
  }
}
