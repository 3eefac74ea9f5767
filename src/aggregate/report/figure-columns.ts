import type { Interval, ScenarioResult } from '../result.ts';
import {
  type MedianMetric,
  type Metric,
  metrics,
  type RatioMetric,
  type SummaryRow,
} from '../stats/metrics.ts';
import { isLowerBound } from '../stats/warnings.ts';
import { formatInterval, nothing } from '../text/format.ts';
import { type Column, figures } from './blocks.ts';

/** Columns of figures: name, unit, format and key come from the registry of metrics. */

/** A metric that has a median with an interval in `summary` of a result. */
export type IntervalMetric = MedianMetric & Exclude<SummaryRow, RatioMetric>;

/** What every chart of single scenarios shows. */
export const chartedMetrics = [metrics.opsPerSecond, metrics['response.p99']] as const;

/** Whether the short name is the unit itself: "ops/s". */
export const isNamedByUnit = ({ short, kind }: Pick<Metric, 'short' | 'kind'>) => short === kind.unit;

/** "p99 ms", "ops/s". */
export function headOf(metric: Pick<Metric, 'short' | 'kind'>): string {
  return isNamedByUnit(metric) ? metric.short : `${metric.short} ${metric.kind.unit}`;
}

/** Null if nothing was measured. */
export function intervalOf({ summaryKey }: IntervalMetric, { summary }: ScenarioResult): Interval | null {
  return summary?.[summaryKey] ?? null;
}

/**
 * A metric of a scenario: the median with its interval.
 *
 * @param terminal heading for a terminal, which shows the median alone; nothing without one
 */
export function metricColumn(
  metric: IntervalMetric,
  { name = headOf(metric), terminal }: { readonly name?: string; readonly terminal?: string } = {},
): Column<ScenarioResult> {
  return figures(name, scenario => formatMetric(metric, scenario), {
    terminal: terminal !== undefined && {
      name: terminal,
      cell: scenario => formatMetric(metric, scenario, { withInterval: false }),
    },
  });
}

/**
 * A metric of a scenario, marked if it is a lower bound: operations that were never sent would have been
 * slower.
 */
export function formatMetric(
  metric: IntervalMetric,
  scenario: ScenarioResult,
  { withInterval = true } = {},
): string {
  const interval = intervalOf(metric, scenario);
  if (interval === null) return nothing;
  const { completedOnly = false, kind } = metric;
  const bound = completedOnly && isLowerBound(scenario.rounds) ? '≥' : '';
  return (
    bound + (withInterval ? formatInterval(interval, kind.formatNumber) : kind.formatNumber(interval.median))
  );
}
