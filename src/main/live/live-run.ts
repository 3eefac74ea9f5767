import type { RoundResult } from '../../aggregate/result.ts';
import { sumByCode } from '../../aggregate/stats/accounting.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { MeasurementMeter } from './measurement-meter.ts';
import type { Moment, Operations, RunSize, Snapshot, Step } from './snapshot.ts';

const maxMoments = 200;
/** The pace is that of the plan until so much of it is done: one slow start says little. */
const pacedSeconds = 3;

const none: Operations = { completed: 0, failed: {}, unfinished: 0 };

/** Keeps account of a run while it lasts. */
export class LiveRun {
  readonly #nowNs: () => number;
  #size: RunSize = {};
  #begunNs = 0;
  #stepNs = 0;
  #step: Step | undefined;
  #meter: MeasurementMeter | undefined;
  #measured = 0;
  #moments: readonly (Moment | null)[] = [];
  /** Of all measurements that are over. */
  #over = none;

  /** @param nowNs the machine's monotonic clock, as the threads have it */
  constructor(nowNs: () => number) {
    this.#nowNs = nowNs;
  }

  /** A run begins; operations go on to be counted from those before it. */
  begin(size: RunSize): void {
    this.#size = size;
    this.#begunNs = this.#nowNs();
    this.#measured = 0;
    this.#moments = [];
    this.#step = undefined;
  }

  follow(step: Step, shared: SharedState): void {
    this.#step = step;
    this.#stepNs = this.#nowNs();
    this.#meter = new MeasurementMeter(step, shared);
    if (this.#moments.at(-1) != null) this.#keep(null);
  }

  /** Failed operations of the running measurement, those of the warm-up among them. */
  get failed(): number {
    return this.#meter?.failed ?? 0;
  }

  /** Takes note of the moment. */
  look(): void {
    const moment = this.#meter?.moment(this.#nowNs());
    if (moment !== undefined) this.#keep(moment);
  }

  /** Without a result the measurement was stopped too early: what its threads told is all there is of it. */
  finished(result: RoundResult | null): void {
    this.#over = add(this.#over, result ?? this.#meter?.operations() ?? none);
    this.#meter = undefined;
    if (result !== null) this.#measured++;
  }

  snapshot(): Snapshot {
    const nowNs = this.#nowNs();
    return {
      running: this.#meter?.running(nowNs) ?? null,
      measured: this.#measured,
      planned: this.#size.measurements ?? null,
      ...this.#course(nowNs),
      operations: add(this.#over, this.#meter?.operations() ?? none),
      moments: this.#moments,
    };
  }

  #course(nowNs: number): Pick<Snapshot, 'share' | 'secondsLeft'> {
    const planned = this.#size.seconds;
    const plannedLeft = this.#step?.secondsLeft;
    if (planned === undefined || plannedLeft === undefined || this.#step === undefined)
      return { share: null, secondsLeft: null };
    const plannedDone = planned - plannedLeft;
    const pace = plannedDone < pacedSeconds ? 1 : (this.#stepNs - this.#begunNs) / 1e9 / plannedDone;
    // A step that takes longer than planned, such as one that waits for its target, must not use up those after it.
    const { warmupSeconds, seconds } = this.#step;
    const inStep = Math.min((nowNs - this.#stepNs) / 1e9 / pace, warmupSeconds + seconds);
    const left = Math.max(0, plannedLeft - inStep);
    return { share: planned > 0 ? Math.min(1, 1 - left / planned) : 1, secondsLeft: left * pace };
  }

  #keep(moment: Moment | null): void {
    this.#moments = [...this.#moments, moment].slice(-maxMoments);
  }
}

function add(a: Operations, b: Operations): Operations {
  return {
    completed: a.completed + b.completed,
    failed: sumByCode([a.failed, b.failed]),
    unfinished: a.unfinished + b.unfinished,
  };
}
