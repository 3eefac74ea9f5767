import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandSet } from '../pool/batch.ts';
import { nowNs } from '../pool/clock.ts';
import type { Connect } from '../pool/connection.ts';
import { Pool } from '../pool/pool.ts';
import { presets } from '../pool/presets.ts';
import { ClosedLoopWorker } from './closed-loop.ts';
import type { PoolShare, ThreadRefusal, ThreadSample, ThreadTask } from './contract.ts';
import { mixSeed } from './prng.ts';
import { Recorder } from './recorder.ts';
import { SharedState } from './shared-state.ts';
import { commandSet, Workload } from './workload.ts';

/** How often a thread looks at the stop flag and publishes its progress. */
const tickMs = 50;

/** Piscina's entry: opens the thread's pools, waits at the barrier, drives the load, and returns what it saw. */
export default async function runTask(task: ThreadTask): Promise<ThreadSample | ThreadRefusal> {
  const shared = new SharedState(task.shared);
  const connect = await connector(task);
  const pools = task.pools.map(share => new Pool(poolOptions(task, share), connect));
  try {
    const refused = await Promise.all(pools.map(pool => pool.warm())).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined)
      return { refused: refused instanceof Error ? refused.message : String(refused) };
    shared.markReady();
    return await drive(task, shared, pools, await passBarrier(shared));
  } finally {
    await Promise.all(pools.map(pool => pool.close({ timeout: 0 })));
  }
}

/** Loads only the client that the scenario uses: ioredis costs a thread about 10 MB. */
async function connector(task: ThreadTask): Promise<Connect> {
  const commands: CommandSet = commandSet(task.keyPrefix, task.valueBytes, task.seed);
  if (task.client === 'wire') {
    const { WireConnection } = await import('../pool/wire-connection.ts');
    return WireConnection.connector(task.address, commands, task.timeoutMs);
  }
  const { IoredisConnection } = await import('../pool/ioredis-connection.ts');
  return IoredisConnection.connector(task.address, commands, task.timeoutMs);
}

function poolOptions(task: ThreadTask, share: PoolShare) {
  return {
    strategies: presets[task.preset],
    max: share.connections,
    minIdle: share.minIdle,
    probe: task.probe,
    healthTtlMs: task.healthTtlMs,
    timeoutMs: task.timeoutMs,
    metrics: true,
  };
}

/** Waits for the start instant, with the event loop alive: idle connections need it. */
async function passBarrier(shared: SharedState): Promise<number> {
  for (;;) {
    const startNs = shared.startNs;
    if (startNs !== undefined) {
      const earlyMs = (startNs - nowNs()) / 1e6 - 1;
      if (earlyMs > 1) await sleep(earlyMs);
      while (nowNs() < startNs) await new Promise(resolve => setImmediate(resolve));
      return startNs;
    }
    if (shared.stopNs !== undefined) return nowNs();
    await sleep(1);
  }
}

/** Warm-up, measured window and drain of all the thread's workers. */
async function drive(
  task: ThreadTask,
  shared: SharedState,
  pools: readonly Pool[],
  releasedNs: number,
): Promise<ThreadSample> {
  const startNs = releasedNs + task.warmupSeconds * 1e9;
  const window = { endNs: Math.min(startNs + task.seconds * 1e9, shared.stopNs ?? Number.POSITIVE_INFINITY) };
  const recorder = new Recorder(startNs, window);
  // Operations were issued until the flag was seen, so the window lasts until then: it is what they are divided by.
  const heedStop = () => {
    if (shared.stopNs !== undefined) window.endNs = Math.min(window.endNs, Math.max(shared.stopNs, nowNs()));
  };

  let running = 0;
  let allStopped = () => {};
  const stopped = new Promise<void>(resolve => {
    allStopped = resolve;
  });
  const workers = task.pools.flatMap((share, index) => {
    const pool = pools[index] as Pool;
    const workload = new Workload(share, task.readShare, mixSeed(task.seed, index));
    return Array.from({ length: share.workers }, () => {
      running++;
      return new ClosedLoopWorker({ pool, workload, recorder, window }, task.pipeline, () => {
        if (--running === 0) allStopped();
      });
    });
  });

  const measuring = measureEventLoop(startNs, pools);
  const ticker = setInterval(() => {
    heedStop();
    shared.publish(task.thread, {
      completed: recorder.warmupCompleted + recorder.completed,
      failed: recorder.warmupFailed + recorder.failedCount,
      p99Ms: recorder.currentP99Ms,
    });
  }, tickMs);

  for (const worker of workers) worker.start();
  await drained(stopped, window, task.timeoutMs);
  clearInterval(ticker);
  const eventLoopUtilization = measuring.stop();

  return {
    thread: task.thread,
    seconds: Math.max(0, (window.endNs - startNs) / 1e9),
    issued: recorder.issued,
    completed: recorder.completed,
    failed: recorder.failed,
    unfinished: workers.reduce((sum, worker) => sum + worker.unfinished, 0),
    misses: recorder.misses,
    warmupCompleted: recorder.warmupCompleted,
    overRange: recorder.overRange,
    pools: pools.flatMap(pool => pool.metrics() ?? []),
    eventLoopUtilization,
    ...recorder.finish(),
  };
}

/** Resolves when all workers have stopped, or when the last reply is later than any timeout explains. */
async function drained(stopped: Promise<void>, window: { endNs: number }, timeoutMs: number): Promise<void> {
  const given = new AbortController();
  const patience = async () => {
    // The window's end can move forward while this waits.
    for (;;) {
      const leftMs = (window.endNs - nowNs()) / 1e6 + timeoutMs + 1000;
      if (leftMs <= 0) return;
      await sleep(Math.min(leftMs, 250), undefined, { signal: given.signal }).catch(() => {});
      if (given.signal.aborted) return;
    }
  };
  await Promise.race([stopped, patience()]);
  given.abort();
}

/** Event-loop utilization and pool metrics from the start of the measured window on: the warm-up is discarded. */
function measureEventLoop(startNs: number, pools: readonly Pool[]): { stop(): number } {
  let begun = performance.eventLoopUtilization();
  const begin = () => {
    begun = performance.eventLoopUtilization();
    for (const pool of pools) pool.resetMetrics();
  };
  const warmupMs = (startNs - nowNs()) / 1e6;
  // Without a warm-up the first connects are inside the window: a timer would come after them.
  if (warmupMs <= 0) begin();
  const timer = warmupMs > 0 ? setTimeout(begin, warmupMs) : undefined;
  return {
    stop() {
      clearTimeout(timer);
      return performance.eventLoopUtilization(begun).utilization;
    },
  };
}
