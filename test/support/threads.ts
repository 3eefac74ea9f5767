import { Piscina } from 'piscina';
import { onTestFinished } from 'vitest';
import { nowNs } from '../../src/pool/clock.ts';
import type { PoolShare, ThreadSample, ThreadTask } from '../../src/workers/contract.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import runTask from '../../src/workers/thread.ts';
import { loopback } from './connections.ts';

export interface TaskOptions extends Partial<Omit<ThreadTask, 'pools' | 'shared' | 'thread'>> {
  readonly pools?: readonly Partial<PoolShare>[];
  /** Between the opening of the barrier and the start instant. */
  readonly leadMs?: number;
}

/** A task with one pool of a few workers on the wire, no warm-up and 0.3 s of load, unless told otherwise. */
export function buildTask(
  port: number,
  shared: SharedState,
  { pools = [{}], ...changes }: Omit<TaskOptions, 'leadMs'> = {},
  thread = 0,
): ThreadTask {
  return {
    thread,
    address: loopback(port),
    client: 'wire',
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    pools: pools.map(pool => ({ workers: 4, connections: 8, minIdle: 2, firstKey: 0, keys: 100, ...pool })),
    pipeline: 1,
    keyPrefix: 'test:',
    valueBytes: 16,
    readShare: 0.5,
    seed: 1,
    warmupSeconds: 0,
    seconds: 0.3,
    timeoutMs: 1000,
    shared: shared.buffer,
    ...changes,
  };
}

/** Runs one task in this thread: opens the barrier as soon as it is ready, and hands back its sample. */
export async function runOne(
  port: number,
  { leadMs = 5, ...options }: TaskOptions = {},
  onReleased: (shared: SharedState, startNs: number) => void = () => {},
): Promise<ThreadSample> {
  const shared = SharedState.forThreads(1);
  const running = runTask(buildTask(port, shared, options));
  let ended = false;
  const end = () => {
    ended = true;
  };
  running.then(end, end);
  while (shared.ready < 1 && !ended && shared.stopNs === undefined)
    await new Promise(resolve => setTimeout(resolve, 1));
  const startNs = nowNs() + leadMs * 1e6;
  onReleased(shared, startNs);
  shared.release(startNs);
  const outcome = await running;
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome;
}

/** Operations of a sample: they must add up to what was issued. */
export function accounted(sample: ThreadSample): number {
  const failed = Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
  return sample.completed + failed + sample.unfinished;
}

/** Real threads, as compiled; they end with the test. */
export function startThreads(threads: number): (task: ThreadTask) => Promise<ThreadSample> {
  const piscina = new Piscina({
    filename: new URL('../../dist/workers/thread.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    execArgv: [],
    recordTiming: false,
  });
  onTestFinished(() => piscina.destroy());
  return task => piscina.run(task) as Promise<ThreadSample>;
}
