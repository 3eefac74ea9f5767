import { judgeVersusClaims } from '../claims/claims.ts';
import type { Gate } from '../gates/gate.ts';
import { judgeGates } from '../gates/judge-gates.ts';
import type { Interval, Result, RoundResult, ScenarioResult } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { withoutControls } from '../stats/control.ts';
import { measureOf, throughput } from '../stats/measures.ts';
import { comparedMetrics, type MedianMetric, pooledTails } from '../stats/metrics.ts';
import { pairByRound, wholeRounds } from '../stats/rounds.ts';
import { coverageOfRatio, medianInterval } from '../stats/sign-test.ts';
import { unbounded } from '../stats/statistics.ts';
import { lostRatio } from '../stats/summary.ts';
import { caveatOf, isLowerBound } from '../stats/tails.ts';
import { formatFraction } from '../text/format.ts';
import { uniqueNames } from '../text/safe-name.ts';
import type { ComparedFigures, ComparedScenario, ResultComparison, SideRatios } from './schema.ts';
import { checkTraits, limitedByClient } from './traits.ts';

/** Fraction of a side's operations whose loss needs no note. */
const maxUnnoticedLoss = 0.001;

/** One scenario on one side. */
interface Arm {
  readonly side: string;
  readonly paired: boolean;
  readonly scenario: ScenarioResult;
}

/**
 * Compares finished results with the first one. Sides of one session are paired by round; others are treated as
 * independent. A scenario is compared if the first result and another have its id, with the same meaning.
 *
 * @param gates conditions on what differs
 */
export function compareResults(results: readonly Result[], gates: readonly Gate[] = []): ResultComparison {
  const names = uniqueNames(
    results.map(({ name }) => name),
    '-',
  );
  const sides = results.map((result, index) => ({
    ...result,
    name: names[index] ?? result.name,
    paired: index === 0 ? null : result.session !== undefined && result.session === results[0]?.session,
  }));
  const [base, ...others] = sides;
  return {
    schemaVersion: 1,
    complete: results.every(result => result.complete),
    sides: sides.map(({ name, startedAt, finishedAt, target, paired, control }) => ({
      name,
      startedAt,
      finishedAt,
      target,
      paired,
      ...(control === undefined ? {} : { control }),
    })),
    checks: checkTraits('comparison', results),
    scenarios: (base === undefined ? [] : withoutControls(base)).flatMap(scenario => {
      const arms = others.flatMap((other): Arm[] => {
        const { name, paired } = other;
        const same = withoutControls(other).find(({ id }) => id === scenario.id);
        const isEqual = same !== undefined && armKey(same) === armKey(scenario);
        return isEqual ? [{ side: name, paired: paired === true, scenario: same }] : [];
      });
      return arms.length === 0
        ? []
        : [compareScenario({ side: base?.name ?? '', paired: false, scenario }, arms)];
    }),
    claims: judgeVersusClaims(results),
    thresholds: sides.flatMap(({ name, thresholds }) =>
      thresholds.map(threshold => ({ ...threshold, side: name })),
    ),
    gates: judgeGates(sides, gates),
  };
}

function compareScenario(base: Arm, others: readonly Arm[]): ComparedScenario {
  const arms = [base, ...others];
  const sides = arms.map(arm => describeArm(arm, arm === base ? null : ratiosOf(base.scenario, arm)));
  return {
    id: base.scenario.id,
    sides,
    notes: [
      ...describeLimits(arms),
      ...arms.flatMap(describeLoss),
      ...sides.flatMap(({ side, ratios }) =>
        ratios?.throughput === null
          ? [`no ratio for ${side}: no round in which both completed anything in equal time`]
          : [],
      ),
    ],
  };
}

function describeArm({ side, scenario }: Arm, ratios: SideRatios | null): ComparedScenario['sides'][number] {
  const { summary, limitedBy } = scenario;
  const figures = comparedMetrics.map(({ summaryKey }) => [summaryKey, summary?.[summaryKey] ?? null]);
  const { responseP99 } = pooledTails;
  const pooled = summary?.[responseP99.summaryKey] ?? null;
  const caveats = [...comparedMetrics, responseP99].flatMap(metric => {
    const caveat = caveatOf(metric, scenario);
    return caveat === null ? [] : [[metric.summaryKey, caveat] as const];
  });
  return {
    side,
    ...(Object.fromEntries(figures) as ComparedFigures),
    [responseP99.summaryKey]: pooled,
    caveats: Object.fromEntries(caveats),
    limitedBy: { resource: limitedBy.resource, evidence: limitedBy.evidence },
    ratios,
  };
}

