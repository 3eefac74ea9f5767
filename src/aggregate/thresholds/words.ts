import type { Result, ThresholdResult } from '../result.ts';
import { findMetric } from '../stats/metrics.ts';
import { formatPlural } from '../text/format.ts';
import { claimPrefix, isMet, parseCondition } from './judge-thresholds.ts';

/** Nearer to its limit than this share of it, a value is told closely. */
const closeShare = 0.01;

/** A threshold, and the side of a comparison that it was set for. */
export type ToldThreshold = ThresholdResult & { readonly side?: string };

/** "response.p99 < 5ms: 7.21 ms in wire-optimized-1pool-50workers". */
export function describeThreshold(threshold: ToldThreshold): string {
  const { metric, condition, scenario, side } = threshold;
  const where = scenario === null ? '' : ` in ${scenario}`;
  const on = side === undefined ? '' : ` on ${side}`;
  return `${metric} ${condition}: ${describeValue(threshold)}${where}${on}`;
}

/** The value in words. */
export function describeValue({ metric, condition, value }: ThresholdResult): string {
  if (value === null) return metric.startsWith(claimPrefix) ? 'not judged' : 'nothing was measured';
  if (typeof value === 'string') return value;
  const kind = findMetric(metric)?.kind;
  if (kind === undefined) return String(value);
  const limit = parseCondition(condition, kind)?.limit;
  const isClose = limit !== undefined && Math.abs(value - limit) < closeShare * limit;
  return isClose ? kind.formatClosely(value) : kind.format(value);
}

/** Whether a value is as its condition wants it, though something else may have made the threshold count as crossed. */
export function isMetByItsValue({ metric, condition, value }: ThresholdResult): boolean {
  const kind = findMetric(metric)?.kind;
  const wanted = kind === undefined ? null : parseCondition(condition, kind);
  return wanted !== null && typeof value === 'number' && isMet(wanted, value);
}

/** "Thresholds crossed: 2 of 26 checks", where a check is of one scenario; null without any. */
export function describeThresholds(thresholds: readonly ThresholdResult[]): string | null {
  if (thresholds.length === 0) return null;
  const crossed = thresholds.filter(threshold => threshold.crossed).length;
  return `Thresholds crossed: ${crossed} of ${formatPlural(thresholds.length, 'check')}`;
}

/** Thresholds as they are listed: crossed ones first, else in the order of the config. */
export function inOrder<Threshold extends ThresholdResult>(thresholds: readonly Threshold[]): Threshold[] {
  return thresholds.toSorted((a, b) => Number(b.crossed) - Number(a.crossed));
}

/** That a run which ended early judged none of its thresholds; null if it had none, or came to its end. */
export function describeUnjudged({ complete, config }: Pick<Result, 'complete' | 'config'>): string | null {
  const set = Object.keys(config.thresholds ?? {}).length;
  if (complete || set === 0) return null;
  return 'Thresholds: not judged, as the run did not come to its end.';
}
