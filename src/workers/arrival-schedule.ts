import type { OpenLoopTask } from './contract.ts';
import { Prng } from './prng.ts';

const secondNs = 1e9;

/**
 * Goes through the arrivals of one pool in order of time. An arrival is a batch: `pipeline` operations that are due
 * together. What is due when follows from the schedule alone, so two cursors of one pool see the same arrivals.
 */
export interface ArrivalCursor {
  /** When the next arrival is due, in nanoseconds from the start of the schedule. */
  readonly dueNs: number;
  advance(): void;
}

/**
 * The arrivals of one pool of a scenario.
 *
 * Those at equal distances are one schedule that is dealt out in turn: arrival n of all pools goes to pool n mod pools,
 * so that every arrival has its pool, and the pools are out of step with one another. Random ones are a process of its
 * own for each pool at its part of the rate: added up, Poisson processes are one of the whole rate.
 *
 * @param pool from 0, of all pools of the scenario
 * @param pipeline operations of an arrival
 * @param seed of a random schedule: the same seed gives the same arrivals
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

/** Every `gapNs` `together` arrivals of all pools, from the start on. */
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

  /** From the number of the arrival, never by adding up gaps: rounding errors would add up, too. */
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
