import type { OpenLoopTask } from './contract.ts';
import { poissonCounts } from './poisson-counts.ts';
import { Prng, scramble, seedStep } from './prng.ts';

const secondNs = 1e9;

/**
 * Iterates over the arrivals of one pool in order of time. An arrival is a batch: `pipeline` operations that are due
 * together. The schedule alone decides when, so two cursors of one pool see the same arrivals.
 */
export interface ArrivalCursor {
  /** When the next arrival is due, in nanoseconds from the start of the schedule. */
  readonly dueNs: number;
  advance(): void;
  /**
   * Passes arrivals that are due before `untilNs`, as far as it can without looking at each of them. So arrivals that cannot
   * be sent in time cost nothing.
   *
   * @returns how many
   */
  skip(untilNs: number): number;
  /** Whether arrivals come so close together that looking at each would take the thread's time. */
  readonly dense: boolean;
}

/**
 * The arrivals of one pool of a scenario.
 *
 * Arrivals at equal intervals are one schedule for all pools: arrival n goes to pool n mod pools, so that the pools are out
 * of step with one another. Random arrivals are a separate Poisson process for each pool, at its part of the rate: their
 * sum is a Poisson process of the whole rate.
 *
 * @param pool from 0, of all pools of the scenario
 * @param pipeline operations per arrival
 * @param seed draws a random schedule: the same seed gives the same arrivals
 */
export function arrivalsOf(
  { arrivals: { kind, rate, size }, pools }: OpenLoopTask,
  pool: number,
  pipeline: number,
  seed: number,
): ArrivalCursor {
  if (kind === 'poisson') return new RandomArrivals((pools * pipeline * secondNs) / rate, seed);
  const together = kind === 'burst' ? size / pipeline : 1;
  return new EvenArrivals({ pool, pools, together, gapNs: (together * pipeline * secondNs) / rate });
}

/** `together` arrivals, counted over all pools, every `gapNs`. */
class EvenArrivals implements ArrivalCursor {
  dueNs = 0;
  /** `skip` leaves at most those of the last two gaps. */
  readonly dense = false;
  #arrival: number;
  readonly #pools: number;
  readonly #together: number;
  readonly #gapNs: number;

  constructor({
    pool,
    pools,
    together,
    gapNs,
  }: { pool: number; pools: number; together: number; gapNs: number }) {
    this.#arrival = pool;
    this.#pools = pools;
    this.#together = together;
    this.#gapNs = gapNs;
    this.#plan();
  }

  advance(): void {
    this.#arrival += this.#pools;
    this.#plan();
  }

  skip(untilNs: number): number {
    // One gap less, so that no rounding error takes one too many.
    const before = (Math.floor(untilNs / this.#gapNs) - 1) * this.#together;
    const skipped = Math.max(0, Math.floor((before - this.#arrival) / this.#pools));
    if (skipped === 0) return 0;
    this.#arrival += skipped * this.#pools;
    this.#plan();
    return skipped;
  }

  /** Computed from the number of the arrival: if gaps were added up, rounding errors would add up, too. */
  #plan(): void {
    this.dueNs = Math.floor(this.#arrival / this.#together) * this.#gapNs;
  }
}

/** Length of a slot of a random schedule, unless fewer than `minSlotArrivals` come in it on average. */
const slotNs = 1e6;
const minSlotArrivals = 16;
/** Above so many arrivals in a slot they are not looked at one by one: 2 million a second. */
const maxLookedAt = 2000;

/**
 * A Poisson process, slot by slot: the number of arrivals in a slot is Poisson distributed and independent of the other
 * slots, and their times are independent and uniform in it, in order. Gaps are exponential then, and a slot whose arrivals
 * cannot be sent costs one draw.
 */
class RandomArrivals implements ArrivalCursor {
  dueNs = 0;
  readonly dense: boolean;
  readonly #slotNs: number;
  readonly #prng: Prng;
  readonly #drawCount: () => number;
  /** Number of the next slot, whose start is the end of this one. */
  #nextSlot = 0;
  /** Arrivals of this slot that are due after `dueNs`. */
  #left = 0;
  /** State of the generator of the times in this slot, which has a seed of its own: a cursor that skips times sees the same slots. */
  #times = 0;

  constructor(gapNs: number, seed: number) {
    this.#prng = new Prng(seed);
    this.#slotNs = Math.max(slotNs, minSlotArrivals * gapNs);
    const mean = this.#slotNs / gapNs;
    this.dense = mean > maxLookedAt;
    this.#drawCount = poissonCounts(mean, this.#prng);
    this.advance();
  }

  advance(): void {
    while (this.#left === 0) this.#turnSlot();
    this.#place();
  }

  skip(untilNs: number): number {
    let skipped = 0;
    while (this.#nextSlot * this.#slotNs <= untilNs) {
      // This slot ends before that, with the arrival at `dueNs`.
      skipped += this.#left + 1;
      this.#left = 0;
      this.advance();
    }
    return skipped;
  }

  #turnSlot(): void {
    this.dueNs = this.#nextSlot * this.#slotNs;
    this.#nextSlot++;
    this.#left = this.#drawCount();
    this.#times = this.#prng.draw() | 0;
  }

  /** The smallest of n uniform times in what is left of the slot is at 1 − U^(1/n) of it. */
  #place(): void {
    // The middle of each of the 2³² steps, so that the logarithm is never that of 0.
    const log = Math.log((this.#drawTime() + 0.5) / 2 ** 32);
    const endNs = this.#nextSlot * this.#slotNs;
    this.dueNs -= (endNs - this.dueNs) * Math.expm1(log / this.#left);
    this.#left--;
  }

  /** splitmix32: no garbage for each slot, as another `Prng` would be. */
  #drawTime(): number {
    this.#times = (this.#times + seedStep) | 0;
    return scramble(this.#times) >>> 0;
  }
}
