import { hysteresisColumns, hysteresisNote, loadColumns, loadNote } from '../../report/load-columns.ts';
import { hysteresisOf, type LoadTable, loadTables } from '../../report/load-tables.ts';
import type { Interval, OpenLoopResult, ScenarioResult, SummaryResult } from '../../result.ts';
import { medianInterval } from '../../statistics.ts';
import { formatMs, formatRate } from '../../text/format.ts';
import { axisFromZero, axisOfLevels, type Format, logAxis } from '../charts/axis.ts';
import { lineChart } from '../charts/line-chart.ts';
import type { Line } from '../charts/line-geometry.ts';
import { type Content, type Html, html } from '../html.ts';
import { htmlTable } from '../table.ts';

/** Open loops: latency, backlog and the generator's own lag against the load; null where there are none. */
export function loadCharts(scenarios: readonly ScenarioResult[]): Content {
  const tables = loadTables(scenarios);
  if (tables.length === 0) return null;
  return html`<p class="note">${loadNote}</p>${tables.map(
    table =>
      html`<h3 class="setting">${table.heading}</h3><div class="charts">${[latencyChart(table), doneChart(table), backlogChart(table), lagChart(table)]}</div>${htmlTable(
        `Latency against load: ${table.heading}`,
        table.scenarios,
        loadColumns(),
      )}${hysteresis(table)}`,
  )}`;
}

function hysteresis(table: LoadTable): Content {
  const ways = hysteresisOf(table);
  if (ways.length === 0) return null;
  return html`<p class="note">${hysteresisNote}</p>${htmlTable(`Up and down: ${table.heading}`, ways, hysteresisColumns())}`;
}

type Figure = (scenario: ScenarioResult) => Interval | null;

const ofSummary =
  (figure: (summary: SummaryResult) => Interval | null): Figure =>
  ({ summary }) =>
    summary === null ? null : figure(summary);

/** Of the rounds that tell it. */
const ofLoops =
  (figure: (loop: OpenLoopResult, seconds: number) => number | null): Figure =>
  ({ rounds }) => {
    const values = rounds.flatMap(({ openLoop, seconds }) =>
      openLoop === null ? [] : (figure(openLoop, seconds) ?? []),
    );
    return values.length === 0 ? null : medianInterval(values);
  };

function latencyChart(table: LoadTable): Content {
  return chart(table, {
    name: 'Latency against load',
    unit: 'ms',
    log: true,
    format: formatMs,
    figures: [
      { name: 'response p50', figure: ofSummary(summary => summary.responseP50) },
      { name: 'response p99', figure: ofSummary(summary => summary.responseP99) },
      { name: 'response p99.9', figure: ofSummary(summary => summary.responseP999) },
      { name: 'service p99', figure: ofSummary(summary => summary.serviceP99), dashed: true },
    ],
  });
}

function doneChart(table: LoadTable): Content {
  return chart(table, {
    name: 'Offered and completed',
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
  });
}

function backlogChart(table: LoadTable): Content {
  return chart(table, {
    name: 'Largest backlog',
    unit: 'operations',
    log: false,
    format: formatRate,
    figures: [
      { name: 'due while every worker was busy', figure: ofLoops(({ largestBacklog }) => largestBacklog) },
    ],
  });
}

function lagChart(table: LoadTable): Content {
  return chart(table, {
    name: 'Lag of the generator, p99',
    unit: 'ms',
    log: true,
    format: formatMs,
    figures: [
      { name: 'late to a free worker', figure: ofLoops(({ lag }) => (lag.count === 0 ? null : lag.p99)) },
    ],
  });
}

interface Curves {
  readonly name: string;
  readonly unit: string;
  readonly log: boolean;
  readonly format: Format;
  readonly figures: readonly { readonly name: string; readonly figure: Figure; readonly dashed?: boolean }[];
}

function chart({ scenarios }: LoadTable, { name, unit, log, format, figures }: Curves): Html | null {
  const legs = [...new Set(scenarios.map(({ arrival }) => arrival.leg ?? ''))];
  // Where rates go up and down, dashes tell the way down.
  const shown = legs.length > 1 ? figures.filter(({ dashed = false }) => !dashed) : figures;
  const lines = legs.flatMap(leg =>
    shown.map(
      ({ name, figure, dashed = false }, look): Line => ({
        name: leg === '' ? name : `${name}, ${leg}`,
        look,
        dashed: dashed || leg === 'down',
        points: scenarios.flatMap(scenario => {
          const value = (scenario.arrival.leg ?? '') === leg ? figure(scenario) : null;
          return value === null
            ? []
            : [{ x: scenario.arrival.rate ?? 0, y: value.median, low: value.low, high: value.high }];
        }),
      }),
    ),
  );
  const values = lines.flatMap(({ points }) =>
    points.flatMap(({ low, high }) => [low ?? [], high ?? []].flat()),
  );
  if (values.length === 0) return null;
  return lineChart({
    title: name,
    subtitle:
      legs.length > 1 ? 'medians over the rounds; dashed: on the way down' : 'medians over the rounds',
    x: axisOfLevels(
      'operations/s that were due',
      scenarios.map(({ arrival }) => arrival.rate ?? 0),
      formatRate,
    ),
    y: log ? logAxis(`${unit}, logarithmic`, values, format) : axisFromZero(unit, values, format),
    unit,
    lines,
    describeX: rate => `${formatRate(rate)} ops/s due`,
    marks: true,
  });
}
