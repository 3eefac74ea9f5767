import type { OpenLoopTask, RateStage } from './contract.ts';
import { poissonCounts } from './poisson-counts.ts';
import { Prng, scramble, seedStep } from './prng.ts';
import type { RecordedInstants } from './workload/replay.ts';

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
   * Skips arrivals that are due before `untilNs`, as far as possible without looking at each of them, so that arrivals
   * that cannot be sent in time cost nothing.
   *
   * @returns how many
   */
  skip(untilNs: number): number;
  /** Whether arrivals come so close together that looking at each would take the thread's time. */
  readonly dense: boolean;
  /** The measured window begins, and with it the stages or the recording. Absent from a schedule whose rate stays the same. */
  openWindow?(windowNs: number): void;
}

/**
 * The arrivals of one pool of a scenario.
 *
 * Arrivals at equal intervals are one schedule for all pools: arrival n goes to pool n mod pools, so that the pools are out
 * of step with one another. Random arrivals are a separate Poisson process for each pool, at its part of the rate: their
 * sum is a Poisson process of the whole rate.
 *
 * Stages change when these arrivals are due, but neither their order nor their pools. Recorded arrivals are due when the
 * operations of the pool were recorded.
 *
 * @param pool from 0, of all pools of the scenario
 * @param pipeline operations per arrival
 * @param seed draws a random schedule: the same seed gives the same arrivals
 * @param recorded when the operations of the pool were recorded
 */
export function arrivalsOf(
  { arrivals, pools }: OpenLoopTask,
  pool: number,
  pipeline: number,
  seed: number,
  recorded: RecordedInstants = nothingRecorded,
): ArrivalCursor {
  if (arrivals.kind === 'recorded') return new ReplayedArrivals(recorded, arrivals.speed);
  const { kind, rate, size, stages } = arrivals;
  const staged = (steady: ArrivalCursor, gapNs: number) =>
    stages === undefined ? steady : new StagedArrivals(steady, stages, { rate, gapNs });
  if (kind === 'poisson') return staged(new RandomArrivals((pools * pipeline * secondNs) / rate, seed), 0);
  const together = kind === 'burst' ? size / pipeline : 1;
  const gapNs = (together * pipeline * secondNs) / rate;
  return staged(new EvenArrivals({ pool, pools, together, gapNs }), gapNs);
}

/**
 * Instants are rounded: to 2 ns after 104 days without a restart of the machine. The ends of stages are earlier by this, so
 * that what is due at the very end of one belongs to the next.
 */
const roundingNs = 50;

/**
 * The ends of the stages, in nanoseconds from the start of the window. The last one, or the only one if the rate stays the
 * same, ends with the window, whenever that is.
 */
export function stageEnds(stages: readonly Pick<RateStage, 'seconds'>[] = [{ seconds: 0 }]): number[] {
  let endNs = 0;
  return stages.map(({ seconds }, index) => {
    endNs += seconds * secondNs;
    return index === stages.length - 1 ? Number.POSITIVE_INFINITY : endNs - roundingNs;
  });
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

  /** Computed from the number of the arrival: adding up gaps would add up rounding errors. */
  #plan(): void {
    this.dueNs = Math.floor(this.#arrival / this.#together) * this.#gapNs;
  }
}

/** Length of a slot of a random schedule, unless fewer than `minSlotArrivals` come in it on average. */
const slotNs = 1e6;
const minSlotArrivals = 16;
/** Above this many arrivals in a slot, they are not looked at one by one: 2 million per second. */
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
  /**
   * State of the generator of the times in this slot, which has its own seed, so that a cursor that skips times sees
   * the same slots.
   */
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

/** One stage on both time axes of `StagedArrivals`. */
interface Stretch {
  /** Start and end on the axis of the window, and the start on the steady one; from the start of the window. */
  readonly startNs: number;
  readonly endNs: number;
  readonly steadyNs: number;
  /** Steady nanoseconds that pass in one of the window when the stage begins, and how much more in each further one. */
  readonly pace: number;
  readonly slope: number;
}

/** Error of the places on the steady axis, as a fraction of its length: a boundary that is missed by less is met. */
const steadyError = 1e-12;

/**
 * Arrivals whose rate changes by stages. They are those of a steady schedule at the mean rate, on a time axis that the
 * stages stretch: it passes as many nanoseconds in each one of the window as the rate is of the mean. So the place of an
 * arrival on it is the integral of the rate, for equal intervals, bursts and random arrivals alike (for these it is the
 * time change of a Poisson process), and each pool keeps its arrivals.
 *
 * The stages begin with the window, with an arrival that is due at once; the warm-up has the rate of their beginning. In the
 * window are exactly the arrivals whose place is below the integral of all stages.
 */
class StagedArrivals implements ArrivalCursor {
  dueNs = Number.POSITIVE_INFINITY;
  readonly dense: boolean;
  readonly #steady: ArrivalCursor;
  readonly #stretches: readonly Stretch[];
  /** Length of the window on both axes. */
  readonly #lengthNs: number;
  readonly #gapNs: number;
  readonly #warmupPace: number;
  /** The start of the window on both axes, from the start of the schedule. */
  #windowNs = Number.POSITIVE_INFINITY;
  #steadyWindowNs: number;
  #errorNs: number;
  /** Index of the stage of `dueNs`. */
  #stage = 0;

