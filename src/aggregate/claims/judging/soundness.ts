import type { RoundResult, ScenarioResult } from '../../result.ts';
import type { Measure } from '../../stats/measures.ts';
import { findDataFlaw } from '../../stats/reads.ts';
import type { RoundSeries } from '../../stats/round-series.ts';
import { wholeRounds } from '../../stats/rounds.ts';
import { median } from '../../stats/statistics.ts';
import { lostRatio } from '../../stats/summary.ts';
import { lostLaterRatio, minCycles } from '../../stats/tails.ts';
import { formatFraction } from '../../text/format.ts';
import { sumOf } from './arms.ts';

/**
 * Fraction of operations that may fail or stay unfinished in an arm before its figures say nothing. They have no latency,
 * so an arm that loses its slowest 1 % has lost all that its p99 is about; a fifth of those leaves a p99 standing.
 */
const maxLost = 0.002;

/** What a verdict would be made of. */
interface Ground {
  readonly arms: readonly ScenarioResult[];
  /** Of the rounds that all of the arms have measured. */
  readonly series: RoundSeries;
}

/**
 * Why these figures are no ground for a verdict, as a clause; null if they are. Only whole rounds count, as in a verdict. A
 * round in which an arm completed nothing is a ground: its ratio counts against that arm (`pairedRatio`), so what it lost
 * is not counted again.
 */
export function findFlaw(grounds: readonly Ground[]): string | null {
  const arms = new Set(grounds.flatMap(ground => ground.arms));
  const dataFlaw = findDataFlaw([...arms]);
  if (dataFlaw !== null) return dataFlaw;
  for (const arm of arms) {
    const whole = wholeRounds(arm.rounds).filter(round => round.completed > 0);
    // Each deliberate cut may end one operation, which is no loss.
    const issued = sumOf(whole, round => round.issued);
    const lost = lostRatio(whole) - sumOf(whole, ({ cuts }) => cuts) / Math.max(1, issued);
    if (lost > maxLost) {
      return `${(lost * 100).toFixed(lost < 0.01 ? 2 : 1)} % of the operations of ${arm.id} failed or stayed unfinished${arm.cutEveryMs > 0 ? ' beyond one per cut' : ''}; the limit is ${maxLost * 100} %`;
    }
  }
  const [fewest] = grounds.map(({ series }) => series).toSorted((a, b) => a.size - b.size);
  const rounds = fewest?.size ?? 0;
  const needed = fewest?.roundsNeeded ?? 0;
  if (rounds >= needed) return null;
  const common =
    rounds === 0 ? 'no round is' : rounds === 1 ? 'only 1 round is' : `only ${rounds} rounds are`;
  return `${common} common to all scenarios, and a verdict needs ${needed}`;
}

/** Why a latency that is judged is not what its name says, as a clause; null if each is. Only whole rounds count. */
export function findTailFlaw(
  judged: readonly { readonly arms: readonly ScenarioResult[]; readonly measure: Measure }[],
): string | null {
  for (const { arms, measure } of judged) {
    const { name, tail } = measure;
    for (const arm of tail === undefined ? [] : arms) {
      const whole = { ...arm, rounds: wholeRounds(arm.rounds) };
      const caveat = tail?.caveatOf(whole);
      if (tail === undefined || caveat === null) continue;
      if (caveat === 'lower bound')
        return `${formatFraction(lostLaterRatio(tail.latency, whole.rounds))} of the operations of ${arm.id} were lost after a longer wait than its ${name}, or never sent, so that it is a lower bound`;
      return `the ${name} of ${arm.id} is practically the worst stall of a round, because the slower operations are fewer than ${minCycles} cycles of its workers' loop: longer windows are needed`;
    }
  }
  return null;
}

/**
 * Fraction of a window that a pool may spend on opening connections for its workers. The gains that claims promise start at
 * 5 %.
 */
const maxGrowth = 0.02;

/** Why an arm's pools still grew in the window, as a clause; null if they did not, by the median round. */
export function findGrowthFlaw(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const growth = median(wholeRounds(arm.rounds).map(round => growthRatio(arm, round)));
    if (growth > maxGrowth) {
      return `connections that workers waited for were still being opened for ${formatFraction(growth)} of the window of ${arm.id}; the limit is ${formatFraction(maxGrowth)}`;
    }
  }
  return null;
}

/**
 * The time for which a pool opened connections that its workers needed, as a fraction of the window. Under a lock they come one after another,
 * and nobody else gets a connection meanwhile: their number × their mean time, spread over the pools, each of which has
 * a lock of its own. Where connection attempts overlap, that adds up to more than the time that passed; the last one
 * ends it.
 */
function growthRatio({ pools }: ScenarioResult, { seconds, poolMetrics }: RoundResult): number {
  const { connectTime } = poolMetrics;
  // Results before 0.6 do not say what a connection was opened for.
  const created = poolMetrics.createdForWorkers ?? poolMetrics.created;
  const lastMs = poolMetrics.lastCreatedForWorkersMs ?? poolMetrics.lastCreatedMs;
  const summedMs = (created * connectTime.mean) / pools;
  return Math.min(summedMs, lastMs ?? summedMs) / (seconds * 1000);
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

/** The first whole round of which this is true: one that was cut short is in no verdict. */
export function findRound(
  { rounds }: ScenarioResult,
  isSo: (round: RoundResult) => boolean,
): RoundResult | undefined {
  return wholeRounds(rounds).find(isSo);
}
