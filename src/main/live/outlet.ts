import type { RoundResult } from '../../aggregate/result.ts';
import type { Snapshot, Step } from './snapshot.ts';

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
