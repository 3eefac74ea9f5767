import type { RoundResult } from '../../aggregate/result.ts';

/** How a run stands while it lasts: plain data, the one source of what the terminal shows and a scraper gets. */

/** What is being measured, for a reader. */
export interface Step {
  readonly round: number;
  readonly rounds: number;
  readonly index: number;
  readonly total: number;
  /** With the name of its side, where there are several. */
  readonly scenario: string;
  /** Of a ledger, whose suites may have scenarios alike. */
  readonly suite?: string | undefined;
  readonly threads: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Of the whole run from the start of this step on, as planned; undefined where nobody knows. */
  readonly secondsLeft?: number;
  /** What is told in place of round and index, where their totals are not known. */
  readonly place?: string;
}

/** How large a run is; nothing of it is known of a search. */
export interface RunSize {
  readonly measurements?: number;
  readonly seconds?: number;
}

/** A moment of a measurement: the operations of its threads together, the p99 of the slowest in its current second. */
export interface Moment {
  readonly opsPerSecond: number;
  readonly p99Ms: number;
}

export type Phase = 'connecting' | 'warm-up' | 'measuring' | 'draining';

/** The measurement that is under way. */
export interface Running extends Moment {
  readonly step: Step;
  readonly phase: Phase;
  /** Since the phase began; 0 while it connects. */
  readonly phaseSeconds: number;
  /** Failed operations of the warm-up, which are in no result. */
  readonly warmupFailed: number;
  /** Share of the last second, 0 to 1, in which the event loop of each thread had something to do. */
  readonly busyShares: readonly number[];
  readonly connections: number;
  /** Of these. */
  readonly idle: number;
  /** Workers that wait for a connection. */
  readonly waiting: number;
}

/** Operations of measured windows: what is finished as its result has it, and of the running one what its threads told. */
export interface Operations {
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly unfinished: number;
}

export interface Snapshot {
  readonly running: Running | null;
  /** Measurements of this run that are finished, of how many; null where nobody knows. */
  readonly measured: number;
  readonly planned: number | null;
  /** Share of the planned time that has passed, 0 to 1, and seconds left at the pace so far; null where nobody knows. */
  readonly share: number | null;
  readonly secondsLeft: number | null;
  readonly operations: Operations;
  /** The latest moments, oldest first; null where one measurement ended and the next began. */
  readonly moments: readonly (Moment | null)[];
}

/** Where a run is told of while it lasts. */
export interface Outlet {
  /** Text that stays, of one line or several. */
  say(text: string): void;
  /** How the run stands: shown where that can be taken back. */
  show(snapshot: Snapshot): void;
  /** A measurement is over. */
  finished(step: Step, result: RoundResult): void;
  /** Nothing is measured for now: only what was said stays. */
  rest(): void;
}
