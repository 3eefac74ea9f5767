import { pairWithOnePool } from '../claims/judging/arms.ts';
import type {
  ClaimResult,
  Comparison,
  Interval,
  PoolMetrics,
  Result,
  RoundResult,
  ScenarioResult,
} from '../result.ts';
import { describeArrival } from '../scenario/arrival.ts';
import { bySize, groupWithPopulations, workersPerPool } from '../scenario/setting.ts';
import { metrics } from '../stats/metrics.ts';
import { findOutliers, type Outlier } from '../stats/outliers.ts';
import { loadsOf, type ScenarioLoad, summarisedLoadsOf } from '../stats/populations.ts';
import { hitDifference, hitRatioOf } from '../stats/reads.ts';
import { plannedRounds } from '../stats/rounds.ts';
import { countedRounds, isFixed, lookRounds, minRounds } from '../stats/sign-test.ts';
import { changeOf, median } from '../stats/statistics.ts';
import { type TimeSplit, timeSplit } from '../stats/summary.ts';
import { describeThreadWarmth } from '../stats/thread-warmth.ts';
import {
  describeIntervals,
  excludesNothing,
  formatCount,
  formatFraction,
  formatMs,
  formatPlural,
  formatRange,
  formatRate,
  formatRatio,
  formatRatioInterval,
  nothing,
} from '../text/format.ts';
import {
  type Block,
  codeSpan,
  figures,
  note,
  type Span,
  type Table,
  type Tone,
  table,
  toned,
  words,
} from './blocks.ts';
import { formatMetric, metricColumn, pooledColumns, populationColumns } from './figure-columns.ts';
import { withMark } from './marks.ts';

/** The tables of a result, each with a note if it needs one. */

interface Noted {
  /** The tables of a terminal, which have no room for some columns. */
  readonly digest?: readonly Table[];
  /** Why the run ended. */
  readonly ended?: Result['ended'];
}

/** The p99 of all rounds together, in a terminal. */
const pooledName = 'all';

/** How the figures of the tables are made: stated here, once per document. */
export function resultNote(scenarios: readonly ScenarioResult[], { digest, ended }: Noted = {}): string {
  const isPooled =
    digest === undefined
      ? scenarios.some(({ summary }) => typeof summary?.pooledResponseP99 === 'number')
      : digest.some(({ columns }) => columns.some(({ name }) => name === pooledName));
  return [
    `Medians over the rounds with ${describeIntervalsOf(scenarios)}; ${describeRatios(scenarios)}. Latencies are response times.`,
    ...describeEarlyEnd(scenarios, ended),
    ...(isPooled
      ? [
          `${digest ? `The column "${pooledName}" has the p99` : 'A percentile of all rounds is that'} of the operations of all rounds together.`,
        ]
      : []),
  ].join(' ');
}

/** Blocks without open questions are not measured further, so arms can have different numbers of rounds. */
function hasUnequalRounds(scenarios: readonly ScenarioResult[]): boolean {
  return new Set(scenarios.map(({ rounds }) => rounds.length)).size > 1;
}

/** Says that arms have fewer rounds than the maximum, and what early decisions mean for their medians. */
function describeEarlyEnd(scenarios: readonly ScenarioResult[], ended: Result['ended']): string[] {
  const early = scenarios.filter(
    ({ plannedRounds, rounds }) =>
      plannedRounds !== undefined &&
      rounds.length >= plannedRounds.atLeast &&
      rounds.length < plannedRounds.atMost,
  );
  if (early.length === 0) return [];
  const counts = scenarios.map(({ rounds }) => rounds.length);
  const [min, max] = [Math.min(...counts), Math.max(...counts)];
  const made = min === max ? formatPlural(max, 'round') : `${min} to ${formatPlural(max, 'round')}`;
  const most = Math.max(...early.map(({ plannedRounds }) => plannedRounds?.atMost ?? 0));
  const isDecided = ended === 'decided' || early.some(scenario => isLeftOut(scenario, max));
  const caveat = ' If a comparison is decided early, its median overstates the effect.';
  return [`Each arm has ${made} of at most ${most}.${isDecided ? caveat : ''}`];
}

/**
 * Whether an arm stopped at a look while others went on, because its block had no open question. An interrupted run can
 * also lack the last round of an arm.
 */
