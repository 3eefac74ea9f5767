import { Draws } from './draws.ts';
import type { KeyChooser } from './key-chooser.ts';

/** A share of the operations goes to a share of the keys, the first ones, the rest to the others; even within both. */
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
