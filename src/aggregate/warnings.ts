import { findImbalances } from './accounting.ts';
import { describeNeighbours } from './neighbours.ts';
import type { Result } from './result.ts';

/** What a reader must know before trusting the figures: what the run said, and what its figures say. */
export function warningsOf(result: Result): string[] {
  const neighbours = describeNeighbours(result);
  return [...result.warnings, ...findImbalances(result), ...(neighbours === null ? [] : [neighbours])];
}
