import { sumByCode } from '../../aggregate/stats/accounting.ts';
import type { SharedState, ThreadProgress } from '../../workers/shared-state.ts';
import type { Moment, Operations, Phase, Running, Step } from './snapshot.ts';

/** A thread that has told nothing for so long completes nothing, as far as anybody can see. */
const silentNs = 250e6;
/** Looks over which figures are shown: one that jumps cannot be read. */
const shownLooks = 5;

/** Reads what the threads of one measurement tell. */
export class MeasurementMeter {
  readonly #step: Step;
  readonly #shared: SharedState;
  /** The latest, oldest first. */
  #looks: (readonly ThreadProgress[])[] = [];
  #rates: number[] = [];
  #latest: Moment[] = [];

  constructor(step: Step, shared: SharedState) {
    this.#step = step;
    this.#shared = shared;
  }

  /** Failed operations so far, those of the warm-up among them. */
  get failed(): number {
    return this.#threads().reduce((sum, { failed, warmupFailed }) => sum + failed + warmupFailed, 0);
  }

  /** How the load has gone since it was last asked; undefined while the threads have told nothing. */
  moment(nowNs: number): Moment | undefined {
    const { startNs } = this.#shared;
    const now = this.#threads();
    if (startNs === undefined || now.every(({ atNs }) => atNs === 0)) return undefined;
    this.#rates = now.map((thread, index) => {
      const before = this.#looks.at(-1)?.[index];
      // By the threads' own clocks: between two looks there may be one publication more or less.
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
    const completed = this.#threads().reduce((sum, thread) => sum + thread.completed, 0);
    const failures = Array.from({ length: this.#step.threads }, (_, thread) => this.#shared.failures(thread));
    return { completed, failed: sumByCode(failures), unfinished: 0 };
  }

  running(nowNs: number): Running {
    const threads = this.#threads();
    const sum = (figure: (thread: ThreadProgress) => number) =>
      threads.reduce((total, thread) => total + figure(thread), 0);
    const moments = this.#latest;
    return {
      step: this.#step,
      ...this.#phase(nowNs),
      opsPerSecond: moments.reduce((total, moment) => total + moment.opsPerSecond / moments.length, 0),
      p99Ms: moments.at(-1)?.p99Ms ?? 0,
      warmupFailed: sum(thread => thread.warmupFailed),
      busyShares: threads.map((thread, index) => this.#busyShare(thread, index)),
      connections: sum(thread => thread.connections),
      // A look may come between the two.
      idle: sum(thread => Math.min(thread.idle, thread.connections)),
      waiting: sum(thread => thread.waiting),
    };
  }

  #phase(nowNs: number): { readonly phase: Phase; readonly phaseSeconds: number } {
    const { startNs } = this.#shared;
    const { warmupSeconds, seconds } = this.#step;
    if (startNs === undefined) return { phase: 'connecting', phaseSeconds: 0 };
    const sinceStart = Math.max(0, (nowNs - startNs) / 1e9);
    if (sinceStart < warmupSeconds) return { phase: 'warm-up', phaseSeconds: sinceStart };
    const measured = sinceStart - warmupSeconds;
    return measured < seconds
      ? { phase: 'measuring', phaseSeconds: measured }
      : { phase: 'draining', phaseSeconds: measured - seconds };
  }

  /** A thread that has told nothing for so long has not come to its timer: its event loop was busy all the time. */
  #busyShare({ atNs, busyNs }: ThreadProgress, index: number): number {
    if (atNs === 0) return 0;
    const before = this.#looks.length > 1 ? this.#looks[0]?.[index] : undefined;
    const sinceNs = before?.atNs || (this.#shared.startNs ?? atNs);
    const share = (busyNs - (before?.busyNs ?? 0)) / (atNs - sinceNs);
    return atNs > sinceNs ? Math.min(1, Math.max(0, share)) : 1;
  }

  #threads(): ThreadProgress[] {
    return Array.from({ length: this.#step.threads }, (_, thread) => this.#shared.progress(thread));
  }
}

const all = ({ warmupCompleted, completed }: ThreadProgress) => warmupCompleted + completed;
