import { judgeVersusClaims } from '../claims/claims.ts';
import type { Result, ScenarioResult, SummaryResult } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { comparedMetrics } from '../stats/metrics.ts';
import { lostRatio } from '../stats/summary.ts';
import { formatFraction } from '../text/format.ts';
import { uniqueNames } from '../text/safe-name.ts';
import { checkFairness, limitedByClient } from './checks.ts';
import { independentRatios, pairedRatios } from './ratios.ts';
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
    ? [`${formatFraction(lost)} of the operations on ${side} failed or stayed unfinished`]
    : [];
}