function isLeftOut({ plannedRounds, rounds }: ScenarioResult, ofOthers: number): boolean {
  const looks = plannedRounds === undefined ? [] : lookRounds(plannedRounds);
  return looks.includes(rounds.length) && rounds.length + 1 < ofOthers;
}

/** By the scenario with the smallest number of rounds. */
function describeIntervalsOf(scenarios: readonly ScenarioResult[]): string {
  const rounds = fewestRounds(scenarios);
  return rounds === null ? 'their intervals' : describeIntervals(rounds);
}

function describeRatios(scenarios: readonly ScenarioResult[]): string {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  const needed = measured.flatMap(scenario => {
    const planned = plannedRounds(scenario);
    const looked = countedRounds(planned, scenario.rounds.length) >= minRounds;
    // A fixed number is judged by as many as there are.
    return looked ? [] : isFixed(planned) ? minRounds : Math.max(minRounds, planned.atLeast);
  });
  return needed.length === 0
    ? 'ratios are paired within each round'
    : `a ratio needs ${Math.max(...needed)} rounds, so none is shown`;
}

/** Null if nothing was measured. */
function fewestRounds(scenarios: readonly ScenarioResult[]): number | null {
  const rounds = scenarios.map(scenario => scenario.rounds.length).filter(count => count > 0);
  return rounds.length === 0 ? null : Math.min(...rounds);
}

/** What each scenario measured; for a terminal one for each setting, as one for all is too wide. */
export function resultTable(scenarios: readonly ScenarioResult[]): Table {
  return resultsOf(scenarios, ratiosToOnePool(scenarios));
}

/** A table for each setting, as long as there is anything to compare with a column of ratios. */
export function settingTables(scenarios: readonly ScenarioResult[]): Table[] {
  const ratios = ratiosToOnePool(scenarios);
  return groupWithPopulations(scenarios).map(group =>
    resultsOf(group.scenarios.toSorted(bySize), ratios, group.heading),
  );
}

type Ratios = ReadonlyMap<ScenarioResult, Interval | null>;

function ratiosToOnePool(scenarios: readonly ScenarioResult[]): Ratios {
  return new Map(pairWithOnePool(scenarios).map(({ other, throughput }) => [other, throughput.ratio]));
}

function resultsOf(scenarios: readonly ScenarioResult[], ratios: Ratios, title?: string): Table {
  const roomy = { terminal: false } as const;
  const isCompared = scenarios.some(scenario => ratios.has(scenario));
  const hasMissed = scenarios.some(({ rounds }) => rounds.some(round => hitDifference(round) > 0));
  // With wide columns, one more would be too wide for a terminal.
  const hasRoom = !hasMissed && scenarios.every(({ pools, threads }) => threads === pools);
  return table<ScenarioResult>(
    scenarios,
    [
      words('client', scenario => scenario.client, roomy),
      words('pool', scenario => scenario.pool, roomy),
      figures('pipeline', scenario => scenario.pipeline, roomy),
      words('arrival', scenario => describeArrival(scenario.arrival), roomy),
      ...populationColumns<ScenarioResult>(scenarios, scenario => scenario),
      figures('workers', scenario => scenario.workers),
      figures('pools', scenario => scenario.pools, {
        // Each pool has its own thread unless the row says otherwise.
        terminal: {
          cell: ({ pools, threads }) => (threads === pools ? pools : `${pools} on ${threads}`),
        },
      }),
      figures('workers per pool', workersPerPool, roomy),
      figures('threads', scenario => scenario.threads, roomy),
      figures('connections', scenario => scenario.connections, roomy),
      figures('rounds', scenario => scenario.rounds.length, hasUnequalRounds(scenarios) ? {} : roomy),
      { ...metricColumn(metrics.opsPerSecond), terminal: { align: 'left' } },
      figures(
        'vs 1 pool',
        scenario => {
          const ratio = ratios.get(scenario);
          return ratio === undefined ? '' : [toned(formatRatioInterval(ratio), ratioTone(ratio))];
        },
        { terminal: isCompared && { align: 'left' } },
      ),
      metricColumn(metrics['response.p50']),
      metricColumn(metrics['response.p95']),
      metricColumn(metrics['response.p99'], { terminal: 'p99 ms' }),
      ...pooledColumns(scenarios, ['responseP99'], hasRoom ? { terminal: pooledName } : {}),
      metricColumn(metrics['response.p999']),
      ...pooledColumns(scenarios, ['responseP999']),
      figures(
        'client µs/op',
        ({ summary }) => summary?.clientMicrosPerOp?.median.toFixed(2) ?? nothing,
        roomy,
      ),
      ...(hasMissed
        ? [figures<ScenarioResult>('misses', ({ rounds }) => [toned(formatMisses(rounds), 'bad')])]
        : []),
      words('limited by', scenario => scenario.limitedBy.resource, { terminal: { name: 'limit' } }),
    ],
    title,
  );
}

