import type { PlannedSide } from '../plan/sides.ts';
import type { Target } from '../target/resolve.ts';

/** An experiment on its target. A run measures one side, or several in turn. */
export interface Side extends PlannedSide {
  readonly target: Target;
  /** Where its result.json and report.md go. */
  readonly folder: string;
}
