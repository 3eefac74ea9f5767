import type { RoundResult, ScenarioResult } from '../../result.ts';
import { median } from '../../stats/statistics.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';
import { formatShare } from '../../text/format.ts';
import type { ArmPair } from './arms.ts';

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
      return `connections were still being opened, for ${formatShare(share)} of the window of ${arm.id}, and ${formatShare(mostGrowth)} is the limit`;
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
