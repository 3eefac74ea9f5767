import type { ScenarioResult } from '../../../result.ts';
import { hasPopulations, linesOf } from '../../../scenario/setting.ts';
import { metrics } from '../../../stats/metrics.ts';
import { medianInterval } from '../../../stats/sign-test.ts';
import { formatMs, formatRate } from '../../../text/format.ts';
import { type Block, type Chart, heading, note } from '../../blocks.ts';
import { type IntervalMetric, markedIntervalOf } from '../../figure-columns.ts';
import {
  hysteresisBlocks,
  type LoadTable,
  loadNote,
  loadTable,
  loadTables,
  loopFigures,
  loopValues,
} from '../../load-tables.ts';
import type { MarkedInterval } from '../../marks.ts';
import { axisFromZero, type Format, logAxis } from '../charts/axis.ts';
import { type Line, levelChart, pointOf } from '../charts/line-chart.ts';

/** A line of a chart; dashed if it is not the main subject. */
interface Curve {
  readonly name: string;
  readonly figure: (scenario: ScenarioResult) => MarkedInterval | null;
  readonly dashed?: boolean;
}

const ofMetric = (metric: IntervalMetric): Curve => ({
  name: metric.name,
  figure: scenario => markedIntervalOf(metric, scenario),
});

const ofLoops = (name: string, figure: Parameters<typeof loopValues>[1]): Curve => ({
  name,
  figure: scenario => {
    const values = loopValues(scenario, figure);
    return values.length === 0 ? null : medianInterval(values);
  },
});

interface LoadChart {
  readonly title: string;
  readonly unit: string;
  readonly format: Format;
  readonly log?: boolean;
  readonly curves: readonly Curve[];
}

const charts: readonly LoadChart[] = [
  {
    title: 'Latency against load',
    unit: 'ms',
    format: formatMs,
    log: true,
    curves: [
      ofMetric(metrics['response.p50']),
      ofMetric(metrics['response.p99']),
      ofMetric(metrics['response.p999']),
      { ...ofMetric(metrics['service.p99']), dashed: true },
    ],
  },
  {
    title: 'Offered and completed',
    unit: 'ops/s',
    format: formatRate,
    curves: [
      { ...ofLoops('offered', loopFigures.offered), dashed: true },
      { ...ofMetric(metrics.opsPerSecond), name: 'completed' },
    ],
  },
  {
    title: 'Largest backlog',
    unit: 'operations',
    format: formatRate,
    curves: [ofLoops('due while every worker was busy', loopFigures.backlog)],
  },
  {
    title: 'Lag of the generator, p99',
    unit: 'ms',
    format: formatMs,
    log: true,
    curves: [ofLoops('delay although a worker was free', loopFigures.lag)],
  },
];

/** Open loops: latency, backlog and the generator's own lag against the load. */
export function loadBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const tables = loadTables(scenarios);
  if (tables.length === 0) return [];
  return [
    note(loadNote),
    ...tables.flatMap(table => [
      heading(3, table.heading),
      ...charts.flatMap(drawn => loadCharts(table, drawn)),
      loadTable(table),
      ...hysteresisBlocks(table),
    ]),
  ];
}

/** A curve of these scenarios. */
interface CurveOf extends Curve {
  readonly scenarios: readonly ScenarioResult[];
}

/** All curves of a chart; beside populations a chart for each of them, with the load alone and beside each. */
function loadCharts(table: LoadTable, drawn: LoadChart): Chart[] {
  // The mean rate of stages is not a load that was measured.
  const scenarios = table.scenarios.filter(({ arrival }) => arrival.stages === undefined);
  // A single rate has no curve: the table has its figures.
  if (new Set(scenarios.map(({ arrival }) => arrival.rate)).size < 2) return [];
  const { title, curves } = drawn;
  if (!hasPopulations(scenarios))
    return drawCurves(
      drawn,
      curves.map(curve => ({ ...curve, scenarios })),
    );
  const { names, nameOf } = linesOf(scenarios);
  return curves
    .filter(({ dashed = false }) => !dashed)
    .flatMap(({ name: measure, figure }) =>
      drawCurves(
        { ...drawn, title: `${title}: ${measure}` },
        names.map(name => ({
          ...{ name, figure },
          scenarios: scenarios.filter(scenario => nameOf(scenario) === name),
        })),
      ),
    );
}

function drawCurves(
  { title, unit, log = false, format }: Omit<LoadChart, 'curves'>,
  curves: readonly CurveOf[],
): Chart[] {
  const legs = [...new Set(curves.flatMap(({ scenarios }) => scenarios.map(legOf)))];
  // Where rates go up and down, dashes mark the way down.
  const shown = legs.length > 1 ? curves.filter(({ dashed = false }) => !dashed) : curves;
  const lines = legs.flatMap(leg =>
    shown.map(
      ({ name, figure, dashed = false, scenarios }, look): Line => ({
        name: leg === '' ? name : `${name}, ${leg}`,
        look,
        dashed: dashed || leg === 'down',
        points: scenarios
          .filter(scenario => legOf(scenario) === leg)
          .flatMap(scenario => pointOf(scenario.arrival.rate ?? 0, figure(scenario))),
      }),
    ),
  );
  return levelChart({
    title,
    subtitle:
      legs.length > 1 ? 'medians over the rounds; dashed: on the way down' : 'medians over the rounds',
    label: 'ops/s that were due',
    formatX: formatRate,
    y: values => (log ? logAxis(`${unit}, logarithmic`, values, format) : axisFromZero(unit, values, format)),
    unit,
    lines,
    describeX: rate => `${formatRate(rate)} ops/s due`,
  });
}

const legOf = ({ arrival }: ScenarioResult) => arrival.leg ?? '';