/** Fraction of the foreseeable reads that found nothing, over all rounds. */
function formatMisses(rounds: readonly RoundResult[]): string {
  const ratio = hitRatioOf(rounds);
  return ratio === null ? nothing : formatFraction(1 - ratio);
}

/** Tone of an interval outside the range that is not worth a change. */
function ratioTone(ratio: Interval | null): Tone | undefined {
  const change = ratio && changeOf(ratio);
  return change === 'more' ? 'good' : change === 'less' ? 'bad' : undefined;
}

export const ratioNote =
  'Each row is the ratio other / base of two scenarios, paired by round. The p-value is that of a sign-flip permutation test over the rounds, exact up to 30 of them and from 10,000 random samples above. It is not corrected for repeated looks, so it is too small in a run that stops when it is decided; no verdict uses it.';

export const judgedNote = `${ratioNote} A ratio without a prediction decides nothing.`;

/** Whether a comparison is shown as a ratio: one of too few rounds can point either way. */
export const hasInterval = ({ ratio }: Pick<Comparison, 'ratio'>) => !excludesNothing(ratio);

/** The ratios behind a claim. */
export function judgedTable(comparisons: readonly Comparison[], title?: string): Table {
  return table(
    comparisons,
    [
      words('measure', ({ measure, caveat }) => withMark(measure, caveat)),
      words('base', comparison => comparison.base),
      words('other', comparison => comparison.other),
      figures('rounds', comparison => comparison.rounds),
      figures('ratio', comparison => formatRatioInterval(comparison.ratio)),
      figures('predicted', formatPredicted),
      figures('p-value', comparison => comparison.p.toFixed(4)),
      words('base limited by', comparison => comparison.limitedBy.base),
      words('other limited by', comparison => comparison.limitedBy.other),
    ],
    title,
  );
}

export function formatPredicted({ predicted }: Comparison): string {
  return predicted === null ? nothing : formatRange(predicted, formatRatio);
}

/** Claims that the run does not test. */
export function untestedTable(claims: readonly ClaimResult[]): Table {
  return table(claims, [
    words('claim', claim => claim.id),
    words('statement', claim => claim.statement),
    words('why', claim => claim.reason),
  ]);
}

/** Without a tone: the style sheet knows a resource by its name. */
export const limitBadge = (resource: string): Span => ({ text: resource, badge: true });

export function limitTable(scenarios: readonly ScenarioResult[]): Table {
  return table(scenarios.flatMap(summarisedLoadsOf), [
    words('scenario', load => load.id),
    words('limited by', ({ limitedBy }) => [limitBadge(limitedBy.resource)]),
    words('evidence', load => load.limitedBy.evidence),
  ]);
}

interface SplitRow extends TimeSplit {
  readonly id: string;
  readonly serverMicrosPerCall: string;
}

/** Where the time of a batch was spent; nothing if no server reports its part. */
export function timeSplitBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = scenarios.flatMap((scenario): SplitRow[] => {
    const split = timeSplit(scenario);
    const serverMicrosPerCall = formatMetric(metrics.serverMicrosPerCall, scenario);
    return split === null ? [] : [{ id: scenario.id, ...split, serverMicrosPerCall }];
  });
  if (rows.length === 0) return [];
  return [
    note([
      "The mean response time of a batch and its three parts in µs, as medians over the rounds, which may not add up exactly. Unsent: waiting for a connection or to be sent. In flight: in the client's event loop, the network and the server's queue. Server: being run, by the server's own ",
      codeSpan('commandstats'),
      rows.length < scenarios.length
        ? ". A scenario is missing if its part of the server's time is not known, for example with a population that sends the same commands."
        : '.',
    ]),
    table(rows, [
      words('scenario', ({ id }) => id),
      figures('response mean µs', ({ responseMs }) => formatMicros(responseMs)),
      figures('unsent µs', ({ clientMs }) => formatMicros(clientMs)),
      figures('in flight µs', ({ betweenMs }) => formatMicros(betweenMs)),
      figures('server µs', ({ serverMs }) => formatMicros(serverMs)),
      figures(metrics.serverMicrosPerCall.short, ({ serverMicrosPerCall }) => serverMicrosPerCall),
    ]),
  ];
}

