import type { RoundResult } from '../result.ts';
import { limitedBy, type Surroundings } from '../stats/limited-by.ts';
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

/**
 * When a step is repeated often enough: a sequential test of whether a rate meets the conditions more often than not.
 * It ends where passes and fails are `margin` apart, or where `maxRepeats` cannot bring them so far apart any more.
 */
export const margin = 3;
export const maxRepeats = 9;

/** `unclear`: the rate meets the conditions about as often as not, so it is at the knee. */
export type StepVerdict = 'pass' | 'fail' | 'unclear';

/** The verdict on a step after so many passes and fails; null while it takes more of them. */
export function stepVerdict(passes: number, fails: number): StepVerdict | null {
  const lead = passes - fails;
  if (lead >= margin) return 'pass';
  if (lead <= -margin) return 'fail';
  const left = maxRepeats - passes - fails;
  return Math.abs(lead) + left < margin ? 'unclear' : null;
}

/**
 * How often a step ends with each verdict, where repeats are independent and each passes with this probability, and
 * how many repeats it takes on average. Exact: every course of the test is followed.
 *
 * @param passChance 0 to 1
 */
export function verdictChances(passChance: number): Record<StepVerdict | 'repeats', number> {
  const chances = { pass: 0, fail: 0, unclear: 0, repeats: 0 };
  /** How likely the test is to have come so far without an end, by passes; the fails are the rest of the repeats. */
  let going = new Map([[0, 1]]);
  for (let repeats = 1; going.size > 0; repeats++) {
    const next = new Map<number, number>();
    for (const [passes, chance] of going) {
      chances.repeats += chance;
      for (const [more, share] of [
        [1, passChance],
        [0, 1 - passChance],
      ] as const) {
        const verdict = stepVerdict(passes + more, repeats - passes - more);
        if (verdict !== null) chances[verdict] += chance * share;
        else next.set(passes + more, (next.get(passes + more) ?? 0) + chance * share);
      }
    }
    going = next;
  }
  return chances;
}

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
