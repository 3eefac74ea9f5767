import type { PoolSnapshot, Utilization } from '../../pool/metrics.ts';
import type { PoolMetrics } from '../result.ts';
import { mergeTimes } from './histogram.ts';
import { sumOf } from './statistics.ts';

/** Width of a slot of the merged utilization, as in result.json: the period at which a pool records its own. */
export const slotMs = 100;

/** What all pools of a round did. Counts are sums. */
export function mergePools(pools: readonly PoolSnapshot[]): PoolMetrics {
  const sum = (count: (pool: PoolSnapshot) => number) => sumOf(pools, count);
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
    lastCreatedMs: lastOf(pools, pool => pool.lastCreatedMs),
    createdForWorkers: sum(pool => pool.createdForWorkers),
    lastCreatedForWorkersMs: lastOf(pools, pool => pool.lastCreatedForWorkersMs),
    connectTime: mergeTimes(pools.map(pool => pool.connectTime)),
    connectFailures: sum(pool => pool.connectFailures),
    reconnects: sum(pool => pool.reconnects),
    peakWaiting: pools.reduce((max, pool) => Math.max(max, pool.peakWaiting), 0),
    utilization: mergeUtilization(pools.map(pool => pool.utilization)),
  };
}

/** The latest of these instants; null if no pool has one. */
function lastOf(
  pools: readonly PoolSnapshot[],
  instant: (pool: PoolSnapshot) => number | null,
): number | null {
  return pools.reduce<number | null>((last, pool) => {
    const ms = instant(pool);
    return ms === null ? last : Math.max(last ?? 0, ms);
  }, null);
}

/**
 * Sums the pools' utilization slot by slot; each pool's entries are in the order of time. Pools record theirs at
 * different instants, so one without an entry in a slot counts with its latest, or before its first with the first: a
 * late entry is not an empty pool.
 */
function mergeUtilization(pools: readonly (readonly Utilization[])[]): Utilization[] {
  const slotOf = (entry: Utilization) => Math.floor(entry.atMs / slotMs);
  const recorded = pools.filter(entries => entries.length > 0);
  const ends = recorded.flatMap(ofPool => [...ofPool.slice(0, 1), ...ofPool.slice(-1)].map(slotOf));
  const first = ends.reduce((min, slot) => Math.min(min, slot), Number.POSITIVE_INFINITY);
  const last = ends.reduce((max, slot) => Math.max(max, slot), Number.NEGATIVE_INFINITY);
  /** For each pool, the index of its latest entry: one pass over each, however long the run was. */
  const latest = recorded.map(() => 0);
  const merged: Utilization[] = [];
  for (let slot = first; slot <= last; slot++) {
    const entries = recorded.flatMap((ofPool, pool) => {
      let index = latest[pool] ?? 0;
      for (let next = ofPool[index + 1]; next && slotOf(next) <= slot; next = ofPool[index + 1]) index++;
      latest[pool] = index;
      return ofPool[index] ?? [];
    });
    const sum = (count: (entry: Utilization) => number) => sumOf(entries, count);
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
