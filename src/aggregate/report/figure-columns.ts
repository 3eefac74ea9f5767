import type { Interval, ScenarioResult, SummaryResult } from '../result.ts';
import { isLowerBound } from '../stats/warnings.ts';
import { formatInterval, formatMs, nothing } from '../text/format.ts';
import { type Column, figures } from './blocks.ts';

/** Columns of figures: every table takes them from here. */

/** A terminal shows the median alone under its own heading; nothing without one. */
interface Short {
  readonly terminal?: string;
}

/** Medians with their intervals, a dash where nothing was measured. */
export function intervalColumn<Row>(
  name: string,
  figure: (row: Row) => Interval | null | undefined,
  format: (value: number) => string,
  { terminal }: Short = {},
): Column<Row> {
  const median = (row: Row) => {
    const interval = figure(row);
    return interval == null ? nothing : format(interval.median);
  };
  return figures(name, row => formatInterval(figure(row) ?? null, format), {
    terminal: terminal !== undefined && { name: terminal, cell: median },
  });
}

type LatencyKey = {
  [Key in keyof SummaryResult]: SummaryResult[Key] extends Interval | null | undefined ? Key : never;
}[keyof SummaryResult];

/** A latency of a scenario in milliseconds. */
export function latencyColumn(
  name: string,
  key: LatencyKey,
  { terminal }: Short = {},
): Column<ScenarioResult> {
  const latency = (scenario: ScenarioResult, intervals: boolean) =>
    formatLatency(scenario, scenario.summary?.[key], intervals);
  return figures(name, scenario => latency(scenario, true), {
    terminal: terminal !== undefined && { name: terminal, cell: scenario => latency(scenario, false) },
  });
}

/** A latency, with a mark where it is a lower bound: what was never sent would have been slower. */
export function formatLatency(
  { rounds }: ScenarioResult,
  latency: Interval | null | undefined,
  intervals = true,
): string {
  if (latency === null || latency === undefined) return nothing;
  const bound = isLowerBound(rounds) ? '≥' : '';
  return bound + (intervals ? formatInterval(latency, formatMs) : formatMs(latency.median));
}
