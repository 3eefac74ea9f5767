import { judgeVersusClaims } from '../claims/claims.ts';
import type { Interval, Result, ScenarioResult, SummaryResult } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { type Measure, measureOf, throughput } from '../stats/measures.ts';
import { comparedMetrics } from '../stats/metrics.ts';
import { pairByRound, wholeRounds } from '../stats/rounds.ts';
import { coverageOf, medianInterval } from '../stats/statistics.ts';
import { lostRatio } from '../stats/summary.ts';
import { formatShare } from '../text/format.ts';
import { uniqueNames } from '../text/safe-name.ts';
import { checkFairness, limitedByClient } from './fairness.ts';
import type { ComparedFigures, ComparedScenario, ResultComparison, SideRatios } from './schema.ts';

/** Share of operations that may be lost on a side before a reader must know. */
const noticedLoss = 0.001;

/** One scenario on one side. */
interface Arm {
  readonly side: string;
  readonly paired: boolean;
  readonly scenario: ScenarioResult;
}

/**
 * Finished results side by side, the first of them the base of every ratio. Sides of one session are paired by round,
 * others are taken as independent. A scenario is compared where the first result and another have its id, and
 * mean the same by it.
 */
export function compareResults(results: readonly Result[]): ResultComparison {
  const names = uniqueNames(
    results.map(({ name }) => name),
    '-',
  );
  const [base, ...others] = results;
  const isPaired = ({ session }: Result) => session !== undefined && session === base?.session;
  const armsOf = others.map((result, index) => {
    const scenarios = new Map(result.scenarios.map(scenario => [scenario.id, scenario]));
    return (of: ScenarioResult): Arm[] => {
      const scenario = scenarios.get(of.id);
      return scenario === undefined || armKey(scenario) !== armKey(of)
        ? []
        : [{ side: names[index + 1] ?? '', paired: isPaired(result), scenario }];
    };
  });
  return {
    schemaVersion: 1,
    complete: results.every(result => result.complete),
    sides: results.map((result, index) => ({
      name: names[index] ?? result.name,
      startedAt: result.startedAt,
      finishedAt: result.finishedAt,
      target: result.target,
      paired: index === 0 ? null : isPaired(result),
    })),
    checks: checkFairness(results),
    scenarios: (base?.scenarios ?? []).flatMap(scenario => {
      const arms = armsOf.flatMap(armOf => armOf(scenario));
      return arms.length === 0
        ? []
        : [compareScenario({ side: names[0] ?? '', paired: false, scenario }, arms)];
    }),
    claims: judgeVersusClaims(results),
    thresholds: results.flatMap(({ thresholds }, index) =>
      thresholds.map(threshold => ({ ...threshold, side: names[index] ?? '' })),
    ),
  };
}

function compareScenario(base: Arm, others: readonly Arm[]): ComparedScenario {
  const compared = others.map(other => {
    const ratios = other.paired ? pairedRatios : independentRatios;
    return describeArm(other, ratios(base.scenario, other.scenario));
  });
  return {
    id: base.scenario.id,
    sides: [describeArm(base, null), ...compared],
    notes: [
      ...describeLimits([base, ...others]),
      ...[base, ...others].flatMap(describeLoss),
      ...compared.flatMap(({ side, ratios }) =>
        ratios?.throughput === null
          ? [`no ratio for ${side}: no round in which both completed anything in equal time`]
          : [],
      ),
    ],
  };
}

function describeArm({ side, scenario }: Arm, ratios: SideRatios | null): ComparedScenario['sides'][number] {
  const { summary, limitedBy } = scenario;
  return {
    side,
    ...comparedFigures(summary),
    limitedBy: { resource: limitedBy.resource, evidence: limitedBy.evidence },
    ratios,
  };
}

function comparedFigures(summary: SummaryResult | null): ComparedFigures {
  const figures = comparedMetrics.map(({ summaryKey }) => [summaryKey, summary?.[summaryKey] ?? null]);
  return Object.fromEntries(figures) as ComparedFigures;
}

function describeLimits(arms: readonly Arm[]): string[] {
  const limited = arms.filter(({ scenario }) => limitedByClient.has(scenario.limitedBy.resource));
  if (limited.length === 0) return [];
  const by = limited.map(({ side, scenario }) => `${scenario.limitedBy.resource} on ${side}`);
  return [`this measures the client, not the server: limited by ${by.join(', ')}`];
}

function describeLoss({ side, scenario }: Arm): string[] {
  const lost = lostRatio(scenario.rounds);
  return lost > noticedLoss
    ? [`${formatShare(lost)} of the operations on ${side} failed or stayed unfinished`]
    : [];
}

/** other / base of one scenario on two sides whose rounds were measured in turn: paired by round. */
export function pairedRatios(base: ScenarioResult, other: ScenarioResult): SideRatios {
  const ratio = ({ figure }: Measure) => pairByRound(base, other, figure);
  const rounds = ratio(throughput).byRound.size;
  return {
    rounds,
    coverage: coverageOf(rounds),
    ...ratiosOf(measure => ratio(measure).ratio),
  };
}

/** other / base of one scenario in two runs that were made apart. */
export function independentRatios(base: ScenarioResult, other: ScenarioResult): SideRatios {
  const [baseRounds, otherRounds] = [wholeRounds(base.rounds), wholeRounds(other.rounds)];
  const ratio = ({ figure }: Measure) => independentRatio(baseRounds.map(figure), otherRounds.map(figure));
  return {
    rounds: Math.min(baseRounds.length, otherRounds.length),
    coverage: coverageOf(baseRounds.length) * coverageOf(otherRounds.length),
    ...ratiosOf(ratio),
  };
}

/** The ratio of each compared metric, by its key in comparison.json. */
function ratiosOf(ratio: (measure: Measure) => Interval | null): Omit<SideRatios, 'rounds' | 'coverage'> {
  const ratios = comparedMetrics.map(metric => [metric.ratioKey, ratio(measureOf(metric))]);
  return Object.fromEntries(ratios) as Omit<SideRatios, 'rounds' | 'coverage'>;
}

/**
 * The ratio of the medians of two independent samples, other / base, from the lowest that the intervals of both allow
 * (other.low / base.high) to the highest. If those cover their medians with probabilities p and q (`medianInterval`),
 * and the samples are independent, this covers the ratio with at least p × q: 0.879 with 5 rounds each. It is the
 * rectangle of two simultaneous intervals (Šidák, 1967), wider than a bootstrap of the ratio, and assumes nothing of
 * how the rounds are distributed. What drifted between the two runs, it cannot know.
 *
 * @returns null if there is no value, or one is not above 0, on either side
 */
export function independentRatio(base: readonly number[], other: readonly number[]): Interval | null {
  if (base.length === 0 || other.length === 0) return null;
  if ([...base, ...other].some(value => !(value > 0))) return null;
  const [below, above] = [medianInterval(base), medianInterval(other)];
  return {
    median: above.median / below.median,
    low: above.low / below.high,
    high: above.high / below.low,
  };
}
