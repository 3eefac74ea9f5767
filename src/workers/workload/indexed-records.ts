import type { KeyRange } from './key-range.ts';
import type { Records } from './records.ts';
import { StripSampler } from './strip-sampler.ts';
import { zipfianStrips } from './zipfian-strips.ts';

/**
 * Where in an index a record stands: its score, another one for each of 2 × `keys` records, from 0 on without gaps. Records
 * that follow one another are scattered evenly, so that inserted ones come to lie between those that were there before.
 */
export class IndexOrder {
  readonly #size: number;
  readonly #step: number;

  constructor(keys: number) {
    this.#size = 2 * keys;
    this.#step = coprimeTo(this.#size);
  }

  scoreOf(record: number): number {
    // Below 2^53 with the most keys that there can be, 10^8.
    return (record * this.#step) % this.#size;
  }
}

/** Near the golden section, whose multiples divide a circle most evenly. */
function coprimeTo(size: number): number {
  let step = Math.max(1, Math.round(size * (Math.sqrt(5) / 2 - 0.5)));
  while (greatestCommonDivisor(step, size) !== 1) step++;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Records that are the members of one sorted set, of all pools together, and are known by their scores. Scans begin at
 * those that were there before the load, zipfian. Each pool has room for as many inserted ones as it has keys; when
 * that is full, it inserts the first of them again.
 */
export class IndexedRecords implements Records {
  readonly #order: IndexOrder;
  readonly #starts: StripSampler;
  readonly #firstInserted: number;
  readonly #room: number;
  #added = 0;

  /**
   * @param own the pool's part of the keys
   * @param keys of all pools together
   */
  constructor(own: KeyRange, keys: number, exponent: number, seed: number) {
    this.#order = new IndexOrder(keys);
    this.#starts = new StripSampler(zipfianStrips(keys, exponent), seed);
    this.#firstInserted = keys + own.firstKey;
    this.#room = own.keys;
  }

  add(): number {
    return this.#order.scoreOf(this.#firstInserted + (this.#added++ % this.#room));
  }

  choose(): number {
    return this.#order.scoreOf(this.#starts.draw());
  }

  settle(): void {}

  get added(): number {
    return this.#added;
  }
}
