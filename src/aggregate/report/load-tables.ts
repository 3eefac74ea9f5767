import type { Interval, OpenLoopResult, Result, ScenarioResult } from '../result.ts';
import { describeRate, describeReplayed, secondsOf } from '../scenario/arrival.ts';
import { workloadsOf } from '../scenario/beside.ts';
import { armKey } from '../scenario/scenario.ts';
import { groupWithPopulations } from '../scenario/setting.ts';
import { withoutControls } from '../stats/control.ts';
import { p99 } from '../stats/measures.ts';
import { metrics } from '../stats/metrics.ts';
import { summarisedLoadsOf } from '../stats/populations.ts';
import { pairByRound } from '../stats/rounds.ts';
import { median } from '../stats/statistics.ts';
import { caveatOfStage } from '../stats/tails.ts';
import {
  formatCount,
  formatFraction,
  formatMs,
  formatPlural,
  formatRate,
  formatRatioInterval,
  nothing,
} from '../text/format.ts';
import { type Block, type Column, figures, note, only, type Table, table, wide, words } from './blocks.ts';
import {
  formatMetric,
  type IntervalMetric,
  metricColumn,
  pooledColumns,
  populationColumns,
} from './figure-columns.ts';
import { withMark } from './marks.ts';

/** Scenarios that differ in their rates only, alone or beside populations: curves of latency against load. */
export interface LoadTable {
  readonly heading: string;
  /** Rates ascending; of one rate, the way up comes first. */
  readonly scenarios: readonly ScenarioResult[];
}

export const isOpen = ({ arrival }: ScenarioResult) => arrival.kind !== 'closed';

/** The open loops of a run, a table for each setting and each number of workers and pools. */
export function loadTables(scenarios: readonly ScenarioResult[]): LoadTable[] {
  return groupWithPopulations(scenarios.filter(isOpen)).flatMap(({ heading, scenarios: ofSetting }) => {
    const tables = new Map<string, ScenarioResult[]>();
    for (const scenario of ofSetting) {
      const { workers, pools, threads, connections } = scenario;
      const on = threads === pools ? '' : ` in ${formatPlural(threads, 'thread')}`;
      const size = `${formatPlural(workers, 'worker')} on ${formatPlural(pools, 'pool')}${on}`;
      const key = `${heading}, ${size}, ${formatPlural(connections, 'connection')}, times in ms`;
      tables.set(key, [...(tables.get(key) ?? []), scenario]);
    }
    return [...tables].map(([key, ofTable]) => ({ heading: key, scenarios: ofTable.toSorted(byRate) }));
  });
}

function byRate(a: ScenarioResult, b: ScenarioResult): number {
  const down = ({ arrival }: ScenarioResult) => (arrival.leg === 'down' ? 1 : 0);
  return rateOf(a) - rateOf(b) || down(a) - down(b);
}

const rateOf = ({ arrival }: ScenarioResult) => arrival.rate ?? 0;

/** Pooled percentiles are in `resultNote`, which stands before it. */
export const loadNote = [
  'Open loops: medians over the rounds, latencies in ms. The response time starts when an operation is due.',
  'Completed: operations per second that completed in the window. Short: the fraction of due operations that did not complete.',
  'Backlog: the largest number of operations that were due while every worker was busy.',
  'Lag: how late the generator started arrivals for which a worker was free.',
  'Spun: the fraction of the time in which the threads spun their event loops while waiting for the next arrival.',
].join(' ');

/** Figures of an open loop in addition to throughput and latency; null if a round has none. */
type LoopFigure = (loop: OpenLoopResult, seconds: number) => number | null;

export const loopFigures = {
  offered: (loop, seconds) => (seconds > 0 ? loop.offered / seconds : null),
  short: loop => (loop.offered > 0 ? loop.shortfall / loop.offered : 0),
  backlog: loop => loop.largestBacklog,
  // None if no arrival found a free worker.
  lag: ({ lag }) => (lag.count === 0 ? null : lag.p99),
  spun: loop => loop.spinShare,
} as const satisfies Readonly<Record<string, LoopFigure>>;

/** One value for each round that has the figure. */
export function loopValues({ rounds }: ScenarioResult, figure: LoopFigure): number[] {
  return rounds.flatMap(({ openLoop, seconds }) =>
    openLoop === null ? [] : (figure(openLoop, seconds) ?? []),
  );
}

