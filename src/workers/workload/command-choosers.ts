import type { Batch } from '../../pool/client/batch.ts';
import { Prng, shuffle } from '../prng.ts';
import { AliasTable } from './samplers.ts';

/** Chooses the commands of batches. How commands are put into batches makes no difference to them. */
export interface CommandChooser {
  choose(batch: Batch): void;
}

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

const maxOrder = 1000;

/**
 * An order in which commands can come, over and over, so that each has exactly its share: indices of the weights,
 * shuffled. Undefined where it would take more than a thousand of them.
 */
export function commandOrder(weights: readonly number[], seed: number): Uint16Array | undefined {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const countsIn = (length: number) => weights.map(weight => (weight / sum) * length);
  const comesOut = (count: number, index: number) => {
    const whole = Math.round(count);
    // What has a weight must come, however small that is.
    return Math.abs(count - whole) < 1e-9 * count || (whole === 0 && weights[index] === 0);
  };
  let shortest = 1;
  while (shortest <= maxOrder && !countsIn(shortest).every(comesOut)) shortest++;
  if (shortest > maxOrder) return undefined;
  const length = shortest * Math.floor(maxOrder / shortest);
  const commands = countsIn(length).flatMap((count, index) =>
    new Array<number>(Math.round(count)).fill(index),
  );
  return Uint16Array.from(shuffle(commands, seed));
}
