import type { KeyRange } from './key-range.ts';
import type { Records } from './records.ts';
import { StripSampler } from './strip-sampler.ts';
import { zipfianStrips } from './zipfian-strips.ts';

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