/** Which part of a recording each replay had in every round; nothing without recorded arrivals. */
export function recordingBlocks(result: Pick<Result, 'scenarios' | 'files' | 'config'>): Block[] {
  const parts = withoutControls(result)
    .flatMap(summarisedLoadsOf)
    .flatMap(({ population, fields, rounds }) => {
      const { kind, speed } = fields?.arrival ?? {};
      const file = result.files?.find(({ key }) => key === replayKeyOf(result.config, population));
      if (kind !== 'recorded' || speed === undefined || file?.recordedSeconds === undefined) return [];
      if (rounds.length === 0) return [];
      const seconds = Math.min(...rounds.map(round => round.seconds));
      const part = describeReplayed(seconds, speed, file.recordedSeconds);
      return [`${population === null ? '' : `population ${population} `}×${speed}, ${part}`];
    });
  return parts.length === 0 ? [] : [note(`Measured in every round: ${[...new Set(parts)].join('; ')}.`)];
}

function replayKeyOf(config: Result['config'], population: string | null): string {
  const [ofScenarios, ...own] = workloadsOf(config);
  const { key } = own.find(workload => workload.population === population) ?? ofScenarios;
  return `${key}.replay`;
}

/** Latency against load. Medians over the rounds; a dash if there is none. */
export function loadTable({ heading, scenarios }: LoadTable): Table {
  const isReplayed = scenarios.some(({ arrival }) => arrival.kind === 'recorded');
  const columns: Column<ScenarioResult>[] = [
    ...(isReplayed
      ? [figures<ScenarioResult>('speed', ({ arrival }) => `×${arrival.speed ?? nothing}`)]
      : []),
    // "5.00k", on a way up or down "5.00k up". That of a recording is a mean, for which a terminal has no room.
    figures(
      isReplayed ? 'mean rate' : 'rate',
      ({ arrival }) => `${formatRate(arrival.rate ?? 0)} ${arrival.leg ?? ''}`.trim(),
      isReplayed ? { terminal: false } : {},
    ),
    ...populationColumns<ScenarioResult>(scenarios, scenario => scenario),
    loopColumn('offered/s', loopFigures.offered, formatRate, 'due/s'),
    metricColumn(metrics.opsPerSecond, { name: 'completed/s', terminal: 'done/s' }),
    loopColumn('short', loopFigures.short, formatFraction, 'short'),
    loopColumn('backlog', loopFigures.backlog, formatBacklog, 'backlog'),
    inMs(metrics['response.p50']),
    inMs(metrics['response.p99']),
    ...pooledColumns(scenarios, ['responseP99']),
    inMs(metrics['response.p999']),
    ...pooledColumns(scenarios, ['responseP999']),
    metricColumn(metrics['service.p99'], { name: metrics['service.p99'].name }),
    ...pooledColumns(scenarios, ['serviceP99']),
    loopColumn('lag p99', loopFigures.lag, formatMs, 'lag'),
    loopColumn('spun', loopFigures.spun, formatFraction),
    words('limited by', ({ limitedBy }) => limitedBy.resource, { terminal: { name: 'limit' } }),
  ];
  return table(scenarios, columns, heading);
}

/** Its heading says that all times are in ms. */
const inMs = (metric: IntervalMetric) => metricColumn(metric, { name: metric.short, terminal: metric.short });

/** Whole as far as a narrow column has room for it. */
function formatBacklog(operations: number): string {
  return operations < 1000 ? formatWhole(operations) : formatRate(operations);
}

/** The median of an even number of counts may not be a whole number. */
function formatWhole(operations: number): string {
  return formatCount(Math.round(operations));
}

/** The median over the rounds; a terminal shows it under its own heading, or not at all. */
function loopColumn(
  name: string,
  figure: LoopFigure,
  format: (figure: number) => string,
  short?: string,
): Column<ScenarioResult> {
  const cell = (scenario: ScenarioResult) => {
    const values = loopValues(scenario, figure);
    return values.length === 0 ? nothing : format(median(values));
  };
  return figures(name, cell, { terminal: short !== undefined && { name: short } });
}

const stageNote =
  'Stages: medians over the rounds. In the table of loads, the rate is the mean of all stages. An operation belongs to the stage in which it was due, whenever it completed. A backlog can include operations of earlier stages.';

export type StageResult = NonNullable<OpenLoopResult['stages']>[number];

/** A stage of a scenario, with what each round measured of it. */
export interface StageRow extends Pick<StageResult, 'rate' | 'rampTo'> {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  readonly measured: readonly StageResult[];
}

