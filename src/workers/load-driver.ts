import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedirectCount } from '../pool/client/cluster/slot-ranges.ts';
import { nowNs } from '../pool/clock.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import { ClosedLoopWorker } from './closed-loop.ts';
import type { LoadSample, PoolTask, ThreadSample, ThreadTask } from './contract.ts';
import { type LoadWorker, WorkerGroup } from './load-workers.ts';
import { MeasuredWindow, millisecondsUntil } from './measured-window.ts';
import { OpenLoad } from './open-load.ts';
import { OpenLoopWorker } from './open-loop.ts';
import { mixSeed } from './prng.ts';
import { CommandRecorder, type LoadWindow, Recorder } from './recorder.ts';
import type { SharedState } from './shared-state.ts';
import type { CommandMix } from './workload/command-mix.ts';
import { partOf } from './workload/keys.ts';
import { openWorkload, type Workload } from './workload/workload.ts';

/** How often a thread looks at the stop flag and publishes its progress. */
const tickMs = 50;

/** The workers of a thread that send batches of one size, and where their operations are counted. */
interface Load {
  readonly pipeline: number;
  readonly recorder: Recorder;
  readonly workers: LoadWorker[];
}

/** The workers of a thread's pools, made before the start instant: without a warm-up making them would be measured. */
export class LoadDriver {
  readonly #task: ThreadTask;
  readonly #pools: readonly ConnectionPool[];
  readonly #window: LoadWindow = { endNs: Number.POSITIVE_INFINITY };
  readonly #group: WorkerGroup;
  readonly #loads: readonly Load[];
  readonly #measured: MeasuredWindow;
  /** What makes the workers send; undefined in a closed loop, where they do so by themselves. */
  readonly #open: OpenLoad | undefined;
  /** Whether every worker keeps its first connection until all have one. */
  readonly #gathers: boolean;
  readonly #redirects: RedirectCount | null;
  /** Of each pool where they insert, of which there is one. */
  readonly #workloads: readonly Workload[];

  constructor(
    task: ThreadTask,
    pools: readonly ConnectionPool[],
    mix: CommandMix,
    redirects: RedirectCount | null,
  ) {
    this.#task = task;
    this.#pools = pools;
    this.#open = task.openLoop === null ? undefined : new OpenLoad(task.openLoop, this.#window);
    this.#gathers = task.burst || (task.warmupSeconds > 0 && task.pools.every(hasEnough));
    this.#group = new WorkerGroup({ holds: this.#gathers && this.#open === undefined });
    const made = makeWorkers(task, pools, mix, {
      window: this.#window,
      group: this.#group,
      open: this.#open,
    });
    this.#loads = made.loads;
    this.#workloads = made.workloads;
    this.#measured = new MeasuredWindow(redirects === null ? pools : [...pools, redirects]);
    this.#redirects = redirects;
  }

