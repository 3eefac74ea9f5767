import { withMerged } from '../histogram.ts';
import { failedOf } from '../metrics.ts';
import type { RoundResult } from '../result.ts';

/** What a rate must meet. */
export interface SearchConditions {
  /** At most, in milliseconds; null: any. */
  readonly responseP99Ms: number | null;
  /** At least so much of what was due must complete, 0 to 1. */
  readonly completedShare: number;
  /** At most so much of what was sent may fail, 0 to 1. */
  readonly failedShare: number;
}

export const conditionNames = ['responseP99Ms', 'completedShare', 'failedShare'] as const;
export type ConditionName = (typeof conditionNames)[number];

/** The figures of one repeat that the conditions are about. */
export interface RepeatFigures {
  /** Of all that was due: what did not complete would have been the slowest. Null where that is more than 1 %. */
  readonly responseP99Ms: number | null;
  readonly completedShare: number;
  readonly failedShare: number;
}

/** Reads the figures of a repeat, which is a round in an open loop. */
export function repeatFigures(round: RoundResult): RepeatFigures {
  const offered = round.openLoop?.offered ?? 0;
  const completedShare = offered === 0 ? 0 : round.completed / offered;
  return {
    responseP99Ms: p99OfAllMs(round, offered),
    completedShare,
    failedShare: round.issued === 0 ? 0 : failedOf(round) / round.issued,
  };
}

function p99OfAllMs({ completed, response, histograms }: RoundResult, offered: number): number | null {
  if (completed >= offered && completed > 0) return response.p99;
  const percentile = completed === 0 ? Number.POSITIVE_INFINITY : (99 * offered) / completed;
  if (percentile > 100) return null;
  return withMerged([histograms.response], merged => merged.getValueAtPercentile(percentile) / 1e6);
}

/** Whether a repeat meets one condition. */
export function meets(name: ConditionName, figures: RepeatFigures, conditions: SearchConditions): boolean {
  if (name === 'completedShare') return figures.completedShare >= conditions.completedShare;
  if (name === 'failedShare') return figures.failedShare <= conditions.failedShare;
  if (conditions.responseP99Ms === null) return true;
  return figures.responseP99Ms !== null && figures.responseP99Ms <= conditions.responseP99Ms;
}

/** The conditions that there are. */
export function namesOf({ responseP99Ms }: SearchConditions): ConditionName[] {
  return conditionNames.filter(name => name !== 'responseP99Ms' || responseP99Ms !== null);
}
