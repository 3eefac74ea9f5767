import type { Interval, ScenarioResult } from '../result.ts';
import { describeBeside } from '../scenario/beside.ts';
import { hasPopulations } from '../scenario/setting.ts';
import {
  type MedianMetric,
  type Metric,
  metrics,
  type PooledMetric,
  pooledTails,
  type RatioMetric,
  type SummaryRow,
} from '../stats/metrics.ts';
import { caveatOf } from '../stats/tails.ts';
import { formatInterval, nothing } from '../text/format.ts';
import { type Column, figures, narrow, wide, words } from './blocks.ts';
import { type MarkedInterval, withMark, withMedianMarked } from './marks.ts';

/** Columns of figures: name, unit, format and key come from the registry of metrics. */

/** A metric that has a median with an interval in `summary` of a result. */
export type IntervalMetric = MedianMetric & Exclude<SummaryRow, RatioMetric | PooledMetric>;

/** What every chart of single scenarios shows. */
export const chartedMetrics = [metrics.opsPerSecond, metrics['response.p99']] as const;

/** Whether the short name is the unit itself: "ops/s". */
export const isNamedByUnit = ({ short, kind }: Pick<Metric, 'short' | 'kind'>) => short === kind.unit;

/** "p99 ms", "ops/s". */
export function headOf(metric: Pick<Metric, 'short' | 'kind'>): string {
  return isNamedByUnit(metric) ? metric.short : `${metric.short} ${metric.kind.unit}`;
}

/** Null if nothing was measured. */
export function intervalOf(
  { summaryKey }: IntervalMetric,
  { summary }: Pick<ScenarioResult, 'summary'>,
): Interval | null {
  return summary?.[summaryKey] ?? null;
}

/** The same, with the caveat of its median. */
export function markedIntervalOf(metric: IntervalMetric, scenario: ScenarioResult): MarkedInterval | null {
  const interval = intervalOf(metric, scenario);
  return interval && { ...interval, caveat: caveatOf(metric, scenario) };
}

/**
 * A metric of a scenario: the median with its interval.
 *
 * @param terminal heading for a terminal, which shows only the median; not shown without one
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

/** What runs beside each scenario, on a terminal in a line above the row; no column if all run alone. */
export function populationColumns<Row>(
  scenarios: readonly ScenarioResult[],
  scenarioOf: (row: Row) => ScenarioResult,
): Column<Row>[] {
  if (!hasPopulations(scenarios)) return [];
  const cell = (row: Row) => describeBeside(scenarioOf(row).beside);
  return [words('', cell, { on: narrow, ownLine: 'above' }), words('populations', cell, { on: wide })];
}

/** "17.3†": a terminal has room for this many characters next to the other columns. */
const maxPooledLength = 5;

/** A tail of all rounds together; no column if no scenario has it, as during a run, or before 0.6. */
export function pooledColumns(
  scenarios: readonly ScenarioResult[],
  keys: readonly (keyof typeof pooledTails)[],
  { terminal }: { readonly terminal?: string } = {},
): Column<ScenarioResult>[] {
  return keys.flatMap(key => {
    const metric = pooledTails[key];
    const pooledOf = ({ summary }: ScenarioResult) => summary?.[metric.summaryKey] ?? null;
    if (scenarios.every(scenario => pooledOf(scenario) === null)) return [];
    const cell = (scenario: ScenarioResult) => {
      const value = pooledOf(scenario);
      return value === null ? nothing : withMark(metric.kind.formatNumber(value), caveatOf(metric, scenario));
    };
    const fits = scenarios.every(scenario => cell(scenario).length <= maxPooledLength);
    return [
      figures(headOf(metric), cell, { terminal: terminal !== undefined && fits && { name: terminal } }),
    ];
  });
}

/** A metric of a scenario, with the mark of its caveat. */
export function formatMetric(
  metric: IntervalMetric,
  scenario: ScenarioResult,
  options?: Parameters<typeof formatMarked>[2],
): string {
  return formatMarked(markedIntervalOf(metric, scenario), metric, options);
}

/** An interval of a metric, or only its median, with the mark of its caveat; a dash if nothing was measured. */
export function formatMarked(
  interval: MarkedInterval | null,
  { kind: { formatNumber } }: Pick<IntervalMetric, 'kind'>,
  { withInterval = true } = {},
): string {
  if (interval === null) return nothing;
  const figure = withInterval ? formatInterval(interval, formatNumber) : formatNumber(interval.median);
  return withMedianMarked(figure, interval.caveat);
}
