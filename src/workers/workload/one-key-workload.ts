import type { Batch } from '../../pool/batch.ts';
import type { CommandChooser } from './command-chooser.ts';
import type { KeyChooser } from './key-chooser.ts';
import type { Workload } from './workload.ts';

const leastDrawn = 1024;
/** From here on what a call of the chooser takes is nothing beside its draws. */
const largeBatch = 64;

/** Commands that have one key each, all of the same keys, and nothing else to draw: what is asked most often, and so the leanest. */
export class OneKeyWorkload implements Workload {
  readonly stride = 1;
  readonly #commands: CommandChooser;
  readonly #keys: KeyChooser;
  /** Keys drawn beforehand, and the next of them: many at a time cost the least. */
  #drawn = new Uint32Array(leastDrawn);
  #next = leastDrawn;

  constructor(commands: CommandChooser, keys: KeyChooser) {
    this.#commands = commands;
    this.#keys = keys;
  }

  fill(batch: Batch): void {
    this.#commands.choose(batch);
    const { numbers } = batch;
    // To draw them here saves the copy. Behind what is left, or the order of keys would depend on the batches.
    if (numbers.length >= largeBatch && this.#next === this.#drawn.length) {
      this.#keys.drawInto(numbers, numbers.length);
      return;
    }
    if (this.#next + numbers.length > this.#drawn.length) this.#drawMore(numbers.length);
    const drawn = this.#drawn;
    let next = this.#next;
    for (let i = 0; i < numbers.length; i++) numbers[i] = drawn[next++] as number;
    this.#next = next;
  }

  /** What is left comes first: how operations are put into batches makes no difference to them. */
  #drawMore(wanted: number): void {
    const left = this.#drawn.subarray(this.#next);
    if (wanted > this.#drawn.length) this.#drawn = new Uint32Array(2 * wanted);
    this.#drawn.set(left);
    const drawn = this.#drawn.subarray(left.length);
    this.#keys.drawInto(drawn, drawn.length);
    this.#next = 0;
  }
}