  /** Warm-up, measured window and drain, from the start instant `releasedNs` on. */
  async drive(shared: SharedState, releasedNs: number): Promise<ThreadSample> {
    const { thread, warmupSeconds, seconds, timeoutMs } = this.#task;
    const window = this.#window;
    const startNs = releasedNs + warmupSeconds * 1e9;
    window.endNs = Math.min(startNs + seconds * 1e9, shared.stopNs ?? Number.POSITIVE_INFINITY);
    for (const { recorder } of this.#loads) recorder.begin(startNs);
    this.#measured.schedule(startNs, window.endNs);
    // A worker that never gets a connection must not keep the others from the measured window, or from its end.
    const stopHolding = () => {
      this.#group.stopHolding();
      this.#open?.stopHolding();
    };
    const latestHold = setTimeout(stopHolding, millisecondsUntil(warmupSeconds > 0 ? startNs : window.endNs));
    const publisher = new ProgressPublisher(shared, thread, {
      recorders: this.#loads.map(({ recorder }) => recorder),
      pools: this.#pools,
      spunNs: () => this.#open?.spunNs ?? 0,
    });
    const ticker = setInterval(() => {
      publisher.publish();
      if (shared.stopNs === undefined) return;
      // Operations were issued until the flag was seen, so the window lasts until then: it is what they are divided by.
      window.endNs = Math.min(window.endNs, Math.max(shared.stopNs, nowNs()));
      stopHolding();
    }, tickMs);

    const workers = this.#loads.flatMap(load => load.workers);
    if (this.#open === undefined) for (const worker of workers) worker.start();
    else void this.#open.begin(workers, { releasedNs, startNs, gathers: this.#gathers });
    await drained(this.#group.allStopped, window, timeoutMs);
    clearInterval(ticker);
    clearTimeout(latestHold);

    const { allServedNs } = this.#group;
    const loads = this.#loads.map(finish);
    return {
      thread,
      seconds: Math.max(0, (window.endNs - startNs) / 1e9),
      threadLoad: this.#measured.stop(),
      allServedMs: allServedNs === null ? null : (allServedNs - releasedNs) / 1e6,
      pools: this.#pools.flatMap(pool => pool.metrics() ?? []),
      loads,
      openLoop: this.#open?.finish(loads) ?? null,
      redirects: this.#redirects === null ? null : { moved: this.#redirects.moved, ask: this.#redirects.ask },
      inserted: this.#workloads.flatMap(({ inserted }) => inserted ?? []),
    };
  }
}

/** Makes the thread's workers, with what they ask for, and groups them by the size of their batches, smallest first. */
function makeWorkers(
  task: ThreadTask,
  pools: readonly ConnectionPool[],
  mix: CommandMix,
  { window, group, open }: { window: LoadWindow; group: WorkerGroup; open: OpenLoad | undefined },
): { readonly loads: readonly Load[]; readonly workloads: readonly Workload[] } {
  const loads = new Map<number, Load>();
  const workloads: Workload[] = [];
  for (const [index, share] of task.pools.entries()) {
    const pool = pools[index] as ConnectionPool;
    const workloadOf = workloadsOf(task, mix, share, mixSeed(task.seed, index));
    for (const { workers, pipeline } of share.groups) {
      const load = loads.get(pipeline) ?? { pipeline, recorder: newRecorder(task, mix, window), workers: [] };
      loads.set(pipeline, load);
      const queue = open?.addPool(pool, workers, pipeline, mixSeed(task.seed, index));
      for (let worker = 0; worker < workers; worker++) {
        group.join();
        const workload = workloadOf();
        if (workload !== workloads.at(-1)) workloads.push(workload);
        const parts = { pool, workload, recorder: load.recorder };
        load.workers.push(
          queue === undefined
            ? new ClosedLoopWorker({ ...parts, window }, pipeline, group)
            : new OpenLoopWorker({ ...parts, queue }, pipeline, group),
        );
      }
    }
  }
  return { loads: [...loads.values()].toSorted((a, b) => a.pipeline - b.pipeline), workloads };
}

/** The workload of each worker, one after the other: the pool's own, or its own where keys are partitioned. */
function workloadsOf(task: ThreadTask, mix: CommandMix, share: PoolTask, seed: number): () => Workload {
  const { workload } = task;
  if (workload.keyChoice.kind !== 'partitioned') {
    const ofPool = openWorkload(workload, mix, share, seed);
    return () => ofPool;
  }
  const workers = share.groups.reduce((sum, group) => sum + group.workers, 0);
  let worker = 0;
  return () => {
    const own = partOf(share, worker, workers);
    return openWorkload(workload, mix, own, mixSeed(seed, worker++));
  };
}

function newRecorder(task: ThreadTask, mix: CommandMix, window: LoadWindow): Recorder {
  return new Recorder(window, task.workload.apart ? new CommandRecorder(mix.templates) : undefined);
}

/** Whether a pool can have a connection for each of its workers. */
function hasEnough({ groups, connections }: PoolTask): boolean {
  return connections >= groups.reduce((sum, { workers }) => sum + workers, 0);
}

function finish({ pipeline, recorder, workers }: Load): LoadSample {
  const unfinished = workers.reduce((sum, worker) => sum + worker.unfinished, 0);
  return { pipeline, unfinished, ...recorder.finish() };
}

/** Resolves when all workers have stopped, or when the last reply is later than any timeout explains. */
async function drained(
  stopped: Promise<void>,
  window: { readonly endNs: number },
  timeoutMs: number,
): Promise<void> {
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