const stageColumns: readonly Column<StageRow>[] = [
  figures('seconds', ({ fromSeconds, untilSeconds }) => `${fromSeconds} to ${untilSeconds}`),
  words('rate', describeRate),
  figures('due', row => stageMedian(row, ({ offered }) => offered, formatWhole)),
  figures('done', row => stageMedian(row, ({ completed }) => completed, formatWhole)),
  figures('backlog', row => stageMedian(row, ({ largestBacklog }) => largestBacklog, formatBacklog)),
  ...(['p50', 'p99'] as const).map(percentile =>
    figures<StageRow>(percentile, row =>
      stageMedian(
        row,
        stage => stage[percentile],
        ms => withMark(formatMs(ms), caveatOfStage(percentile, row.measured)),
      ),
    ),
  ),
];

/** The median over the rounds that have the figure; a dash if none has. */
function stageMedian(
  { measured }: StageRow,
  figure: (stage: StageResult) => number | null,
  format: (median: number) => string,
): string {
  const values = measured.flatMap(stage => figure(stage) ?? []);
  return values.length === 0 ? nothing : format(median(values));
}

/** The scenarios of a table whose rates do not stay the same, each with its stages. */
export function stagesOf({ scenarios }: LoadTable): { readonly id: string; readonly rows: StageRow[] }[] {
  return scenarios
    .map(scenario => ({ id: scenario.id, rows: stageRows(scenario) }))
    .filter(({ rows }) => rows.length > 0);
}

/** What was due and what completed in each stage of a table's scenarios; nothing if their rates stay the same. */
export function stageBlocks(of: LoadTable): Block[] {
  const staged = stagesOf(of);
  if (staged.length === 0) return [];
  return [
    ...only(wide, [note(stageNote)]),
    ...staged.map(({ id, rows }) => table(rows, stageColumns, `Stages of ${id}, times in ms`)),
  ];
}

function stageRows({ arrival: { stages = [] }, rounds }: ScenarioResult): StageRow[] {
  return stages.map(({ rate, rampTo }, index) => ({
    rate,
    rampTo,
    fromSeconds: secondsOf(stages.slice(0, index)),
    untilSeconds: secondsOf(stages.slice(0, index + 1)),
    measured: rounds.flatMap(({ openLoop }) => openLoop?.stages?.[index] ?? []),
  }));
}

/** One rate on the way up and on the way down. */
interface Hysteresis {
  readonly rate: number;
  readonly up: ScenarioResult;
  readonly down: ScenarioResult;
  /** down / up of the response p99, paired by round; null without a common round. */
  readonly ratio: Interval | null;
}

/** But for when their work is due. */
const isEqualArm = (a: ScenarioResult, b: ScenarioResult) =>
  armKey(a, ['arrival']) === armKey(b, ['arrival']);

/** The rates of a table that were measured on both ways, ascending. */
export function hysteresisOf({ scenarios }: LoadTable): Hysteresis[] {
  return scenarios.flatMap(up => {
    const down = scenarios.find(
      other => other.arrival.leg === 'down' && rateOf(other) === rateOf(up) && isEqualArm(other, up),
    );
    if (up.arrival.leg !== 'up' || down === undefined) return [];
    return [{ rate: rateOf(up), up, down, ratio: pairByRound(up, down, p99).ratio }];
  });
}

/** The difference between the way down and the way up; empty if rates went one way. */
export function hysteresisBlocks(of: LoadTable): Block[] {
  const ways = hysteresisOf(of);
  if (ways.length === 0) return [];
  const p99Of = (name: string, pick: (way: Hysteresis) => ScenarioResult) =>
    figures<Hysteresis>(name, way => formatMetric(metrics['response.p99'], pick(way)), {
      terminal: { cell: way => formatMetric(metrics['response.p99'], pick(way), { withInterval: false }) },
    });
  return [
    ...only(wide, [
      note('The same rates on the way up and on the way down, ratios paired within each round:'),
    ]),
    table(ways, [
      ...populationColumns<Hysteresis>(of.scenarios, ({ up }) => up),
      figures('rate', ({ rate }) => formatRate(rate)),
      p99Of('p99 up', ({ up }) => up),
      p99Of('p99 down', ({ down }) => down),
      figures('down / up', ({ ratio }) => formatRatioInterval(ratio), { terminal: { align: 'left' } }),
    ]),
  ];
}