/** A server runs a command in less than the microsecond to which milliseconds are shown. */
function formatMicros(ms: number): string {
  const micros = ms * 1000;
  return micros < 1000 ? formatMs(micros) : formatCount(Math.round(micros));
}

/** Whether the threads were equally warm, in a sentence; empty if not known. */
export function threadBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const sentence = describeThreadWarmth(scenarios);
  return sentence === null ? [] : [note(sentence)];
}

export const poolNote =
  'Medians over the rounds, for all pools of a scenario or population together. An immediate acquisition waits 0 ms; checks, lock waits and created connections are counts per round.';

/** What the pools themselves did. */
export function poolTable(scenarios: readonly ScenarioResult[]): Table {
  const medians = (
    name: string,
    figure: (metrics: PoolMetrics) => number,
    format: (figure: number) => string,
  ) =>
    figures<ScenarioLoad>(name, ({ rounds }) =>
      rounds.length === 0 ? nothing : format(median(rounds.map(round => figure(round.poolMetrics)))),
    );
  const count = (name: string, figure: (metrics: PoolMetrics) => number) =>
    medians(name, figure, value => formatCount(Math.round(value)));
  const ms = (name: string, figure: (metrics: PoolMetrics) => number) => medians(name, figure, formatMs);
  return table(scenarios.flatMap(loadsOf), [
    words('scenario', load => load.id),
    count('acquisitions', metrics => metrics.acquisitions),
    count('at once', metrics => metrics.immediate),
    ms('wait mean ms', metrics => metrics.acquireWait.mean),
    ms('wait p99 ms', metrics => metrics.acquireWait.p99),
    count('peak waiting', metrics => metrics.peakWaiting),
    count('lock waits', metrics => metrics.lockWaits),
    ms('lock wait ms', metrics => metrics.lockWaitMs),
    count('checks run', metrics => metrics.healthChecksRun),
    count('checks skipped', metrics => metrics.healthChecksSkipped),
    ms('check ms', metrics => metrics.healthCheckMs),
    count('created before', metrics => metrics.createdBefore),
    count('created', metrics => metrics.created),
    ms('connect p99 ms', metrics => metrics.connectTime.p99),
    count('connect failures', metrics => metrics.connectFailures),
    count('reconnects', metrics => metrics.reconnects),
  ]);
}

/** Max rows of the table of outliers, the farthest ones: more would bury the rest of the report. */
const maxOutliers = 20;

/** Rounds far from the others of their scenario; empty if there are none. */
export function outlierBlocks(result: Pick<Result, 'scenarios' | 'environment' | 'target'>): Block[] {
  const outliers = findOutliers(result);
  if (outliers.length === 0) return [];
  const farthest = outliers.toSorted((a, b) => distance(b) - distance(a)).slice(0, maxOutliers);
  return [
    note(
      "Throughput more than 5 scaled median absolute deviations and more than 10 % from the scenario's median. They are shown, not dropped: every figure, interval and verdict includes them.",
    ),
    table(farthest, [
      words('scenario', ({ scenarioId }) => scenarioId),
      figures('round', ({ round }) => round),
      figures('ops/s', ({ opsPerSecond }) => formatRate(opsPerSecond)),
      figures('median', ({ medianOpsPerSecond }) => formatRate(medianOpsPerSecond)),
      figures('ratio', outlier => formatRatio(outlier.opsPerSecond / outlier.medianOpsPerSecond)),
      words('probable cause', ({ why }) => why),
    ]),
    ...(outliers.length > maxOutliers ? [note(`The ${maxOutliers} farthest of ${outliers.length}.`)] : []),
  ];
}

/** As a ratio to either side, so that half as much is as far as twice as much. */
function distance({ opsPerSecond, medianOpsPerSecond }: Outlier): number {
  return Math.abs(Math.log(opsPerSecond / medianOpsPerSecond));
}
