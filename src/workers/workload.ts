import { type Batch, type CommandSet, KEY } from '../pool/batch.ts';
import { createPrng, mixSeed, type Prng } from './prng.ts';

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
  const draw = createPrng(mixSeed(seed, bytes));
  let value = '';
  for (let i = 0; i < bytes; i++) value += printable[draw() & 63];
  return value;
}

/** Draws the operations of one pool's workers: keys uniform over the pool's own range, reads by their share. */
export class Workload {
  readonly #draw: Prng;
  readonly #firstKey: number;
  readonly #keys: number;
  /** A draw below this is a read. */
  readonly #readBelow: number;

  constructor(keys: { readonly firstKey: number; readonly keys: number }, readShare: number, seed: number) {
    this.#draw = createPrng(seed);
    this.#firstKey = keys.firstKey;
    this.#keys = keys.keys;
    this.#readBelow = readShare * 2 ** 32;
  }

  fill(batch: Batch): void {
    const { command, key } = batch;
    for (let i = 0; i < command.length; i++) {
      command[i] = this.#draw() < this.#readBelow ? GET : SET;
      key[i] = this.#firstKey + Math.floor((this.#draw() / 2 ** 32) * this.#keys);
    }
  }
}
