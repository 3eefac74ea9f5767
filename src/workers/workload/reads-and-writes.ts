import type { Batch } from '../../pool/batch.ts';
import { Prng } from '../prng.ts';
import type { KeyRange } from './key-range.ts';
import type { Workload } from './workload.ts';

/** One read and one write, keys even over the range: what is asked most often, and so the leanest. */
export class ReadsAndWrites implements Workload {
  readonly stride = 1;
  readonly #prng: Prng;
  /** Two draws for each operation of the largest batch so far: workers with smaller ones may share the workload. */
  #drawn = new Uint32Array(0);
  readonly #firstKey: number;
  readonly #keys: number;
  /** A draw below this is the first command. */
  readonly #firstBelow: number;

  /** @param firstShare share of the first command of two */
  constructor(keys: KeyRange, firstShare: number, seed: number) {
    this.#prng = new Prng(seed);
    this.#firstKey = keys.firstKey;
    this.#keys = keys.keys;
    this.#firstBelow = firstShare * 2 ** 32;
  }

  fill(batch: Batch): void {
    const { command, numbers } = batch;
    const draws = 2 * command.length;
    if (this.#drawn.length < draws) this.#drawn = new Uint32Array(draws);
    const drawn = this.#drawn;
    this.#prng.drawInto(drawn, draws);
    const scale = this.#keys / 2 ** 32;
    for (let i = 0; i < command.length; i++) {
      command[i] = (drawn[2 * i] as number) < this.#firstBelow ? 0 : 1;
      numbers[i] = this.#firstKey + Math.floor((drawn[2 * i + 1] as number) * scale);
    }
  }
}
