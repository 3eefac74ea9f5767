import type { PoolSnapshot, Utilization } from '../pool/metrics.ts';
import { mergeTimes } from './histogram.ts';
import type { PoolMetrics } from './result.ts';

/** Width of a slot of the merged utilization: the period at which a pool notes its own. */
const slotMs = 100;

/** Merges what the pools of one scenario tell of one round. */
export function mergePools(pools: readonly PoolSnapshot[]): PoolMetrics {
  const sum = (count: (pool: PoolSnapshot) => number) =>
    pools.reduce((total, pool) => total + count(pool), 0);
  const immediate = sum(pool => pool.immediate);
  return {
    acquisitions: sum(pool => pool.acquisitions),
    immediate,
    acquireWait: mergeTimes(
      pools.map(pool => pool.acquireWait),
      immediate,
    ),
    lockWaits: sum(pool => pool.lockWaits),
    lockWaitMs: sum(pool => pool.lockWaitMs),
    healthChecksRun: sum(pool => pool.healthChecksRun),
    healthChecksSkipped: sum(pool => pool.healthChecksSkipped),
    healthCheckMs: sum(pool => pool.healthCheckMs),
    createdBefore: sum(pool => pool.createdBefore),
    created: sum(pool => pool.created),
    lastCreatedMs: pools.reduce<number | null>(
      (last, { lastCreatedMs }) => (lastCreatedMs === null ? last : Math.max(last ?? 0, lastCreatedMs)),
      null,
    ),
    connectTime: mergeTimes(pools.map(pool => pool.connectTime)),
    connectFailures: sum(pool => pool.connectFailures),
    reconnects: sum(pool => pool.reconnects),
    peakWaiting: pools.reduce((most, pool) => Math.max(most, pool.peakWaiting), 0),
    utilization: mergeUtilization(pools.map(pool => pool.utilization)),
  };
}

/**
 * Sums the pools' standings slot by slot; each pool's are in the order of time. The pools note theirs at instants of
 * their own, so one that is silent in a slot counts with its latest standing, and before its first with the first: a
 * late note is not an empty pool.
 */
function mergeUtilization(pools: readonly (readonly Utilization[])[]): Utilization[] {
  const slotOf = (standing: Utilization) => Math.floor(standing.atMs / slotMs);
  const noted = pools.filter(standings => standings.length > 0);
  const ends = noted.flatMap(ofPool => [...ofPool.slice(0, 1), ...ofPool.slice(-1)].map(slotOf));
  const first = ends.reduce((least, slot) => Math.min(least, slot), Number.POSITIVE_INFINITY);
  const last = ends.reduce((most, slot) => Math.max(most, slot), Number.NEGATIVE_INFINITY);
  /** For each pool, the index of its latest standing: one pass over each, however long the run was. */
  const latest = noted.map(() => 0);
  const merged: Utilization[] = [];
  for (let slot = first; slot <= last; slot++) {
    const standings = noted.flatMap((ofPool, pool) => {
      let index = latest[pool] ?? 0;
      for (let next = ofPool[index + 1]; next && slotOf(next) <= slot; next = ofPool[index + 1]) index++;
      latest[pool] = index;
      return ofPool[index] ?? [];
    });
    const sum = (count: (standing: Utilization) => number) =>
      standings.reduce((total, at) => total + count(at), 0);
    merged.push({
      atMs: slot * slotMs,
      active: sum(at => at.active),
      idle: sum(at => at.idle),
      waiting: sum(at => at.waiting),
      total: sum(at => at.total),
    });
  }
  return merged;
}
