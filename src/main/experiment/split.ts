import type { OpenLoopTask, PoolTask, WorkerGroup } from '../../workers/contract.ts';
import type { Scenario } from './scenarios.ts';

/** Splits a total into equal whole parts; the first ones get the rest: 7 over 4 is 2, 2, 2, 1. */
export function splitEvenly(total: number, parts: number): number[] {
  return splitInProportion(total, new Array<number>(parts).fill(1));
}

/**
 * Splits a total into whole parts in proportion to whole weights, by largest remainder (Hamilton's method): the sum
 * is exact, every part is less than one off its proportion, and a larger weight never gets the smaller part.
 */
export function splitInProportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const parts = weights.map(weight => Math.floor((total * weight) / sum));
  let rest = total - parts.reduce((all, part) => all + part, 0);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((left, right) => right.remainder - left.remainder || left.index - right.index);
  for (const { index } of byRemainder) {
    if (rest-- <= 0) break;
    parts[index] = (parts[index] ?? 0) + 1;
  }
  return parts;
}

/** As splitInProportion, but no part is less than one: the difference is taken from the largest parts. */
export function splitAtLeastOne(total: number, weights: readonly number[]): number[] {
  const parts = splitInProportion(total, weights);
  for (let empty = parts.indexOf(0); empty >= 0; empty = parts.indexOf(0)) {
    const largest = Math.max(...parts);
    if (largest < 2) break;
    parts[parts.lastIndexOf(largest)] = largest - 1;
    parts[empty] = 1;
  }
  return parts;
}

/**
 * What every pool of a scenario gets, in one list for each thread: the totals are split exactly, the key numbers 0 …
 * keys − 1 without gap or overlap. The last thread holds the pools that remain. A pool of batch workers is in the same
 * thread as the pool it accompanies, and shares its keys.
 */
export function splitOverThreads(scenario: Scenario, keys: number): PoolTask[][] {
  const { pools, poolsPerThread, pipeline, batch } = scenario;
  const workers = splitEvenly(scenario.workers, pools);
  const batchWorkers = splitEvenly(batch.workers, pools);
  const keyCounts = splitEvenly(keys, pools);
  /** The workers of every pool. A separate pool of batch workers follows the pool that it accompanies. */
  const groups = workers.flatMap((count, pool): WorkerGroup[][] => {
    const single = { workers: count, pipeline };
    const beside = { workers: batchWorkers[pool] ?? 0, pipeline: batch.pipeline };
    if (batch.pool === 'none') return [[single]];
    return batch.pool === 'separate' ? [[single], [beside]] : [[single, beside]];
  });
  const connections = splitAtLeastOne(scenario.connections, groups.map(countWorkers));
  const minIdle = splitInProportion(scenario.minIdle, connections);

  const threads: PoolTask[][] = Array.from({ length: scenario.threads }, () => []);
  const perPool = batch.pool === 'separate' ? 2 : 1;
  let firstKey = 0;
  for (let pool = 0; pool < pools; pool++) {
    const keyRange = { firstKey, keys: keyCounts[pool] ?? 0 };
    firstKey += keyRange.keys;
    for (let index = pool * perPool; index < (pool + 1) * perPool; index++) {
      threads[Math.floor(pool / poolsPerThread)]?.push({
        groups: groups[index] ?? [],
        connections: connections[index] ?? 0,
        minIdle: minIdle[index] ?? 0,
        ...keyRange,
      });
    }
  }
  return threads;
}

function countWorkers(groups: readonly WorkerGroup[]): number {
  return groups.reduce((sum, { workers }) => sum + workers, 0);
}

/** A thread's part of a scenario's arrivals; null in a closed loop. */
export function openLoopOf(
  { arrival, pipeline, pools, poolsPerThread }: Scenario,
  thread: number,
): OpenLoopTask | null {
  if (arrival.kind === 'closed') return null;
  const place = { pools, firstPool: thread * poolsPerThread };
  if (arrival.kind === 'recorded') {
    const { kind, rate, speed } = arrival;
    return { arrivals: { kind, rate, speed }, ...place };
  }
  const { kind, rate, stages } = arrival;
  const size = kind === 'burst' ? arrival.size : pipeline;
  const arrivals = { kind, rate, size, ...(stages === undefined ? {} : { stages }) };
  return { arrivals, ...place };
}
