import type { Batch } from '../../pool/batch.ts';
import { Prng } from '../prng.ts';
import type { KeyRange } from './key-range.ts';
import type { Workload } from './workload.ts';

const leastDrawn = 1024;

/** One read and one write, keys even over the range: what is asked most often, and so the leanest. */
export class ReadsAndWrites implements Workload {
  readonly stride = 1;
  readonly #prng: Prng;
  /** Draws made beforehand, and the next of them: each operation takes two. Many at a time cost the least. */
  #drawn = new Uint32Array(leastDrawn);
  #next = leastDrawn;
  readonly #firstKey: number;
  readonly #keys: number;
  /** A draw whose upper 31 bits are below this is the first command. */
  readonly #firstBelow: number;

  /** @param firstShare share of the first command of two */
  constructor(keys: KeyRange, firstShare: number, seed: number) {
    this.#prng = new Prng(seed);
    this.#firstKey = keys.firstKey;
    this.#keys = keys.keys;
    this.#firstBelow = Math.round(firstShare * 2 ** 31);
  }

  fill(batch: Batch): void {
    const { command, numbers } = batch;
    if (this.#next + 2 * command.length > this.#drawn.length) this.#drawMore(2 * command.length);
    const drawn = this.#drawn;
    let next = this.#next;
    const scale = this.#keys / 2 ** 32;
    const firstBelow = this.#firstBelow;
    for (let i = 0; i < command.length; i++) {
      // The sign of a difference: a comparison would be a branch that the CPU cannot predict.
      command[i] = 1 - ((((drawn[next++] as number) >>> 1) - firstBelow) >>> 31);
      numbers[i] = this.#firstKey + Math.floor((drawn[next++] as number) * scale);
    }
    this.#next = next;
  }

  /** What is left comes first: how operations are put into batches makes no difference to them. */
  #drawMore(wanted: number): void {
    const left = this.#drawn.subarray(this.#next);
    if (wanted > this.#drawn.length) this.#drawn = new Uint32Array(2 * wanted);
    this.#drawn.set(left);
    this.#prng.drawInto(this.#drawn.subarray(left.length));
    this.#next = 0;
  }
}
