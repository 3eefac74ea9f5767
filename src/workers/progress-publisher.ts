import { performance } from 'node:perf_hooks';
import { nowNs } from '../pool/clock.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import type { Recorder } from './recorder.ts';
import type { SharedState } from './shared-state.ts';

/** What the progress of a thread is read from. */
export interface ProgressSources {
  readonly recorders: readonly Recorder[];
  readonly pools: readonly Pick<ConnectionPool, 'total' | 'idle' | 'waiting'>[];
  /** Nanoseconds in which the thread turned its event loop with nothing to do, of an open loop. */
  readonly spunNs: () => number;
}

/** Tells the coordinator how a thread gets on, when the thread's tick says so: the load has no part in it. */
export class ProgressPublisher {
  readonly #shared: SharedState;
  readonly #thread: number;
  readonly #sources: ProgressSources;
  readonly #loop = performance.eventLoopUtilization();
  #noted = 0;

  constructor(shared: SharedState, thread: number, sources: ProgressSources) {
    this.#shared = shared;
    this.#thread = thread;
    this.#sources = sources;
  }

  publish(): void {
    const { recorders, pools } = this.#sources;
    const failed = sum(recorders, recorder => recorder.failedCount);
    // A loop that only waits for the next arrival is not busy.
    const { active: activeMs } = performance.eventLoopUtilization(this.#loop);
    this.#shared.publish(this.#thread, {
      atNs: nowNs(),
      busyNs: Math.max(0, activeMs * 1e6 - this.#sources.spunNs()),
      warmupCompleted: sum(recorders, recorder => recorder.warmupCompleted),
      warmupFailed: sum(recorders, recorder => recorder.warmupFailed),
      completed: sum(recorders, recorder => recorder.completed),
      failed,
      p99Ms: Math.max(0, ...recorders.map(recorder => recorder.currentP99Ms)),
      connections: sum(pools, pool => pool.total),
      idle: sum(pools, pool => pool.idle),
      waiting: sum(pools, pool => pool.waiting),
    });
    if (failed === this.#noted) return;
    this.#noted = failed;
    this.#shared.publishFailures(this.#thread, sumByCode(recorders));
  }
}

function sum<Item>(items: readonly Item[], figure: (item: Item) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

function sumByCode(recorders: readonly Recorder[]): Record<string, number> {
  const failed: Record<string, number> = {};
  for (const recorder of recorders) {
    for (const [code, count] of Object.entries(recorder.failed)) failed[code] = (failed[code] ?? 0) + count;
  }
  return failed;
}
