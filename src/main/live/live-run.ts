import type { RoundResult } from '../../aggregate/result.ts';
import { sumByCode } from '../../aggregate/stats/accounting.ts';
import { loadsOfRound } from '../../aggregate/stats/populations.ts';
import type { SharedState, ThreadProgress } from '../../workers/shared-state.ts';
import {
  type Moment,
  none,
  type Operations,
  type Phase,
  type Running,
  type RunningLoad,
  type Snapshot,
  type Step,
} from './snapshot.ts';

const maxMoments = 200;
/** Until this much of the plan is done, its own pace is assumed: one slow start would distort the estimate. */
const pacedSeconds = 3;

/** Operations by load: by the name of a population, or null for those of scenarios. */
type ByLoad = ReadonlyMap<string | null, Operations>;

/** Counts what a run has done while it lasts. */
export class LiveRun {
  readonly #nowNs: () => number;
  #begunNs = 0;
  #stepNs = 0;
  #step: Step | undefined;
  #meter: MeasurementMeter | undefined;
  #measured = 0;
  /** Measurements of this run, at most. */
  #planned: number | null = null;
  #moments: readonly (Moment | null)[] = [];
  /** Operations of all measurements that are over. */
  #over: ByLoad = new Map();

  /** @param nowNs the monotonic clock that the threads have, too */
  constructor(nowNs: () => number) {
    this.#nowNs = nowNs;
  }

  /** A run begins. Operations of earlier runs stay counted. */
  begin(): void {
    this.#begunNs = this.#nowNs();
    this.#measured = 0;
    this.#planned = null;
    this.#moments = [];
    this.#step = undefined;
  }

