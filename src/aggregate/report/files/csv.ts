import type { Interval, Result, RoundResult } from '../../result.ts';
import type { Column } from '../../scenario/dimension.ts';
import { scenarioColumns } from '../../scenario/scenario.ts';
import { withoutControls } from '../../stats/control.ts';
import { csvMetrics, csvNames, failedOf, metrics, type SummaryRow } from '../../stats/metrics.ts';
import {
  loadsOf,
  type ScenarioLoad,
  type SummarisedLoad,
  summarisedLoadsOf,
} from '../../stats/populations.ts';
import { serverFieldNames } from '../../stats/server-fields.ts';
import { measuredWindows, type ServerPoint } from '../../stats/server-series.ts';
import { sumOf } from '../../stats/statistics.ts';

/** Characters that spreadsheets treat as the beginning of a formula, in both widths. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/;

/**
 * A table as comma-separated values: RFC 4180, with a line of names. Numbers have all their digits, null is an empty
 * field. A text that a spreadsheet would run as a formula has an apostrophe before it, which marks it as text.
 */
export function renderCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ name }) => field(name)),
    ...rows.map(row => columns.map(({ value }) => field(value(row)))),
  ];
  return lines.map(fields => `${fields.join(',')}\r\n`).join('');
}

function field(value: number | boolean | string | null): string {
  // As in result.json, an unbounded end of an interval has no value.
  if (value === null || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return '';
  if (typeof value !== 'string') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * `scenarios.csv`: a line for each scenario and for each population beside it, with its parameters, medians over the
 * rounds, what limited it, and the server.
 */
export function renderScenariosCsv(result: Pick<Result, 'scenarios' | 'target'>): string {
  const loads = withoutControls(result).flatMap(summarisedLoadsOf);
  return renderCsv<SummarisedLoad>(loads, [
    ...columns,
    ...serverColumns(result.target),
    populationColumn,
    { name: 'sharesThreads', value: load => (load.population === null ? null : load.sharesThreads) },
  ]);
}

/** Empty for the load of a scenario. */
const populationColumn: Column<Pick<ScenarioLoad, 'population'>> = {
  name: 'population',
  value: ({ population }) => population,
};

const columns: readonly Column<SummarisedLoad>[] = [
  { name: 'scenario', value: ({ id }) => id },
  ...scenarioColumns().map(({ name, value }) => ({
    name,
    value: ({ fields }: SummarisedLoad) => fields && value(fields),
  })),
  { name: 'rounds', value: ({ rounds }) => rounds.length },
  count('issued', round => round.issued),
  count('completed', round => round.completed),
  count('failed', failedOf),
  count('unfinished', round => round.unfinished),
  count('misses', round => round.misses),
  ...csvMetrics.flatMap(figureColumns),
  { name: 'limitedBy', value: ({ limitedBy }) => limitedBy.resource },
  { name: 'evidence', value: ({ limitedBy }) => limitedBy.evidence },
];

/** The same in every line, because lines may be read separately. Empty if the result lacks it. */
function serverColumns({ detected, standIn, unverified }: Result['target']): Column<SummarisedLoad>[] {
  return [
    { name: 'server', value: () => detected.server },
    { name: 'serverVersion', value: () => detected.version },
    { name: 'standIn', value: () => standIn },
    { name: 'unverified', value: () => unverified ?? null },
  ];
}

/** Of all rounds together. */
function count(name: string, of: (round: RoundResult) => number): Column<SummarisedLoad> {
  return { name, value: ({ rounds }) => sumOf(rounds, of) };
}

/** A median and the ends of its interval, or the one number of a ratio. */
function figureColumns(metric: SummaryRow): Column<SummarisedLoad>[] {
  const names = csvNames(metric);
  if ('part' in metric || 'pooled' in metric)
    return [{ name: names.median, value: ({ summary }) => summary?.[metric.summaryKey] ?? null }];
  const end = (key: keyof Interval) => (load: SummarisedLoad) =>
    load.summary?.[metric.summaryKey]?.[key] ?? null;
  return (['median', 'low', 'high'] as const).map(key => ({ name: names[key], value: end(key) }));
}

interface SeriesRow extends Pick<ScenarioLoad, 'id' | 'population'> {
  readonly round: RoundResult;
  readonly slot: RoundResult['series'][number];
}

const seriesColumns: readonly Column<SeriesRow>[] = [
  { name: 'scenario', value: ({ id }) => id },
  { name: 'round', value: ({ round }) => round.round },
  { name: 'roundStartedAt', value: ({ round }) => round.startedAt },
  { name: 'second', value: ({ slot }) => slot.second },
  { name: 'completed', value: ({ slot }) => slot.completed },
  { name: 'failed', value: ({ slot }) => slot.failed },
  { name: csvNames(metrics['response.p50']).median, value: ({ slot }) => slot.p50 },
  { name: csvNames(metrics['response.p99']).median, value: ({ slot }) => slot.p99 },
  populationColumn,
];

/** `series.csv`: a line for each second of each round of each load, the seconds counted from the start of the window. */
export function renderSeriesCsv(result: Pick<Result, 'scenarios'>): string {
  const rows = withoutControls(result)
    .flatMap(loadsOf)
    .flatMap(({ id, population, rounds }) =>
      rounds.flatMap(round => round.series.map(slot => ({ id, population, round, slot }))),
    );
  return renderCsv(rows, seriesColumns);
}

interface ServerRow {
  readonly point: ServerPoint;
  /** Whose window it was; undefined: between two. */
  readonly window: ReturnType<typeof measuredWindows>[number] | undefined;
}

const serverSeriesColumns: readonly Column<ServerRow>[] = [
  { name: 'at', value: ({ point }) => point.at },
  { name: 'scenario', value: ({ window }) => window?.scenario ?? null },
  { name: 'round', value: ({ window }) => window?.round ?? null },
  ...serverFieldNames.map(name => ({ name, value: ({ point }: ServerRow) => point[name] })),
];

/**
 * `server.csv`: a line for each reply of the server to INFO, with the measurement at that time. Counters are as
 * reported.
 */
export function renderServerCsv(result: Pick<Result, 'scenarios' | 'serverSeries'>): string {
  const windows = measuredWindows(result);
  const rows = (result.serverSeries?.points ?? []).map((point): ServerRow => {
    const atMs = Date.parse(point.at);
    return { point, window: windows.find(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs) };
  });
  return renderCsv(rows, serverSeriesColumns);
}