  /** @param gapNs of all pools together on the steady axis; 0 if gaps are random */
  constructor(
    steady: ArrivalCursor,
    stages: readonly RateStage[],
    { rate: meanRate, gapNs }: { readonly rate: number; readonly gapNs: number },
  ) {
    this.#steady = steady;
    this.dense = steady.dense;
    let [startNs, steadyNs] = [0, 0];
    this.#stretches = stages.map(({ seconds, rate, rampTo }): Stretch => {
      const lengthNs = seconds * secondNs;
      const pace = rate / meanRate;
      const slope = ((rampTo ?? rate) / meanRate - pace) / lengthNs;
      const stretch = { startNs, endNs: startNs + lengthNs, steadyNs, pace, slope };
      startNs += lengthNs;
      steadyNs += (pace + (slope * lengthNs) / 2) * lengthNs;
      return stretch;
    });
    this.#lengthNs = startNs;
    this.#errorNs = steadyError * startNs;
    this.#gapNs = gapNs;
    this.#warmupPace = this.#stretches[0]?.pace ?? 0;
    // At a pace of 0 nothing is due before the window.
    this.#steadyWindowNs = this.#warmupPace === 0 ? 0 : Number.POSITIVE_INFINITY;
    this.#plan();
  }

  openWindow(windowNs: number): void {
    const steadyNs = windowNs * this.#warmupPace;
    // The next arrival of any pool is the first of the window, so how many it has does not depend on the warm-up.
    this.#steadyWindowNs =
      this.#gapNs === 0 ? steadyNs : Math.ceil(steadyNs / this.#gapNs - 1e-9) * this.#gapNs;
    this.#windowNs = windowNs;
    this.#errorNs = steadyError * (this.#lengthNs + this.#steadyWindowNs);
    this.#plan();
  }

  advance(): void {
    this.#steady.advance();
    this.#plan();
  }

  skip(untilNs: number): number {
    const skipped = this.#steady.skip(this.#steadyAt(untilNs));
    this.#plan();
    return skipped;
  }

  #plan(): void {
    const { dueNs } = this.#steady;
    this.dueNs =
      dueNs < this.#steadyWindowNs
        ? dueNs / this.#warmupPace
        : this.#windowNs + this.#timeOf(dueNs - this.#steadyWindowNs);
  }

  /** From the start of the window, what is `steadyNs` from it on the steady axis; infinite from the end of the stages on. */
  #timeOf(steadyNs: number): number {
    const placeNs = steadyNs + this.#errorNs;
    if (placeNs >= this.#lengthNs) return Number.POSITIVE_INFINITY;
    while (placeNs >= (this.#stretches[this.#stage + 1]?.steadyNs ?? Number.POSITIVE_INFINITY)) this.#stage++;
    const stretch = this.#stretches[this.#stage] as Stretch;
    const intoNs = Math.max(0, steadyNs - stretch.steadyNs);
    // The smaller root of pace · t + slope / 2 · t² = intoNs, in the form that does not cancel.
    const root = Math.sqrt(Math.max(0, stretch.pace ** 2 + 2 * stretch.slope * intoNs));
    const timeNs = intoNs === 0 ? 0 : (2 * intoNs) / (stretch.pace + root);
    return Math.min(stretch.startNs + timeNs, stretch.endNs - 2 * roundingNs);
  }

  /** The place on the steady axis of an instant, both from the start of the schedule. */
  #steadyAt(ns: number): number {
    if (ns <= this.#windowNs) return ns * this.#warmupPace;
    const intoNs = Math.min(ns - this.#windowNs, this.#lengthNs);
    let stretch = this.#stretches[0] as Stretch;
    for (const next of this.#stretches) if (next.startNs <= intoNs) stretch = next;
    const timeNs = intoNs - stretch.startNs;
    return this.#steadyWindowNs + stretch.steadyNs + (stretch.pace + (stretch.slope * timeNs) / 2) * timeNs;
  }
}

const nothingRecorded: RecordedInstants = {
  instants: new Float64Array(0),
  own: new Uint32Array(0),
  length: Number.POSITIVE_INFINITY,
};

/**
 * Each operation of a pool is due at its recorded instant, counted from the start of the window. The recording is repeated.
 * Arrival n of the pool is its operation n, modulo their number.
 */
class ReplayedArrivals implements ArrivalCursor {
  dueNs = Number.POSITIVE_INFINITY;
  readonly dense = false;
  readonly #recorded: RecordedInstants;
  /** Nanoseconds in one microsecond of the recording. */
  readonly #scale: number;
  readonly #lengthNs: number;
  /** From the start of the schedule. */
  #windowNs = Number.POSITIVE_INFINITY;
  /** How often the whole recording has been replayed, and the next operation of the pool. */
  #times = 0;
  #next = 0;

  constructor(recorded: RecordedInstants, speed: number) {
    this.#recorded = recorded;
    this.#scale = 1000 / speed;
    // In a window as long as the recording, its first operation is not due again at the end.
    this.#lengthNs = recorded.length * this.#scale + roundingNs;
  }

  openWindow(windowNs: number): void {
    this.#windowNs = windowNs;
    this.#plan();
  }

  advance(): void {
    this.#next++;
    if (this.#next === this.#recorded.own.length) {
      this.#next = 0;
      this.#times++;
    }
    this.#plan();
  }

  skip(): number {
    return 0;
  }

  /** Computes the instant from the operation's number, because a sum of gaps would add up rounding errors. */
  #plan(): void {
    const { instants, own } = this.#recorded;
    if (own.length === 0) return;
    const instantNs = (instants[own[this.#next] as number] as number) * this.#scale;
    const startNs = this.#times === 0 ? 0 : this.#times * this.#lengthNs;
    this.dueNs = this.#windowNs + startNs + instantNs;
  }
}
