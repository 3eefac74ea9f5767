import type { ClaimResult, Result, ScenarioResult, ThresholdResult, Verdict } from '../result.ts';
import { findMetric, type Kind } from '../stats/metrics.ts';
import { figureOf } from '../stats/summary.ts';
import { caveatFor, isRange, isWorstStall } from '../stats/tails.ts';

/** A condition on a number, in the unit of result.json. */
interface Condition {
  readonly operator: Operator;
  readonly limit: number;
}

const operators = {
  '<': (value: number, limit: number) => value < limit,
  '<=': (value: number, limit: number) => value <= limit,
  '>': (value: number, limit: number) => value > limit,
  '>=': (value: number, limit: number) => value >= limit,
} as const;
type Operator = keyof typeof operators;

/** Verdicts that a threshold on a claim can ask for. */
export const wantedVerdicts = ['supported', 'refuted'] as const satisfies readonly Verdict[];

/** Reads "< 5ms"; null if it is no condition on a value of this kind. Units are told apart by letter, not by case. */
export function parseCondition(text: string, { units, max }: Kind): Condition | null {
  const [, operator, number, unit = ''] =
    /^\s*(<=?|>=?)\s*(\d+(?:\.\d+)?)\s*([a-zµ]*|%)\s*$/.exec(oneMicro(text)) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (operator === undefined || factor === undefined) return null;
  // A product would leave 0.1 % a little off 0.001.
  const limit = factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor;
  return limit <= max ? { operator: operator as Operator, limit } : null;
}

/** Whether a value meets the condition. */
export function isMet({ operator, limit }: Condition, value: number): boolean {
  return operators[operator](value, limit);
}

/** The micro sign and the Greek letter look alike: the sign of both. */
function oneMicro(text: string): string {
  return text.replaceAll('\u03bc', '\u00b5');
}

/** What stands before the id of a claim. */
export const claimPrefix = 'claim.';

/** What a key of `thresholds` is about: a metric of one scenario or of all, or `claim.<id>`, which is of the whole run. */
interface ThresholdKey {
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
  readonly target: Pick<Result['target'], 'standIn'>;
  readonly scenarios: readonly ScenarioResult[];
  readonly claims: readonly ClaimResult[];
}

/**
 * Holds what was measured against the thresholds of a config, in its order: an entry for each scenario that one is
 * about. What was not measured, or not tested, counts as crossed; so do an upper limit that the highest value of a lower
 * bound exceeds, because operations were lost after a longer wait, and everything that was measured on a stand-in. A
 * percentile that is practically the worst stall is judged: it is a real figure, and its mark says what it is.
 */
export function judgeThresholds(
  thresholds: Readonly<Record<string, string>>,
  measured: Measured,
): ThresholdResult[] {
  const judged = Object.entries(thresholds).flatMap(([key, condition]) => {
    const { metric, scenario } = parseThresholdKey(key);
    if (metric.startsWith(claimPrefix)) return [judgeClaim(metric, condition, measured.claims)];
    return measured.scenarios
      .filter(({ id, arrival }) => (scenario === null || id === scenario) && isAbout(metric, arrival.kind))
      .map(measuredScenario => judgeScenario(metric, condition, measuredScenario));
  });
  return measured.target.standIn ? judged.map(threshold => ({ ...threshold, crossed: true })) : judged;
}

/** Whether a scenario with this arrival has such a figure. */
export function isAbout(metric: string, arrival: string): boolean {
  return findMetric(metric)?.openLoopOnly !== true || arrival !== 'closed';
}

function judgeClaim(metric: string, condition: string, claims: readonly ClaimResult[]): ThresholdResult {
  const verdict = claims.find(({ id }) => id === metric.slice(claimPrefix.length))?.verdict ?? null;
  return { metric, condition, scenario: null, value: verdict, crossed: verdict !== condition.trim() };
}

function judgeScenario(metric: string, condition: string, scenario: ScenarioResult): ThresholdResult {
  const known = findMetric(metric);
  const ends = known === undefined ? null : figureOf(known, scenario);
  const judged = { metric, condition, scenario: scenario.id };
  if (known === undefined || ends === null) return { ...judged, value: null, crossed: true };
  const wanted = parseCondition(condition, known.kind);
  const crossed = wanted === null || [ends.low, ends.high].some(figure => !isMet(wanted, figure));
  const caveat = caveatFor(isRange(ends), isWorstStall(known, scenario));
  return { ...judged, value: ends.low, crossed, ...(caveat === null ? {} : { caveat }) };
}
