import type { OpenLoopTask } from './contract.ts';
import { Prng } from './prng.ts';

const secondNs = 1e9;

/**
 * Iterates over the arrivals of one pool in order of time. An arrival is a batch: `pipeline` operations that are due
 * together. The schedule alone decides when, so two cursors of one pool see the same arrivals.
 */
export interface ArrivalCursor {
  /** When the next arrival is due, in nanoseconds from the start of the schedule. */
  readonly dueNs: number;
  advance(): void;
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

  /** Computed from the number of the arrival: if gaps were added up, rounding errors would add up, too. */
  #plan(): void {
    this.dueNs = Math.floor(this.#arrival / this.#together) * this.#gapNs;
  }
}

/** A Poisson process: gaps are exponential with the mean `gapNs`, independent of one another. */
class RandomArrivals implements ArrivalCursor {
  dueNs = 0;
  readonly #gapNs: number;
  readonly #prng: Prng;

  constructor(gapNs: number, seed: number) {
    this.#gapNs = gapNs;
    this.#prng = new Prng(seed);
    this.advance();
  }

  advance(): void {
    // The middle of each of the 2³² steps, so that the logarithm is never that of 0.
    this.dueNs -= this.#gapNs * Math.log((this.#prng.draw() + 0.5) / 2 ** 32);
  }
}
