import type { RoundResult } from '../result.ts';
import { failedOf } from '../summary.ts';

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
  /** Null where more than 1 % did not complete: it would have been the slowest, so there is no p99 of all. */
  readonly responseP99Ms: number | null;
  readonly completedShare: number;
  readonly failedShare: number;
}

/** Reads the figures of a repeat, which is a round in an open loop. */
export function repeatFigures(round: RoundResult): RepeatFigures {
  const offered = round.openLoop?.offered ?? 0;
  const completedShare = offered === 0 ? 0 : round.completed / offered;
  return {
    responseP99Ms: completedShare < 0.99 ? null : round.response.p99,
    completedShare,
    failedShare: round.issued === 0 ? 0 : failedOf(round) / round.issued,
  };
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
