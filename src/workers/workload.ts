import { type Batch, type CommandSet, KEY } from '../pool/batch.ts';
import { mixSeed, Prng } from './prng.ts';

/** Indices into the workload's CommandSet. */
const GET = 0;
const SET = 1;

const printable = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';

/** The commands of the workload: GET, and SET of one seeded value of printable characters. */
export function commandSet(keyPrefix: string, valueBytes: number, seed: number): CommandSet {
  return {
    keyPrefix,
    commands: [
      { name: 'GET', args: [KEY] },
      { name: 'SET', args: [KEY, randomValue(valueBytes, seed)] },
    ],
  };
}

/** A value of `bytes` printable ASCII characters; the same seed gives the same value. */
export function randomValue(bytes: number, seed: number): string {
  const prng = new Prng(mixSeed(seed, bytes));
  let value = '';
  for (let i = 0; i < bytes; i++) value += printable[prng.draw() & 63];
  return value;
}

/** Draws the operations of one pool's workers: keys uniform over the pool's own range, reads by their share. */
export class Workload {
  readonly #prng: Prng;
  /** Two draws for each operation of the largest batch so far: workers with smaller ones may share the workload. */
  #drawn = new Uint32Array(0);
  readonly #firstKey: number;
  readonly #keys: number;
  /** A draw below this is a read. */
  readonly #readBelow: number;

  constructor(keys: { readonly firstKey: number; readonly keys: number }, readShare: number, seed: number) {
    this.#prng = new Prng(seed);
    this.#firstKey = keys.firstKey;
    this.#keys = keys.keys;
    this.#readBelow = readShare * 2 ** 32;
  }

  fill(batch: Batch): void {
    const { command, key } = batch;
    const draws = 2 * command.length;
    if (this.#drawn.length < draws) this.#drawn = new Uint32Array(draws);
    const drawn = this.#drawn;
    this.#prng.drawInto(drawn, draws);
    const scale = this.#keys / 2 ** 32;
    for (let i = 0; i < command.length; i++) {
      command[i] = (drawn[2 * i] as number) < this.#readBelow ? GET : SET;
      key[i] = this.#firstKey + Math.floor((drawn[2 * i + 1] as number) * scale);
    }
  }
}
