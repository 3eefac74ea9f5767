import type { RoundResult, ScenarioResult } from '../../result.ts';
import { median, minRounds } from '../../stats/statistics.ts';
import { lostRatio } from '../../stats/summary.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';
import { formatFraction, formatList, formatPlural } from '../../text/format.ts';
import type { ArmPair } from './arms.ts';

/**
 * Share of operations that may fail or stay unfinished in an arm before its figures say nothing. They have no latency,
 * so an arm that loses its slowest 1 % has lost all that its p99 is about; a fifth of those leaves a p99 standing.
 */
const mostLost = 0.002;

/** What a verdict would be made of. */
export interface Ground {
  readonly arms: readonly ScenarioResult[];
  /** One figure for each round that all of the arms have measured. */
  readonly byRound: readonly number[];
}

/** Why these figures are no ground for a verdict, as a clause; null if they are. By whole rounds: no other is in a verdict. */
export function findFlaw(grounds: readonly Ground[]): string | null {
  for (const arm of new Set(grounds.flatMap(ground => ground.arms))) {
    const whole = wholeRounds(arm.rounds);
    const lost = lostRatio(whole) - cutShare(whole);
    if (lost > mostLost) {
      return `${(lost * 100).toFixed(lost < 0.01 ? 2 : 1)} % of the operations of ${arm.id} failed or stayed unfinished${arm.cutEveryMs > 0 ? ' beyond one a cut' : ''}, and ${mostLost * 100} % is the limit`;
    }
    const silent = whole.find(round => round.completed === 0);
    if (silent) return `nothing completed in round ${silent.round} of ${arm.id}`;
  }
  const rounds = Math.min(...grounds.map(({ byRound }) => byRound.length));
  if (rounds >= minRounds) return null;
  const common =
    rounds === 0 ? 'no round is' : rounds === 1 ? 'only 1 round is' : `only ${rounds} rounds are`;
  return `${common} common to all scenarios, and a verdict needs ${minRounds}`;
}

/** What cuts on purpose may have ended, one operation each, as a share of those issued: no loss that was not asked for. */
function cutShare(rounds: readonly RoundResult[]): number {
  const sum = (count: (round: RoundResult) => number) =>
    rounds.reduce((total, round) => total + count(round), 0);
  const issued = sum(round => round.issued);
  return sum(({ cuts }) => cuts) / Math.max(1, issued);
}

/** Share of a window that a pool may spend on opening connections. The gains that claims promise begin at 5 %. */
const mostGrowth = 0.02;

/** Why the lock of `base` was not what `other` does without, as a clause; null if it was, in every round. */
export function findLockFlaw(pairs: readonly ArmPair[]): string | null {
  for (const { base, other } of pairs) {
    // A single worker has nobody to wait for.
    const idle = base.workers > 1 ? roundOf(base, ({ poolMetrics }) => poolMetrics.lockWaits === 0) : null;
    if (idle !== null) return `no caller waited for the lock of ${base.id} in round ${idle}`;
    const locked = roundOf(other, ({ poolMetrics }) => poolMetrics.lockWaits > 0);
    if (locked !== null)
      return `callers waited for a lock in ${other.id} in round ${locked}, which is to have none`;
  }
  return null;
}

/** Why `base` did not check health at every acquisition, or `other` did more than now and then; null if both did. */
export function findHealthFlaw(pairs: readonly ArmPair[]): string | null {
  for (const { base, other } of pairs) {
    const unchecked = roundOf(base, ({ poolMetrics }) => poolMetrics.healthChecksRun === 0);
    if (unchecked !== null) return `${base.id} ran no health check in round ${unchecked}`;
    const skipping = roundOf(base, ({ poolMetrics }) => poolMetrics.healthChecksSkipped > 0);
    if (skipping !== null) return `${base.id} skipped health checks in round ${skipping}`;
    const eager = roundOf(other, round => !isCached(other, round));
    if (eager !== null) return `${other.id} did not cache its health checks in round ${eager}`;
  }
  return null;
}