function describeLimits(arms: readonly Arm[]): string[] {
  const limited = arms.filter(({ scenario }) => limitedByClient.has(scenario.limitedBy.resource));
  if (limited.length === 0) return [];
  const by = limited.map(({ side, scenario }) => `${scenario.limitedBy.resource} on ${side}`);
  return [`this measures the client, not the server: limited by ${by.join(', ')}`];
}

function describeLoss({ side, scenario }: Arm): string[] {
  const lost = lostRatio(scenario.rounds);
  return lost > maxUnnoticedLoss
    ? [`${formatFraction(lost)} of the operations on ${side} failed or stayed unfinished`]
    : [];
}

/** other / base for each compared metric: paired by round if the rounds of both sides were measured in turn. */
function ratiosOf(base: ScenarioResult, { scenario: other, paired }: Arm): SideRatios {
  if (paired) {
    const rounds = pairByRound(base, other, throughput).series.roundsCounted;
    const coverage = coverageOfRatio(rounds);
    return { rounds, coverage, ...byRatioKey(metric => pairByRound(base, other, measureOf(metric)).ratio) };
  }
  const [ofBase, ofOther] = [wholeRounds(base.rounds), wholeRounds(other.rounds)];
  return {
    rounds: Math.min(ofBase.length, ofOther.length),
    coverage: coverageOfSeparate(ofBase, ofOther),
    ...byRatioKey(metric => separateRatio(ofBase, ofOther, metric)),
  };

  function byRatioKey(ratio: (metric: MedianMetric) => Interval | null) {
    const ratios = comparedMetrics.map(metric => [metric.ratioKey, ratio(metric)]);
    return Object.fromEntries(ratios) as Omit<SideRatios, 'rounds' | 'coverage'>;
  }
}

/** The ratio of the medians of separate runs. A lower bound leaves open how far the true ratio lies beyond it. */
function separateRatio(
  base: readonly RoundResult[],
  other: readonly RoundResult[],
  metric: MedianMetric,
): Interval | null {
  const values = (rounds: readonly RoundResult[]) => rounds.map(round => metric.ofRound(round) ?? 0);
  const highest = (rounds: readonly RoundResult[]) =>
    rounds.map(round =>
      isLowerBound(metric, [round]) ? Number.POSITIVE_INFINITY : (metric.ofRound(round) ?? 0),
    );
  const ratio = independentRatio(values(base), values(other));
  const [low, high] = [
    independentRatio(highest(base), values(other)),
    independentRatio(values(base), highest(other)),
  ];
  return ratio && low && high && { median: ratio.median, low: low.low, high: high.high };
}

/**
 * The ratio of the medians of two independent samples, other / base, from the lowest that the intervals of both allow
 * (other.low / base.high) to the highest. If those cover their medians with probabilities p and q (`medianInterval`),
 * and the samples are independent, this covers the ratio with at least p × q: 0.938 with 6 rounds each. It is the
 * rectangle of two simultaneous intervals (Šidák, 1967), wider than a bootstrap of the ratio, and assumes nothing of
 * how the rounds are distributed. It does not cover drift between the two runs.
 *
 * @returns null if there is no value, or one is not above 0, on either side; unbounded if either has too few rounds for a
 * ratio
 */
export function independentRatio(base: readonly number[], other: readonly number[]): Interval | null {
  if (base.length === 0 || other.length === 0) return null;
  if ([...base, ...other].some(value => !(value > 0))) return null;
  const [below, above] = [medianInterval(base), medianInterval(other)];
  const ratio = above.median / below.median;
  return coverageOfSeparate(base, other) === 0
    ? unbounded(ratio)
    : { median: ratio, low: above.low / below.high, high: above.high / below.low };
}

/** Min probability with which `independentRatio` covers the true ratio, 0 to 1. */
function coverageOfSeparate(base: readonly unknown[], other: readonly unknown[]): number {
  return coverageOfRatio(base.length) * coverageOfRatio(other.length);
}
