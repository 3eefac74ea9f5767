import type { KeyRange } from '../contract.ts';
import { StripSampler, zipfianStrips } from './samplers.ts';

/**
 * The records of a workload that inserts, as one pool sees them: those that were there before the load, and at most as
 * many more. Seeded; makes no garbage.
 */
export interface Records {
  /** The record of the next insert. */
  add(): number;
  /** The record of the next read or scan. */
  choose(): number;
  /** The outcome of this record's insert is known, whatever it is. */
  settle(record: number): void;
  /** Inserts so far. */
  readonly added: number;
}

/**
 * Records of which the newest are read most often: the r-th newest exactly in proportion to 1 / r^exponent, however many
 * there are at the time. A record is a key. A pool has its own keys, and as many places for inserted ones. When all places
 * are full, the next insert overwrites the oldest record.
 *
 * As in YCSB (AcknowledgedCounterGenerator) a record can be read once its insert and all earlier ones have their outcome:
 * a read could otherwise overtake the insert, and find nothing.
 */
export class LatestRecords implements Records {
  readonly #own: KeyRange;
  readonly #firstInserted: number;
  readonly #places: number;
  readonly #ranks: StripSampler;
  /** Inserts so far, and how many of them, from the first on, are settled. */
  #added = 0;
  #settled = 0;
  /** For each place: whether its insert is settled while an earlier one is not. */
  readonly #early: Uint8Array;

  /** @param firstInserted number of the key that the pool inserts first */
  constructor(own: KeyRange, firstInserted: number, exponent: number, seed: number) {
    this.#own = own;
    this.#firstInserted = firstInserted;
    this.#places = 2 * own.keys;
    this.#ranks = new StripSampler(zipfianStrips(this.#places, exponent), seed);
    this.#early = new Uint8Array(this.#places);
  }

  add(): number {
    return this.#keyAt((this.#own.keys + this.#added++) % this.#places);
  }

  choose(): number {
    const there = this.#own.keys + this.#settled;
    let rank: number;
    do rank = this.#ranks.draw();
    while (rank >= there);
    return this.#keyAt((there - 1 - rank) % this.#places);
  }

  /** An insert that is never settled holds up later ones until another insert takes its place. */
  settle(record: number): void {
    this.#early[this.#placeOf(record)] = 1;
    for (;;) {
      const oldestOpen = (this.#own.keys + this.#settled) % this.#places;
      if (this.#settled === this.#added || this.#early[oldestOpen] === 0) return;
      this.#early[oldestOpen] = 0;
      this.#settled++;
    }
  }

  get added(): number {
    return this.#added;
  }

  #keyAt(place: number): number {
    const { firstKey, keys } = this.#own;
    return place < keys ? firstKey + place : this.#firstInserted + place - keys;
  }

  #placeOf(key: number): number {
    const { firstKey, keys } = this.#own;
    return key >= this.#firstInserted ? keys + key - this.#firstInserted : key - firstKey;
  }
}

/**
 * The places of records in an index: each of 2 × `keys` records has another score, from 0 on without gaps. Consecutive
 * records are scattered evenly, so that inserted ones lie between those that were there before.
 */
export class IndexOrder {
  readonly #size: number;
  readonly #step: number;

  constructor(keys: number) {
    this.#size = 2 * keys;
    this.#step = coprimeTo(this.#size);
  }

  scoreOf(record: number): number {
    // Below 2^53 even with the maximum of keys, 10^8.
    return (record * this.#step) % this.#size;
  }
}

/** Near the golden section, whose multiples divide a circle evenly. */
function coprimeTo(size: number): number {
  let step = Math.max(1, Math.round(size * (Math.sqrt(5) / 2 - 0.5)));
  while (greatestCommonDivisor(step, size) !== 1) step++;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Records that are members of one sorted set, which all pools share, and are known by their scores. Scans begin at records
 * that were there before the load, drawn by Zipf's law. Each pool inserts as many records as it has keys, and then starts
 * again with the first of them.
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
