import type { Interval, OpenLoopResult, ScenarioResult, SummaryResult } from '../../../result.ts';
import { medianInterval } from '../../../stats/statistics.ts';
import { formatMs, formatRate } from '../../../text/format.ts';
import { type Block, type Chart, heading, note } from '../../blocks.ts';
import {
  hysteresisNote,
  hysteresisOf,
  hysteresisTable,
  type LoadTable,
  loadNote,
  loadTable,
  loadTables,
} from '../../load-tables.ts';
import { axisFromZero, type Format, logAxis } from '../charts/axis.ts';
import { type Line, levelChart, pointOf } from '../charts/line-chart.ts';

type Figure = (scenario: ScenarioResult) => Interval | null;

const ofSummary =
  (figure: (summary: SummaryResult) => Interval | null): Figure =>
  ({ summary }) =>
    summary === null ? null : figure(summary);

/** Of the rounds that have it. */
const ofLoops =
  (figure: (loop: OpenLoopResult, seconds: number) => number | null): Figure =>
  ({ rounds }) => {
    const values = rounds.flatMap(({ openLoop, seconds }) =>
      openLoop === null ? [] : (figure(openLoop, seconds) ?? []),
    );
    return values.length === 0 ? null : medianInterval(values);
  };

interface Curves {
  readonly title: string;
  readonly unit: string;
  readonly log: boolean;
  readonly format: Format;
  readonly figures: readonly { readonly name: string; readonly figure: Figure; readonly dashed?: boolean }[];
}

const curves: readonly Curves[] = [
  {
    title: 'Latency against load',
    unit: 'ms',
    log: true,
    format: formatMs,
    figures: [
      { name: 'response p50', figure: ofSummary(summary => summary.responseP50) },
      { name: 'response p99', figure: ofSummary(summary => summary.responseP99) },
      { name: 'response p99.9', figure: ofSummary(summary => summary.responseP999) },
      { name: 'service p99', figure: ofSummary(summary => summary.serviceP99), dashed: true },
    ],
  },
  {
    title: 'Offered and completed',
    unit: 'ops/s',
    log: false,
    format: formatRate,
    figures: [
      {
        name: 'offered',
        figure: ofLoops(({ offered }, seconds) => (seconds > 0 ? offered / seconds : null)),
        dashed: true,
      },
      { name: 'completed', figure: ofSummary(summary => summary.opsPerSecond) },
    ],
  },
  {
    title: 'Largest backlog',
    unit: 'operations',
    log: false,
    format: formatRate,
    figures: [
      { name: 'due while every worker was busy', figure: ofLoops(({ largestBacklog }) => largestBacklog) },
    ],
  },
  {
    title: 'Lag of the generator, p99',
    unit: 'ms',
    log: true,
    format: formatMs,
    figures: [
      { name: 'late to a free worker', figure: ofLoops(({ lag }) => (lag.count === 0 ? null : lag.p99)) },
    ],
  },
];

/** Open loops: latency, backlog and the generator's own lag against the load. */
export function loadBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const tables = loadTables(scenarios);
  if (tables.length === 0) return [];
  return [note(loadNote), ...tables.flatMap(tableBlocks)];
}

function tableBlocks(table: LoadTable): Block[] {
  const ways = hysteresisOf(table);
  return [
    heading(3, table.heading),
    ...curves.flatMap(figures => loadChart(table, figures)),
    loadTable(table),
    ...(ways.length === 0 ? [] : [note(hysteresisNote), hysteresisTable(ways)]),
  ];
}

function loadChart({ scenarios }: LoadTable, { title, unit, log, format, figures }: Curves): Chart[] {
  const legs = [...new Set(scenarios.map(({ arrival }) => arrival.leg ?? ''))];
  // Where rates go up and down, dashes mark the way down.
  const shown = legs.length > 1 ? figures.filter(({ dashed = false }) => !dashed) : figures;
  const lines = legs.flatMap(leg =>
    shown.map(
      ({ name, figure, dashed = false }, look): Line => ({
        name: leg === '' ? name : `${name}, ${leg}`,
        look,
        dashed: dashed || leg === 'down',
        points: scenarios
          .filter(({ arrival }) => (arrival.leg ?? '') === leg)
          .flatMap(scenario => pointOf(scenario.arrival.rate ?? 0, figure(scenario))),
      }),
    ),
  );
  return levelChart({
    title,
    subtitle:
      legs.length > 1 ? 'medians over the rounds; dashed: on the way down' : 'medians over the rounds',
    label: 'operations/s that were due',
    formatX: formatRate,
    y: values => (log ? logAxis(`${unit}, logarithmic`, values, format) : axisFromZero(unit, values, format)),
    unit,
    lines,
    describeX: rate => `${formatRate(rate)} ops/s due`,
  });
}
