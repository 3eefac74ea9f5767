import type { Caveat, OpenLoopResult, RoundResult, ScenarioResult } from '../result.ts';
import { type LatencyFigure, type Metric, type PooledMetric, percentiles } from './metrics.ts';
import type { SummarisedLoad } from './populations.ts';
import { median, sumOf } from './statistics.ts';

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
  if (isLowerBound(metric, scenario.rounds)) return 'lower bound';
  const { latency } = metric;
  // Deliveries do not follow the cycles of a worker's loop.
  if (latency === null || latency.of === 'delivery') return null;
  const cycles = cyclesBeyond(latency.figure, scenario, 'pooled' in metric ? 'pooled' : 'of a round');
  return cycles !== null && cycles < minCycles ? 'worst stall' : null;
}

/** The same for one load of a scenario. If its keys are unknown (version 0.10), only lost operations can be judged. */
export function caveatOfLoad(
  metric: Metric,
  { fields, rounds }: Pick<SummarisedLoad, 'fields' | 'rounds'>,
): Caveat | null {
  if (fields !== null) return caveatOf(metric, { ...fields, rounds });
  return isLowerBound(metric, rounds) ? 'lower bound' : null;
}

/** The caveat of the single commands of a scenario whose other workers send batches. */
export function caveatOfSingles(figure: LatencyFigure['figure'], scenario: TailSource): Caveat | null {
  const { rounds, workers } = scenario;
  const cycles = rounds.map(({ loads: [singles] }) =>
    singles === undefined ? 0 : singles.completed / singles.pipeline / workers,
  );
  return rounds.length > 0 && median(cycles) * fractionBeyond(figure) < minCycles ? 'worst stall' : null;
}

/**
 * How many cycles of the workers' loop the operations beyond a percentile are: in the median round, or in all rounds
 * together. Null for a mean, in an open loop, whose work is due whatever the workers do, and without a round.
 */
export function cyclesBeyond(
  figure: LatencyFigure['figure'],
  scenario: TailSource,
  over: 'of a round' | 'pooled' = 'of a round',
): number | null {
  const { rounds, arrival } = scenario;
  if (figure === 'mean' || arrival.kind !== 'closed' || rounds.length === 0) return null;
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
 * Whether operations or messages were lost that can have been slower than this figure, and are enough to move it: in all
 * rounds together, or, of a median over the rounds, in half of them. Rounds that a stall ended early have few operations,
 * so among those of all rounds their losses could go unnoticed.
 */
export function isLowerBound(metric: Timed, rounds: readonly RoundResult[]): boolean {
  const { latency } = metric;
  if (latency === null) return false;
  const { figure } = latency;
  const max = figure === 'mean' ? maxLostOfMean : maxLostBeyond * fractionBeyond(figure);
  if (lostOf(metric, rounds) > max) return true;
  const bounded = 'pooled' in metric ? [] : rounds.filter(round => lostOf(metric, [round]) > max);
  return bounded.length > 0 && bounded.length * 2 >= rounds.length;
}

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
 * neither is the one operation that each deliberate cut of a connection may end. Results before 0.6 only have the count
 * of those that ran out of time.
 */
export function lostLaterRatio({ of, figure }: LatencyFigure, rounds: readonly RoundResult[]): number {
  const due = sumOf(rounds, ({ openLoop, issued }) => openLoop?.offered ?? issued);
  const lost = sumOf(rounds, ({ openLoop, failed, failedLater, unfinished, cuts }) => {
    const failedAfter = failedLater === undefined ? (failed.TIMEOUT ?? 0) : (failedLater[of][figure] ?? 0);
    return (openLoop?.unsent ?? 0) + unfinished + Math.max(0, failedAfter - cuts);
  });
  return due === 0 ? 0 : lost / due;
}

/** What came of the operations of a stage in one round. */
type StageOutcome = Pick<NonNullable<OpenLoopResult['stages']>[number], 'offered' | 'completed'>;

/** Why a percentile of a stage of an open loop is not what its name says: each operation that did not complete may have been slower. */
export function caveatOfStage(figure: 'p50' | 'p99', rounds: readonly StageOutcome[]): Caveat | null {
  const due = sumOf(rounds, ({ offered }) => offered);
  const lost = due - sumOf(rounds, ({ completed }) => completed);
  return lost > maxLostBeyond * fractionBeyond(figure) * due ? 'lower bound' : null;
}

function fractionBeyond(figure: LatencyFigure['figure']): number {
  return figure === 'mean' ? 1 : (100 - percentiles[figure].percentile) / 100;
}
