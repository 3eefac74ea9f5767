import type { RoundResult, ScenarioResult } from '../../result.ts';
import type { Measure } from '../../stats/measures.ts';
import { findDataFlaw } from '../../stats/reads.ts';
import type { RoundSeries } from '../../stats/round-series.ts';
import { wholeRounds } from '../../stats/rounds.ts';
import { median, sumOf } from '../../stats/statistics.ts';
import { lostRatio } from '../../stats/summary.ts';
import { minCycles } from '../../stats/tails.ts';
import { formatFraction, formatPlural } from '../../text/format.ts';

/**
 * Max fraction of operations that may fail or stay unfinished in an arm. They have no latency, so an arm that loses its
 * slowest 1 % has lost everything that its p99 is about; a fifth of that still leaves a usable p99.
 */
const maxLost = 0.002;

/** The basis of a verdict. */
interface Ground {
  readonly arms: readonly ScenarioResult[];
  /** Of the rounds that all of the arms have measured. */
  readonly series: RoundSeries;
  /** The measure of the figures. Absent: one without a tail. */
  readonly measure?: Measure;
}

/**
 * Why these figures allow no verdict, as a clause; null if they allow one. Only whole rounds count, as in a verdict.
 * This is the complete list of flaws of arms; flaws of a whole run are in `judgeClaims`.
 *
 * @param proof the flaws that only some claims have: what the arms' own metrics must show
 */
export function findFlaw(grounds: readonly Ground[], proof: () => string | null = () => null): string | null {
  const arms = [...new Set(grounds.flatMap(ground => ground.arms))];
  return (
    findDataFlaw(arms) ?? findLosses(arms) ?? findMissingRounds(grounds) ?? proof() ?? findTailFlaw(grounds)
  );
}

/**
 * Whether an arm lost too much. A round in which it completed nothing counts against it as a figure (`figureIn`), so what it
 * lost is not counted again.
 */
function findLosses(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const whole = wholeRounds(arm.rounds).filter(round => round.completed > 0);
    // Each deliberate cut may end one operation, which does not count as a loss.
    const issued = sumOf(whole, round => round.issued);
    const lost = lostRatio(whole) - sumOf(whole, ({ cuts }) => cuts) / Math.max(1, issued);
    if (lost > maxLost) {
      return `${(lost * 100).toFixed(lost < 0.01 ? 2 : 1)} % of the operations of ${arm.id} failed or stayed unfinished${arm.cutEveryMs > 0 ? ' beyond one per cut' : ''}; the limit is ${maxLost * 100} %`;
    }
  }
  return null;
}

/** Whether too few rounds have a figure. */
function findMissingRounds(grounds: readonly Ground[]): string | null {
  const [fewest] = grounds.map(({ series }) => series).toSorted((a, b) => a.size - b.size);
  const rounds = fewest?.size ?? 0;
  const needed = fewest?.roundsNeeded ?? 0;
  if (rounds >= needed) return null;
  const common =
    rounds === 0 ? 'no round is' : rounds === 1 ? 'only 1 round is' : `only ${rounds} rounds are`;
  return `${common} common to all scenarios, and a verdict needs ${needed}`;
}

/**
 * The whole rounds in which a latency is only a lower bound, for example after a stall at the end of the window.
 */
export function boundedRounds({ rounds }: ScenarioResult, { isLowerBound }: Measure): RoundResult[] {
  return wholeRounds(rounds).filter(round => isLowerBound?.([round]) === true);
}

/**
 * Why a judged latency is not what its name says, as a clause; null if all are. Only whole rounds count. A lower bound is no
 * flaw: its series knows how far the true figure may lie.
 */
function findTailFlaw(grounds: readonly Ground[]): string | null {
  for (const { arms, measure } of grounds) {
    for (const arm of arms) {
      if (measure?.isWorstStall?.({ ...arm, rounds: wholeRounds(arm.rounds) }) === true)
        return `the ${measure.name} of ${arm.id} is practically the worst stall of a round, because each worker had fewer than ${minCycles} batches slower than it: use longer windows (--seconds)`;
    }
  }
  return null;
}

/**
 * Fraction of a window that a pool may spend on opening connections for its workers. The gains that claims promise start at
 * 5 %.
 */
const maxGrowth = 0.02;

/** Why an arm's pools were still growing in the window, as a clause; null if they were not, in the median round. */
export function findGrowthFlaw(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const growth = median(wholeRounds(arm.rounds).map(round => growthRatio(arm, round)));
    if (growth > maxGrowth) {
      return `connections that workers waited for were still being opened during ${formatFraction(growth)} of the window of ${arm.id}; the limit is ${formatFraction(maxGrowth)}`;
    }
  }
  return null;
}

/**
 * The time for which a pool opened connections that its workers needed, as a fraction of the window. Under a lock they
 * open one after another, and no other worker gets a connection in the meantime: their number × their mean time,
 * divided by the pools, each of which has its own lock. If connection attempts overlap, this adds up to more than the
 * elapsed time, which the end of the last one limits.
 */
function growthRatio({ pools }: ScenarioResult, { seconds, poolMetrics }: RoundResult): number {
  const { connectTime } = poolMetrics;
  // Results before 0.6 do not say what a connection was opened for.
  const created = poolMetrics.createdForWorkers ?? poolMetrics.created;
  const lastMs = poolMetrics.lastCreatedForWorkersMs ?? poolMetrics.lastCreatedMs;
  const summedMs = (created * connectTime.mean) / pools;
  return Math.min(summedMs, lastMs ?? summedMs) / (seconds * 1000);
}

/**
 * Why latencies at or above a limit are not due to the pool, as a clause; null if there are none, or if neither the
 * client nor the machine was saturated. A saturated client or a busy machine explains a long latency; one below the
 * limit counts all the more.
 *
 * @param limitMs what the median of the rounds should be below
 */
export function findBusyFlaw(
  arms: readonly ScenarioResult[],
  measure: Measure,
  limitMs: number,
): string | null {
  for (const { rounds, limitedBy, workers } of arms) {
    const { resource } = limitedBy;
    if (resource !== 'client' && resource !== 'machine') continue;
    const whole = wholeRounds(rounds);
    if (whole.length === 0 || median(whole.map(measure.figure)) < limitMs) continue;
    const busy = resource === 'client' ? "poolbench's own event loop" : 'the whole machine';
    return `${busy} was busy all the time, and the replies to ${formatPlural(workers, 'worker')} waited for it`;
  }
  return null;
}

/** Why these arms did not start cold inside the measured window, as a clause; null if they did, in every whole round. */
export function findWarmStart(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const early = findRound(arm, ({ poolMetrics }) => poolMetrics.createdBefore > 0);
    if (early) return `${arm.id} had connections before the window of round ${early.round}`;
    const none = findRound(arm, ({ poolMetrics }) => poolMetrics.created === 0);
    if (none) return `${arm.id} created no connection in the window of round ${none.round}`;
  }
  return null;
}

/** The first whole round for which this is true: rounds that were cut short do not count. */
export function findRound(
  { rounds }: ScenarioResult,
  isSo: (round: RoundResult) => boolean,
): RoundResult | undefined {
  return wholeRounds(rounds).find(isSo);
}
