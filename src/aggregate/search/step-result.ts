import type { RoundResult } from '../result.ts';
import type { Surroundings } from '../stats/limits/figures.ts';
import { limitedBy } from '../stats/limits/limited-by.ts';
import { median } from '../stats/statistics.ts';
import {
  type ConditionName,
  meets,
  namesOf,
  type RepeatFigures,
  repeatFigures,
  type SearchConditions,
} from './conditions.ts';
import type { SearchRepeat, SearchStep } from './schema.ts';
import { margin } from './step-verdict.ts';

/** Whether a repeat meets every condition. */
export function passes(round: RoundResult, conditions: SearchConditions): boolean {
  const figures = repeatFigures(round);
  return namesOf(conditions).every(name => meets(name, figures, conditions));
}

/** A step with the figures of its repeats. */
export function describeStep(
  { step, rate, verdict }: Pick<SearchStep, 'step' | 'rate' | 'verdict'>,
  rounds: readonly RoundResult[],
  conditions: SearchConditions,
  surroundings: Surroundings,
): SearchStep {
  const figures = rounds.map(repeatFigures);
  return {
    step,
    rate,
    verdict,
    conditions: namesOf(conditions).map(name => describeHeld(name, figures, conditions)),
    repeats: rounds.map(round => describeRepeat(round, conditions)),
    limitedBy: limitedBy(rounds, surroundings),
  };
}

function describeHeld(
  name: ConditionName,
  figures: readonly RepeatFigures[],
  conditions: SearchConditions,
): SearchStep['conditions'][number] {
  const known = figures.flatMap(one => one[name] ?? []);
  const met = figures.filter(one => meets(name, one, conditions)).length;
  return {
    name,
    limit: conditions[name] ?? Number.NaN,
    median: known.length === 0 ? null : median(known),
    met,
    verdict: clearVerdict(met, figures.length - met),
  };
}

/** As for a step: clear where there are three more on one side. */
function clearVerdict(met: number, missed: number): SearchStep['conditions'][number]['verdict'] {
  if (Math.abs(met - missed) < margin) return 'unclear';
  return met > missed ? 'pass' : 'fail';
}

/** Null where no arrival found a worker free. */
function lagP99Ms({ openLoop }: RoundResult): number | null {
  return openLoop === null || openLoop.lag.count === 0 ? null : openLoop.lag.p99;
}

function describeRepeat(round: RoundResult, conditions: SearchConditions): SearchRepeat {
  return {
    round: round.round,
    passed: passes(round, conditions),
    offered: round.openLoop?.offered ?? 0,
    sent: round.openLoop?.sent ?? 0,
    completed: round.completed,
    opsPerSecond: round.opsPerSecond,
    ...repeatFigures(round),
    lagP99Ms: lagP99Ms(round),
  };
}
