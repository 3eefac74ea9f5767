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
    connectTime: mergeTimes(pools.map(pool => pool.connectTime)),
    connectFailures: sum(pool => pool.connectFailures),
    reconnects: sum(pool => pool.reconnects),
    peakWaiting: pools.reduce((most, pool) => Math.max(most, pool.peakWaiting), 0),
    utilization: mergeUtilization(pools.map(pool => pool.utilization)),
  };
}

/**
 * Sums the pools' standings slot by slot. The pools note theirs at instants of their own, so one that is silent in a
 * slot counts with its latest standing, and before its first with the first: a late note is not an empty pool.
 */
function mergeUtilization(pools: readonly (readonly Utilization[])[]): Utilization[] {
  const slotOf = (standing: Utilization) => Math.floor(standing.atMs / slotMs);
  const noted = pools.filter(standings => standings.length > 0);
  const slots = noted.flat().map(slotOf);
  const merged: Utilization[] = [];
  for (let slot = Math.min(...slots); slot <= Math.max(...slots); slot++) {
    const standings = noted.flatMap(
      ofPool => ofPool.findLast(at => slotOf(at) <= slot) ?? ofPool.slice(0, 1),
    );
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
