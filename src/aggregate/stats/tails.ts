import type { Caveat, OpenLoopResult, RoundResult, ScenarioResult } from '../result.ts';
import {
  failedOf,
  type LatencyFigure,
  type Metric,
  type PercentileKey,
  type PooledMetric,
  percentiles,
} from './metrics.ts';
import type { SummarisedLoad } from './populations.ts';
import type { Ends } from './round-series.ts';
import { median, quantile, sumOf } from './statistics.ts';

/** Decides whether a percentile is what its name says. No other file does. */

/**
 * A stall that holds up all W workers of a closed loop delays W operations, one of each. So the slowest (1 − q) of N
 * operations are (1 − q) · N / W such stalls, or cycles of the loop. With fewer than this many, the percentile is
 * practically the worst stall: max / p99 was 1.06 to 1.8 where it rested on 0.1 to 4 of them.
 */
export const minCycles = 5;

/**
 * A percentile is a lower bound if the operations that were lost after a longer wait are more than this fraction of
 * those beyond it: for p99, 0.01 % of all. The last arrivals of a window can meet busy workers by chance.
 */
const maxLostBeyond = 0.01;
/** The same for a mean, as a fraction of all. */
const maxLostOfMean = 0.0001;

/** How the operations of a scenario were sent, and their outcome. */
export interface TailSource extends Pick<ScenarioResult, 'workers' | 'pipeline' | 'batch' | 'arrival'> {
  readonly rounds: readonly RoundResult[];
}

/** Why a metric of a scenario is not what its name says; null: it is, or it is no latency. */
export function caveatOf(metric: Metric | PooledMetric, scenario: TailSource): Caveat | null {
  return caveatFor(canBeHigher(metric, scenario.rounds), isWorstStall(metric, scenario));
}

/** The same for one load of a scenario. If its keys are unknown (version 0.10), only lost operations can be judged. */
export function caveatOfLoad(
  metric: Metric,
  { fields, rounds }: Pick<SummarisedLoad, 'fields' | 'rounds'>,
): Caveat | null {
  return caveatFor(
    canBeHigher(metric, rounds),
    fields !== null && isWorstStall(metric, { ...fields, rounds }),
  );
}

/**
 * The caveat of a figure that is a lower bound, the worst stall, or both; null: neither. Code that depends on one of the two
 * asks for that one (`canBeHigher`, `isWorstStall`). It does not compare caveats, because both together are a third caveat.
 */
export function caveatFor(isBound: boolean, isStall: boolean): Caveat | null {
  if (isBound) return isStall ? 'lower bound of the worst stall' : 'lower bound';
  return isStall ? 'worst stall' : null;
}

/** Whether a metric is practically the worst stall. Deliveries do not follow the cycles of a worker's loop. */
export function isWorstStall(metric: Timed | PooledMetric, scenario: TailSource): boolean {
  const { latency } = metric;
  if (latency === null || latency.of === 'delivery') return false;
  const cycles = cyclesBeyond(latency.figure, scenario, 'pooled' in metric ? 'pooled' : 'of a round');
  return cycles !== null && cycles < minCycles;
}

/** The same for the single commands of a scenario whose other workers send batches. */
export function areSinglesWorstStall(figure: PercentileKey, { rounds, workers }: TailSource): boolean {
  const cycles = rounds.map(({ loads: [singles] }) =>
    singles === undefined ? 0 : singles.completed / singles.pipeline / workers,
  );
  return rounds.length > 0 && median(cycles) * fractionBeyond(figure) < minCycles;
}

/**
 * How many cycles of the workers' loop the operations beyond a percentile are: in the median round, or in all rounds
 * together. Null for a mean, for a max, which is a stall by definition, in an open loop, whose work is due whatever the
 * workers do, and without a round.
 */
export function cyclesBeyond(
  figure: LatencyFigure['figure'],
  scenario: TailSource,
  over: 'of a round' | 'pooled' = 'of a round',
): number | null {
  const { rounds, arrival } = scenario;
  if (figure === 'mean' || figure === 'max' || arrival.kind !== 'closed' || rounds.length === 0) return null;
  const cycles = rounds.map(round => cyclesOf(scenario, round));
  return (over === 'pooled' ? sumOf(cycles, each => each) : median(cycles)) * fractionBeyond(figure);
}

/** Cycles of a worker in a round. Of workers with batches of two sizes it is those that made fewer. */
function cyclesOf({ workers, pipeline, batch }: TailSource, { completed, loads }: RoundResult): number {
  if (loads.length === 0) return completed / pipeline / workers;
  const each = loads.map(load => {
    const ofLoad = load.pipeline === pipeline || batch.pool === 'none' ? workers : batch.workers;
    return load.completed / load.pipeline / ofLoad;
  });
  return Math.min(...each);
}

/** The latency that a metric is a figure of. */
type Timed = Pick<Metric, 'latency'>;

/**
 * Whether operations or messages were lost that can have been slower than this figure of a round, or of the operations of
 * several rounds together, and are enough to move it.
 */
export function isLowerBound({ latency }: Timed, rounds: readonly RoundResult[]): boolean {
  return latency !== null && lostOf({ latency }, rounds) > maxLostOf(latency.figure);
}

/**
 * The same for a percentile of the single commands. How long each of them had waited before it failed is not known, so all
 * failed ones count, except one for each deliberate cut.
 */
