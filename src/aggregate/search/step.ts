import type { RoundResult } from '../result.ts';
import { type LoadEnvironment, limitedBy } from '../stats/limited-by.ts';
import { median } from '../stats/statistics.ts';
import { meets, namesOf, repeatFigures, type SearchConditions } from './conditions.ts';
import type { SearchStep } from './schema.ts';

/**
 * A step of a search: a rate that is repeated until it is clear whether it meets the conditions more often than not (a
 * sequential test). It ends when passes and fails are `margin` apart, or when `maxRepeats` cannot bring them so far apart.
 */
export const margin = 3;
export const maxRepeats = 9;

/** `unclear`: the rate meets the conditions about as often as not, so it is at the knee. */
export type StepVerdict = 'pass' | 'fail' | 'unclear';

/** The verdict on a step after so many passes and fails; null if it needs more repeats. */
export function stepVerdict(passes: number, fails: number): StepVerdict | null {
  const verdict = clearVerdict(passes, fails);
  const left = maxRepeats - passes - fails;
  return verdict === 'unclear' && Math.abs(passes - fails) + left >= margin ? null : verdict;
}

function clearVerdict(passes: number, fails: number): StepVerdict {
  if (Math.abs(passes - fails) < margin) return 'unclear';
  return passes > fails ? 'pass' : 'fail';
}

/** Whether a repeat meets every condition. */
export function passes(round: RoundResult, conditions: SearchConditions): boolean {
  const figures = repeatFigures(round);
  return namesOf(conditions).every(name => meets(name, figures, conditions));
}

/** A step with the figures of its repeats, and its verdict on each condition. */
export function describeStep(
  { step, rate, verdict }: Pick<SearchStep, 'step' | 'rate' | 'verdict'>,
  rounds: readonly RoundResult[],
  conditions: SearchConditions,
  environment: LoadEnvironment,
): SearchStep {
  const figures = rounds.map(repeatFigures);
  return {
    step,
    rate,
    verdict,
    conditions: namesOf(conditions).map(name => {
      const known = figures.flatMap(one => one[name] ?? []);
      const met = figures.filter(one => meets(name, one, conditions)).length;
      return {
        name,
        limit: conditions[name] ?? Number.NaN,
        median: known.length === 0 ? null : median(known),
        met,
        verdict: clearVerdict(met, figures.length - met),
      };
    }),
    repeats: rounds.map(round => ({
      round: round.round,
      passed: passes(round, conditions),
      offered: round.openLoop?.offered ?? 0,
      sent: round.openLoop?.sent ?? 0,
      completed: round.completed,
      opsPerSecond: round.opsPerSecond,
      ...repeatFigures(round),
      // Null if no arrival found a worker free.
      lagP99Ms: round.openLoop?.lag.count ? round.openLoop.lag.p99 : null,
    })),
    limitedBy: limitedBy(rounds, environment),
  };
}