  follow(step: Step, shared: SharedState): void {
    this.#step = step;
    this.#planned = step.course === undefined ? null : this.#measured + step.course.measurementsLeft;
    this.#stepNs = this.#nowNs();
    this.#meter = new MeasurementMeter(step, shared);
    if (this.#moments.at(-1) != null) this.#keep(null);
  }

  /** Failed operations of the running measurement, including those of the warm-up. */
  get failed(): number {
    return this.#meter?.failed ?? 0;
  }

  /** Keeps the current moment. */
  look(): void {
    const moment = this.#meter?.moment(this.#nowNs());
    if (moment !== undefined) this.#keep(moment);
  }

  /** Without a result, because it was stopped too early, a measurement counts as far as its threads have reported. */
  finished(result: RoundResult | null): void {
    const measured = result === null ? this.#meter?.operations() : operationsOf(result);
    this.#over = add(this.#over, measured);
    this.#meter = undefined;
    if (result !== null) this.#measured++;
  }

  snapshot(): Snapshot {
    const nowNs = this.#nowNs();
    const all = add(this.#over, this.#meter?.operations());
    return {
      running: this.#meter?.running(nowNs) ?? null,
      measured: this.#measured,
      planned: this.#planned,
      ...this.#course(nowNs),
      operations: all.get(null) ?? none,
      ofPopulations: new Map(
        [...all].flatMap(([name, operations]) => (name === null ? [] : [[name, operations] as const])),
      ),
      moments: this.#moments,
    };
  }

  #course(nowNs: number): Pick<Snapshot, 'doneRatio' | 'secondsLeft'> {
    const course = this.#step?.course;
    if (course === undefined || this.#step === undefined) return { doneRatio: null, secondsLeft: null };
    const { secondsDone, secondsLeft } = course;
    const pace = secondsDone < pacedSeconds ? 1 : (this.#stepNs - this.#begunNs) / 1e9 / secondsDone;
    // A step that takes longer than planned must not use up the time of those after it.
    const { warmupSeconds, seconds } = this.#step;
    const inStep = Math.min((nowNs - this.#stepNs) / 1e9 / pace, warmupSeconds + seconds);
    const left = Math.max(0, secondsLeft - inStep);
    const planned = secondsDone + secondsLeft;
    return { doneRatio: planned > 0 ? Math.min(1, 1 - left / planned) : 1, secondsLeft: left * pace };
  }

  #keep(moment: Moment | null): void {
    this.#moments = [...this.#moments, moment].slice(-maxMoments);
  }
}

function add(a: ByLoad, b: ByLoad = new Map()): ByLoad {
  const sums = new Map(a);
  for (const [load, more] of b) {
    const sum = sums.get(load) ?? none;
    sums.set(load, {
      completed: sum.completed + more.completed,
      failed: sumByCode([sum.failed, more.failed]),
      unfinished: sum.unfinished + more.unfinished,
    });
  }
  return sums;
}

function operationsOf(result: RoundResult): ByLoad {
  return new Map(loadsOfRound(result).map(({ population, round }) => [population, round]));
}

/** A thread without a report for this long counts as completing nothing. */
const silentNs = 250e6;
/** Figures are averaged over this many looks: jumping figures are unreadable. */
const shownLooks = 5;

/** Reads what the threads of one measurement report. */
class MeasurementMeter {
  readonly #step: Step;
  readonly #shared: SharedState;
  readonly #own: LoadMeter;
  readonly #populations: readonly { readonly name: string; readonly meter: LoadMeter }[];

  constructor(step: Step, shared: SharedState) {
    this.#step = step;
    this.#shared = shared;
    let first = 0;
    const nextMeter = (threads: number) => {
      const meter = new LoadMeter(step, shared, { first, threads });
      first += threads;
      return meter;
    };
    this.#own = nextMeter(step.threads);
    this.#populations = (step.populations ?? []).map(({ name, threads }) => ({
      name,
      meter: nextMeter(threads),
    }));
  }

  /** Failed operations of all loads so far, including those of the warm-up. */
  get failed(): number {
    return this.#populations.reduce((sum, { meter }) => sum + meter.failed, this.#own.failed);
  }

  /** The scenario's load since the last call; undefined while its threads have reported nothing. */
  moment(nowNs: number): Moment | undefined {
    for (const { meter } of this.#populations) meter.moment(nowNs);
    return this.#own.moment(nowNs);
  }

  /** Operations of the measured window so far. */
  operations(): ByLoad {
    return new Map<string | null, Operations>([
      [null, this.#own.operations()],
      ...this.#populations.map(({ name, meter }) => [name, meter.operations()] as const),
    ]);
  }

  running(nowNs: number): Running {
    return {
      step: this.#step,
      ...this.#phase(nowNs),
      ...this.#own.running(),
      populations: this.#populations.map(({ name, meter }) => ({ name, ...meter.running() })),
    };
  }

  #phase(nowNs: number): { readonly phase: Phase; readonly phaseSeconds: number } {
    const { startNs, windowNs } = this.#shared;
    const { seconds } = this.#step;
    if (startNs === undefined) return { phase: 'connecting', phaseSeconds: 0 };
    const sinceStart = Math.max(0, (nowNs - startNs) / 1e9);
    if (this.#step.warmsThreads) return { phase: 'warming threads', phaseSeconds: sinceStart };
    if (windowNs === undefined || nowNs < windowNs) return { phase: 'warm-up', phaseSeconds: sinceStart };
    const measured = (nowNs - windowNs) / 1e9;
    return measured < seconds
      ? { phase: 'measuring', phaseSeconds: measured }
      : { phase: 'draining', phaseSeconds: measured - seconds };
  }
}

/** Reads what the threads of one load report. */
class LoadMeter {
  readonly #step: Step;
  readonly #shared: SharedState;
  /** The place of the first one among those of the measurement, and their number. */
  readonly #place: { readonly first: number; readonly threads: number };
  /** Oldest first. */
  #looks: (readonly ThreadProgress[])[] = [];
  #rates: number[] = [];
  #latest: Moment[] = [];

  constructor(step: Step, shared: SharedState, place: { readonly first: number; readonly threads: number }) {
    this.#step = step;
    this.#shared = shared;
    this.#place = place;
  }

  /** Failed operations so far, including those of the warm-up. */
  get failed(): number {
    return this.#threads().reduce((sum, { failed, warmupFailed }) => sum + failed + warmupFailed, 0);
  }

  /** The load since the last call; undefined while the threads have reported nothing. */
  moment(nowNs: number): Moment | undefined {
    const { startNs } = this.#shared;
    const now = this.#threads();
    if (startNs === undefined || now.every(({ atNs }) => atNs === 0)) return undefined;
    this.#rates = now.map((thread, index) => {
      const before = this.#looks.at(-1)?.[index];
      // By the threads' own clocks: a look may see one publication more or less than the last one.
      const seconds = (thread.atNs - Math.max(before?.atNs ?? 0, startNs)) / 1e9;
      if (seconds > 0) return (all(thread) - (before === undefined ? 0 : all(before))) / seconds;
      return nowNs - thread.atNs > silentNs ? 0 : (this.#rates[index] ?? 0);
    });
    this.#looks = [...this.#looks, now].slice(-1 - shownLooks);
    const moment = {
      opsPerSecond: this.#rates.reduce((sum, rate) => sum + rate, 0),
      p99Ms: Math.max(...now.map(({ p99Ms }) => p99Ms)),
    };
    this.#latest = [...this.#latest, moment].slice(-shownLooks);
    return moment;
  }

  /** Operations of the measured window so far. */
  operations(): Operations {
    if (this.#step.warmsThreads) return none;
    const completed = this.#threads().reduce((sum, thread) => sum + thread.completed, 0);
    const failures = this.#eachThread(thread => this.#shared.failures(thread));
    return { completed, failed: sumByCode(failures), unfinished: 0 };
  }

  running(): RunningLoad {
    const threads = this.#threads();
    const sum = (figure: (thread: ThreadProgress) => number) =>
      threads.reduce((total, thread) => total + figure(thread), 0);
    const moments = this.#latest;
    return {
      opsPerSecond: moments.reduce((total, moment) => total + moment.opsPerSecond / moments.length, 0),
      p99Ms: moments.at(-1)?.p99Ms ?? 0,
      warmupFailed: sum(({ warmupFailed, failed }) => warmupFailed + (this.#step.warmsThreads ? failed : 0)),
      busyRatios: threads.map((thread, index) => this.#busyRatio(thread, index)),
      connections: sum(thread => thread.connections),
      // The two may be from different publications.
      idle: sum(thread => Math.min(thread.idle, thread.connections)),
      waiting: sum(thread => thread.waiting),
    };
  }

  /** A thread that has published nothing has not reached its timer: its event loop was busy all the time. */
  #busyRatio({ atNs, busyNs }: ThreadProgress, index: number): number {
    if (atNs === 0) return 0;
    const before = this.#looks.length > 1 ? this.#looks[0]?.[index] : undefined;
    const sinceNs = before?.atNs || (this.#shared.startNs ?? atNs);
    const ratio = (busyNs - (before?.busyNs ?? 0)) / (atNs - sinceNs);
    return atNs > sinceNs ? Math.min(1, Math.max(0, ratio)) : 1;
  }

  #threads(): ThreadProgress[] {
    return this.#eachThread(thread => this.#shared.progress(thread));
  }

  #eachThread<Found>(find: (thread: number) => Found): Found[] {
    const { first, threads } = this.#place;
    return Array.from({ length: threads }, (_, index) => find(first + index));
  }
}

const all = ({ warmupCompleted, completed }: ThreadProgress) => warmupCompleted + completed;