export function areSinglesLowerBound(figure: PercentileKey, rounds: readonly RoundResult[]): boolean {
  const issued = sumOf(rounds, ({ loads: [singles] }) => singles?.issued ?? 0);
  const lost = sumOf(rounds, ({ loads: [singles], cuts }) =>
    singles === undefined ? 0 : singles.unfinished + Math.max(0, failedOf(singles) - cuts),
  );
  return lost > maxLostOf(figure) * issued;
}

/**
 * The median over the rounds, and the highest that the true one can be: with an infinite value in every round whose figure
 * is only a lower bound. A few such rounds raise it by a few ranks; if they are half of all, it is infinite. Null if no round
 * has the figure.
 */
export function endsOfMedian<Round>(
  rounds: readonly Round[],
  figure: (round: Round) => number | null,
  isBound: (round: Round) => boolean,
): Ends | null {
  const figures = rounds.flatMap(round => figure(round) ?? []);
  if (figures.length === 0) return null;
  const highest = rounds.flatMap(round =>
    isBound(round) ? Number.POSITIVE_INFINITY : (figure(round) ?? []),
  );
  return { low: median(figures), high: median(highest) };
}

/** The figure of one run, which may not be what its name says. */
export interface JudgedFigure {
  readonly median: number;
  readonly canBeHigher: boolean;
  readonly isWorstStall: boolean;
}

/** A quantile of the figures of several runs, and its caveat: 0 is the lowest of them, 1 the highest. NaN without a figure. */
export function quantileOfRuns(figures: readonly JudgedFigure[], q: number) {
  const value = quantile(
    figures.map(figure => figure.median),
    q,
  );
  const highest = quantile(
    figures.map(figure => (figure.canBeHigher ? Number.POSITIVE_INFINITY : figure.median)),
    q,
  );
  const sorted = figures.toSorted((a, b) => a.median - b.median);
  const position = (figures.length - 1) * q;
  const madeOf = sorted.slice(Math.floor(position), Math.ceil(position) + 1);
  const isStall = madeOf.some(figure => figure.isWorstStall);
  return { value, caveat: caveatFor(isRange({ low: value, high: highest }), isStall) };
}

/** Whether a figure of a scenario can be higher than it was measured: a median over the rounds, or a percentile of all of them. */
export function canBeHigher(metric: Metric | PooledMetric, rounds: readonly RoundResult[]): boolean {
  if (!('ofRound' in metric)) return isLowerBound(metric, rounds);
  return isRange(endsOfMedian(rounds, metric.ofRound, round => isLowerBound(metric, [round])));
}

/** Whether the true figure can differ from the measured one. */
export const isRange = (ends: Ends | null) => ends !== null && ends.low < ends.high;

/** What was lost and can have been slower than a metric says, as a fraction of what was due. A lost message never arrived. */
export function lostOf({ latency }: Timed, rounds: readonly RoundResult[]): number {
  if (latency === null) return 0;
  if (latency.of !== 'delivery') return lostLaterRatio(latency, rounds);
  const expected = sumOf(rounds, ({ deliveries }) => deliveries?.expected ?? 0);
  return expected === 0 ? 0 : sumOf(rounds, ({ deliveries }) => deliveries?.lost ?? 0) / expected;
}

/**
 * Operations that were lost after a longer wait than this figure of the completed ones, as a fraction of those due: they
 * failed after it, were still unanswered at the end, or were never sent. What was refused at once is not among them, and
 * neither is the one operation that each deliberate cut of a connection may end. For the max, those after p99.9 count: no
 * other count is closer to it. Results before 0.6 only have the count of those that ran out of time.
 */
export function lostLaterRatio({ of, figure }: LatencyFigure, rounds: readonly RoundResult[]): number {
  const counted = figure === 'max' ? 'p999' : figure;
  const due = sumOf(rounds, ({ openLoop, issued }) => openLoop?.offered ?? issued);
  const lost = sumOf(rounds, ({ openLoop, failed, failedLater, unfinished, cuts }) => {
    const failedAfter = failedLater === undefined ? (failed.TIMEOUT ?? 0) : (failedLater[of][counted] ?? 0);
    return (openLoop?.unsent ?? 0) + unfinished + Math.max(0, failedAfter - cuts);
  });
  return due === 0 ? 0 : lost / due;
}

/** What came of the operations of a stage in one round. */
type StageOutcome = Pick<
  NonNullable<OpenLoopResult['stages']>[number],
  'offered' | 'completed' | 'p50' | 'p99'
>;

/** Why a percentile of a stage of an open loop is not what its name says: each operation that did not complete may have been slower. */
export function caveatOfStage(figure: 'p50' | 'p99', rounds: readonly StageOutcome[]): Caveat | null {
  const isBound = ({ offered, completed }: StageOutcome) => offered - completed > maxLostOf(figure) * offered;
  return caveatFor(isRange(endsOfMedian(rounds, stage => stage[figure], isBound)), false);
}

/** The fraction of the operations that can be lost without making a figure a lower bound. A single one can be the max. */
function maxLostOf(figure: LatencyFigure['figure']): number {
  return figure === 'mean' ? maxLostOfMean : maxLostBeyond * fractionBeyond(figure);
}

function fractionBeyond(figure: PercentileKey | 'max'): number {
  return figure === 'max' ? 0 : (100 - percentiles[figure].percentile) / 100;
}