/** A connection that lies idle for the TTL is checked when it is next wanted, so at most once in each TTL. */
function isCached(
  { connections, healthTtlMs }: ScenarioResult,
  { seconds, poolMetrics }: RoundResult,
): boolean {
  const most = connections * (1 + (seconds * 1000) / healthTtlMs);
  return poolMetrics.healthChecksSkipped > 0 && poolMetrics.healthChecksRun <= most;
}

/** Why an arm's pools were not fully grown when the window began, as a clause; null if they were, by the median round. */
export function findGrowthFlaw(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const share = median(wholeRounds(arm.rounds).map(round => growthShare(arm, round)));
    if (share > mostGrowth) {
      return `connections were still being opened, for ${formatFraction(share)} of the window of ${arm.id}, and ${formatFraction(mostGrowth)} is the limit`;
    }
  }
  return null;
}

/**
 * The time for which a pool opened connections, as a share of the window. Under a lock they come one after another, and
 * nobody else gets a connection meanwhile: their number × their mean time, spread over the pools, each of which has a
 * lock of its own. Where connects overlap, that adds up to more than the time that passed; the last one ends it.
 */
function growthShare({ pools }: ScenarioResult, { seconds, poolMetrics }: RoundResult): number {
  const { created, connectTime, lastCreatedMs } = poolMetrics;
  const summedMs = (created * connectTime.mean) / pools;
  return Math.min(summedMs, lastCreatedMs ?? summedMs) / (seconds * 1000);
}

/** Of the whole rounds: one that was cut short proves nothing, and no verdict uses it. */
function roundOf({ rounds }: ScenarioResult, isSo: (round: RoundResult) => boolean): number | null {
  return wholeRounds(rounds).find(isSo)?.round ?? null;
}

/** A p99 is the best of the worst 1 %: the cold operations must be twice as many for it to be one of theirs for sure. */
const leastSeen = 0.02;

/** Why these arms did not start cold inside the measured window, as a clause; null if they did, in every whole round. */
export function findWarmStart(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const rounds = wholeRounds(arm.rounds);
    const early = rounds.find(({ poolMetrics }) => poolMetrics.createdBefore > 0);
    if (early) return `${arm.id} had connections before the window of round ${early.round}`;
    const none = rounds.find(({ poolMetrics }) => poolMetrics.created === 0);
    if (none) return `${arm.id} created no connection in the window of round ${none.round}`;
  }
  return null;
}

/** Why a p99 cannot see the start of those of these arms that start cold, as a clause; null if it can, in all of them. */
export function findThinStart(arms: readonly ScenarioResult[]): string | null {
  const thin = arms.filter(startsCold).find(arm => coldShare(arm) < leastSeen);
  if (thin === undefined) return null;
  return `the operations that the cold start holds up are only ${(coldShare(thin) * 100).toFixed(2)} % of those of ${thin.id}, and below ${leastSeen * 100} % a p99 need not see them`;
}

/** How much of a window the start is: the first operation of every worker without a connection, as a share of all. */
export function sayColdShare(arms: readonly ScenarioResult[]): string[] {
  const shares = arms
    .filter(startsCold)
    .map(
      arm =>
        `${formatFraction(coldShare(arm))} with minIdle ${arm.minIdle} at ${formatPlural(arm.workers, 'worker')} (${arm.client})`,
    );
  return shares.length === 0
    ? []
    : [
        `The first operations of the workers for which no connection was open are ${formatList(shares)} of the window's.`,
      ];
}

/** "first 0.05 s", of a load that began with the window. */
export function sayWindow(arms: readonly ScenarioResult[]): string {
  const seconds = arms.flatMap(({ rounds }) => rounds.map(round => round.seconds));
  return seconds.length === 0 ? 'from the start' : `first ${Number(median(seconds).toPrecision(2))} s`;
}

/** Workers that find no connection open when the load begins. */
const coldWorkers = ({ workers, minIdle }: ScenarioResult) => Math.max(0, workers - minIdle);

const startsCold = (arm: ScenarioResult) => arm.rounds.length > 0 && coldWorkers(arm) > 0;

function coldShare(arm: ScenarioResult): number {
  return coldWorkers(arm) / Math.max(1, median(wholeRounds(arm.rounds).map(({ completed }) => completed)));
}
