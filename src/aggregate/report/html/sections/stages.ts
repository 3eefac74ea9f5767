import type { Caveat, ScenarioResult } from '../../../result.ts';
import { describeRate } from '../../../scenario/arrival.ts';
import { medianInterval } from '../../../stats/sign-test.ts';
import { caveatOfStage } from '../../../stats/tails.ts';
import { formatMs, formatRate } from '../../../text/format.ts';
import { type Block, type Chart, heading } from '../../blocks.ts';
import { loadTables, type StageResult, type StageRow, stageBlocks, stagesOf } from '../../load-tables.ts';
import { axisFromZero, type Format, logAxis } from '../charts/axis.ts';
import { type Line, lineChart, pointOf } from '../charts/line-chart.ts';

interface StageChart {
  readonly title: string;
  readonly unit: string;
  readonly format: Format;
  readonly log?: boolean;
  readonly curves: readonly {
    readonly name: string;
    /** Null: the round has no such figure. */
    readonly figure: (stage: StageResult) => number | null;
    readonly caveat?: (row: StageRow) => Caveat | null;
    readonly dashed?: boolean;
  }[];
}

const charts: readonly StageChart[] = [
  {
    title: 'Latency by stage',
    unit: 'ms',
    format: formatMs,
    log: true,
    curves: (['p50', 'p99'] as const).map(percentile => ({
      name: `response ${percentile}`,
      figure: stage => stage[percentile],
      caveat: ({ measured }) => caveatOfStage(percentile, measured),
    })),
  },
  {
    title: 'Due and completed by stage',
    unit: 'ops/s',
    format: formatRate,
    curves: [
      { name: 'due', figure: ({ offered, seconds }) => offered / seconds, dashed: true },
      { name: 'completed, also after the stage', figure: ({ completed, seconds }) => completed / seconds },
    ],
  },
  {
    title: 'Largest backlog by stage',
    unit: 'operations',
    format: formatRate,
    curves: [{ name: 'due while every worker was busy', figure: ({ largestBacklog }) => largestBacklog }],
  },
];

/** Max scenarios of a page that have charts; the tables have all. */
const maxCharted = 12;

/** Open loops whose rates change within the window: the results of each stage. */
export function stageSection(scenarios: readonly ScenarioResult[]): Block[] {
  const tables = loadTables(scenarios).filter(table => stagesOf(table).length > 0);
  const charted = new Set(
    tables
      .flatMap(stagesOf)
      .map(({ id }) => id)
      .slice(0, maxCharted),
  );
  return tables.flatMap(table => [
    heading(3, table.heading),
    ...stagesOf(table)
      .filter(({ id }) => charted.has(id))
      .flatMap(({ id, rows }) => charts.flatMap(drawn => stageChart(id, rows, drawn))),
    ...stageBlocks(table),
  ]);
}

/** Each figure is drawn in the middle of its stage. No chart if there is only one stage, or no figure. */
function stageChart(id: string, rows: readonly StageRow[], drawn: StageChart): Chart[] {
  const { title, unit, format, log = false, curves } = drawn;
  const lines = curves.map(
    ({ name, figure, caveat = () => null, dashed = false }, look): Line => ({
      ...{ name, look, dashed },
      points: rows.flatMap(row => {
        const values = row.measured.flatMap(stage => figure(stage) ?? []);
        if (values.length === 0) return [];
        return pointOf(middleOf(row), { ...medianInterval(values), caveat: caveat(row) });
      }),
    }),
  );
  const values = lines.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [y, low, high]));
  if (rows.length < 2 || values.length === 0) return [];
  const end = Math.max(...rows.map(({ untilSeconds }) => untilSeconds));
  const x = axisFromZero('seconds of the window', [end], String);
  return [
    lineChart({
      ...{ title, unit, lines, marks: true },
      subtitle: `${id}; medians over the rounds`,
      x: { ...x, domain: [0, end], ticks: x.ticks.filter(({ at }) => at <= end) },
      y: log ? logAxis(`${unit}, logarithmic`, values, format) : axisFromZero(unit, values, format),
      describeX: at => {
        const row = rows.find(one => middleOf(one) === at);
        return row === undefined
          ? `${at} s`
          : `${describeRate(row)}, ${row.fromSeconds} to ${row.untilSeconds} s`;
      },
    }),
  ];
}

function middleOf({ fromSeconds, untilSeconds }: StageRow): number {
  return (fromSeconds + untilSeconds) / 2;
}
