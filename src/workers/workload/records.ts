import type { KeyRange } from '../contract.ts';
import { StripSampler, zipfianStrips } from './samplers.ts';

/**
 * The records of a workload that adds some while it runs, as one pool sees them: those that were there before the load,
 * and as many more at most. Seeded; makes no garbage.
 */
export interface Records {
  /** The record of the next insert. */
  add(): number;
  /** The record of the next read or scan. */
  choose(): number;
  /** The insert of this record has its outcome, whatever that is. */
  settle(record: number): void;
  /** Inserts so far. */
  readonly added: number;
}

/**
 * Records of which the newest are read most: the r-th newest in proportion to 1 / r^exponent, exactly, however many there
 * are at the time. A record is a key; those of a pool are its own keys and behind them its part of the room for inserted
 * ones. When that is full, the next one overwrites the oldest.
 *
 * As in YCSB (AcknowledgedCounterGenerator) an insert counts from its outcome on, and not before all earlier ones: a
 * read of one that is still on its way would overtake it now and then, and find nothing.
 */
export class LatestRecords implements Records {
  readonly #own: KeyRange;
  readonly #firstInserted: number;
  readonly #places: number;
  readonly #ranks: StripSampler;
  /** Inserts so far, and how many of them, from the first on, are settled. */
  #added = 0;
  #settled = 0;
  /** Of each place, whether its insert is settled while an earlier one is not. */
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

  /** One that never comes here holds up those behind it, until another insert has taken its place. */
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
