import type { RoundResult } from '../../aggregate/result.ts';

/** The state of a run while it lasts: plain data, the one source of what the terminal shows and Prometheus scrapes. */

/** What is being measured, as text. */
export interface Step {
  readonly round: number;
  readonly rounds: number;
  readonly index: number;
  readonly total: number;
  /** With the name of its side, if the run has several. */
  readonly scenario: string;
  /** The suite of a ledger, whose suites can have scenarios with the same id. */
  readonly suite?: string | undefined;
  readonly threads: number;
  /**
   * The loads that run at the same time, in the order of their tasks, which follow those of the scenario. Each load has one
   * task on each of its threads, which can be threads of the scenario. Absent: none.
   */
  readonly populations?: readonly { readonly name: string; readonly threads: number }[];
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Whether it warms up the threads before round 1: its operations do not count. */
  readonly warmsThreads?: boolean;
  /** Whether the rounds can be fewer, and the time left shorter. */
  readonly untilDecided?: boolean;
  /** Undefined if it is not known. */
  readonly course?: StepCourse;
  /** Shown in place of round and index, if their totals are not known. */
  readonly place?: string;
}

/** Where a step stands in the course of its run. */
export interface StepCourse {
  /** Planned time of the steps before it, of those that this command measures. */
  readonly secondsDone: number;
  /** Planned time from its start to the end of the run, at most. */
  readonly secondsLeft: number;
  /** From this one on, at most. */
  readonly measurementsLeft: number;
}

/** A moment of a load: the throughput of all its threads, and the p99 of the slowest in its current second. */
export interface Moment {
  readonly opsPerSecond: number;
  readonly p99Ms: number;
}

export type Phase = 'connecting' | 'warming threads' | 'warm-up' | 'measuring' | 'draining';

/** A load that is under way. */
export interface RunningLoad extends Moment {
  /** Failed operations of the warm-up; no result contains them. */
  readonly warmupFailed: number;
  /** Fraction of the last second, 0 to 1, in which the event loop of each thread was busy. */
  readonly busyRatios: readonly number[];
  readonly connections: number;
  /** Connections that are not in use. */
  readonly idle: number;
  /** Workers that wait for a connection. */
  readonly waiting: number;
}

/** The measurement that is under way, with the figures of the scenario's own load. */
export interface Running extends RunningLoad {
  readonly step: Step;
  readonly phase: Phase;
  /** Since the phase began; 0 while it connects. */
  readonly phaseSeconds: number;
  readonly populations: readonly RunningPopulation[];
}

export interface RunningPopulation extends RunningLoad {
  readonly name: string;
}

/** Operations of measured windows: those of finished results, and those that the running threads have reported. */
export interface Operations {
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly unfinished: number;
}

export const none: Operations = { completed: 0, failed: {}, unfinished: 0 };

export interface Snapshot {
  readonly running: Running | null;
  /** Finished measurements of this run. */
  readonly measured: number;
  /** Measurements of this run, at most; null if not known. */
  readonly planned: number | null;
  /** Fraction of the planned time that has passed, 0 to 1; null if not known. */
  readonly doneRatio: number | null;
  /** Time left at the pace so far, at most; null if not known. */
  readonly secondsLeft: number | null;
  /** Of the loads of scenarios. */
  readonly operations: Operations;
  /** Of the populations beside them, by their names. */
  readonly ofPopulations: ReadonlyMap<string, Operations>;
  /** The latest moments, oldest first; null between two measurements. */
  readonly moments: readonly (Moment | null)[];
}

/** Where a run is shown while it lasts. */
export interface Outlet {
  /** Text that stays, of one line or several. */
  say(text: string): void;
  /** The state of the run; shown only where it can be painted over. */
  show(snapshot: Snapshot): void;
  /** A measurement is over. */
  finished(step: Step, result: RoundResult): void;
  /** The run is over: only the printed text stays. */
  end(): void;
}
