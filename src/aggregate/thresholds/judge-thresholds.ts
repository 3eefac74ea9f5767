import type { ClaimResult, ScenarioResult, ThresholdResult } from '../result.ts';
import { isMet, parseCondition } from './condition.ts';
import { metrics } from './metrics.ts';

/** What stands before the id of a claim. */
export const claimPrefix = 'claim.';

/** What a key of `thresholds` is about: a metric of one scenario or of all, or `claim.<id>`, which is of the whole run. */
export interface ThresholdKey {
  readonly metric: string;
  /** Null: every scenario. */
  readonly scenario: string | null;
}

/** Reads "response.p99", or "wire-optimized-1pool-50workers: response.p99". */
export function parseThresholdKey(key: string): ThresholdKey {
  const colon = key.lastIndexOf(':');
  if (colon < 0) return { metric: key.trim(), scenario: null };
  return { metric: key.slice(colon + 1).trim(), scenario: key.slice(0, colon).trim() };
}

/** What the thresholds are judged by. */
interface Measured {
  readonly scenarios: readonly ScenarioResult[];
  readonly claims: readonly ClaimResult[];
}

/**
 * Holds what was measured against the thresholds of a config, in its order: an entry for each scenario that one is
 * about. What was not measured, or not tested, counts as crossed.
 */
export function judgeThresholds(
  thresholds: Readonly<Record<string, string>>,
  measured: Measured,
): ThresholdResult[] {
  return Object.entries(thresholds).flatMap(([key, condition]) => {
    const { metric, scenario } = parseThresholdKey(key);
    if (metric.startsWith(claimPrefix)) return [judgeClaim(metric, condition, measured.claims)];
    return measured.scenarios
      .filter(({ id, arrival }) => (scenario === null || id === scenario) && isAbout(metric, arrival.kind))
      .map(measuredScenario => judgeScenario(metric, condition, measuredScenario));
  });
}

/** Whether a scenario with this arrival has such a figure. */
export function isAbout(metric: string, arrival: string): boolean {
  const known = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return known?.ofOpenLoop !== true || arrival !== 'closed';
}

function judgeClaim(metric: string, condition: string, claims: readonly ClaimResult[]): ThresholdResult {
  const verdict = claims.find(({ id }) => id === metric.slice(claimPrefix.length))?.verdict ?? null;
  return { metric, condition, scenario: null, value: verdict, crossed: verdict !== condition.trim() };
}

function judgeScenario(metric: string, condition: string, scenario: ScenarioResult): ThresholdResult {
  const known = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  const value = known?.value(scenario) ?? null;
  const wanted = known === undefined ? null : parseCondition(condition, known.kind);
  const crossed = value === null || wanted === null || !isMet(wanted, value);
  return { metric, condition, scenario: scenario.id, value, crossed };
}
