import type { RoundResult } from '../result.ts';
import type { LoadEnvironment } from '../stats/limit-figures.ts';
import { limitedBy } from '../stats/limited-by.ts';
import { decidedTwice, type RoundsRange, repeatedInterval } from '../stats/sign-test.ts';
import { median } from '../stats/statistics.ts';
import { formatMs } from '../text/format.ts';
import { medianOfRepeats, meets, namesOf, repeatFigures, type SearchConditions } from './conditions.ts';
import type { SearchStep } from './schema.ts';

/**
 * A step of a search: a rate that is repeated until it is clear whether it meets the conditions more often than not, by
 * the sign test that is used for all decisions. The ends of the interval count only after they were tried twice
 * (`nextRate`), so the stated error applies to both tries together.
 */
export const stepRepeats: RoundsRange = { atLeast: 4, atMost: 12 };
/** Min fraction of the response p99 due to the generator's own lag that makes the generator the limit. */
const minLagRatio = 0.5;
const chances = { above: decidedTwice, below: decidedTwice };

/** `unclear`: the rate meets the conditions about as often as not, so it is at the knee. */
export type StepVerdict = 'pass' | 'fail' | 'unclear';

/** The verdict on a step after these repeats, each of which passed or not; null if it needs more of them. */
export function stepVerdict(passed: readonly boolean[]): StepVerdict | null {
  const verdict = clearVerdict(passed);
  return verdict === 'unclear' && canBecomeClear(passed) ? null : verdict;
}

function clearVerdict(passed: readonly boolean[]): StepVerdict {
  const { low, high } = repeatedInterval(passed.map(Number), stepRepeats, chances);
  if (low > 0.5) return 'pass';
  return high < 0.5 ? 'fail' : 'unclear';
}

/** Whether a later look would decide if all repeats until then passed, or if all failed. */
function canBecomeClear(passed: readonly boolean[]): boolean {
  const left = Array.from({ length: Math.max(0, stepRepeats.atMost - passed.length) });
  return [true, false].some(
    outcome => left.length > 0 && clearVerdict([...passed, ...left.map(() => outcome)]) !== 'unclear',
  );
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
  const repeats = rounds.map(round => ({
    round: round.round,
    passed: passes(round, conditions),
    offered: round.openLoop?.offered ?? 0,
    sent: round.openLoop?.sent ?? 0,
    completed: round.completed,
    opsPerSecond: round.opsPerSecond,
    ...repeatFigures(round),
    // Null if no arrival found a free worker.
    lagP99Ms: round.openLoop?.lag.count ? round.openLoop.lag.p99 : null,
  }));
  const found = limitedBy(rounds, environment);
  const late = verdict === 'pass' ? null : describeLateSends(repeats);
  return {
    step,
    rate,
    verdict,
    conditions: namesOf(conditions).map(name => {
      const met = figures.map(one => meets(name, one, conditions));
      return {
        name,
        limit: conditions[name] ?? Number.NaN,
        median: medianOfRepeats(figures.map(one => one[name])),
        met: met.filter(one => one).length,
        verdict: clearVerdict(met),
      };
    }),
    repeats,
    limitedBy: late === null ? found : { resource: 'client', evidence: `${late}; ${found.evidence}` },
  };
}

/**
 * That the generator itself took most of the response time, whatever else looks busy; null if it did not. A rate that met
 * the conditions was not limited by it.
 */
function describeLateSends(repeats: SearchStep['repeats']): string | null {
  const late = repeats.flatMap(({ responseP99Ms, lagP99Ms }) =>
    responseP99Ms === null || lagP99Ms === null ? [] : [{ lagP99Ms, ratio: lagP99Ms / responseP99Ms }],
  );
  if (late.length === 0 || median(late.map(({ ratio }) => ratio)) < minLagRatio) return null;
  const lagMs = formatMs(median(late.map(({ lagP99Ms }) => lagP99Ms)));
  return `operations were sent ${lagMs} ms late (p99), most of the response time`;
}
