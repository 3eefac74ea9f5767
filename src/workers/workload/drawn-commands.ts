import type { Batch } from '../../pool/batch.ts';
import { Prng } from '../prng.ts';
import { AliasTable } from './alias-table.ts';
import type { CommandChooser } from './command-chooser.ts';

/** Commands drawn one by one, in proportion to their weights. */
export class DrawnCommands implements CommandChooser {
  readonly #table: AliasTable;
  readonly #prng: Prng;
  #drawn = new Uint32Array(0);

  constructor(weights: readonly number[], seed: number) {
    this.#table = new AliasTable(weights);
    this.#prng = new Prng(seed);
  }

  choose(batch: Batch): void {
    const command = batch.ownCommands();
    const size = command.length;
    if (this.#drawn.length < size) this.#drawn = new Uint32Array(size);
    this.#prng.drawInto(this.#drawn, size);
    for (let i = 0; i < size; i++) command[i] = this.#table.pick(this.#drawn[i] as number);
  }
}
