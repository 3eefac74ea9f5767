import type { Batch } from '../../pool/batch.ts';
import type { CommandChooser } from './command-chooser.ts';

/** Commands as they come in the order of their CommandSet: nothing is drawn, and nothing copied. */
export class OrderedCommands implements CommandChooser {
  readonly #order: Uint16Array;
  #place: number;

  /** @param draw a number from 0 to 2³² − 1 that says where to begin */
  constructor(order: Uint16Array, draw: number) {
    this.#order = order;
    this.#place = draw % order.length;
  }

  choose(batch: Batch): void {
    batch.follow(this.#order, this.#place);
    this.#place = (this.#place + batch.size) % this.#order.length;
  }
}
