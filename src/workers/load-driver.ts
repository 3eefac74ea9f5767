import { setTimeout as sleep } from 'node:timers/promises';
import type { RedirectCount } from '../pool/client/cluster/slot-ranges.ts';
import { nowNs } from '../pool/clock.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import { ClosedLoopWorker } from './closed-loop.ts';
import type { KeyRange, LoadSample, PoolTask, ThreadSample, ThreadTask } from './contract.ts';
import type { Deliveries } from './deliveries.ts';
import { FailureCounts } from './failure-counts.ts';
import { type LoadWorker, WorkerGroup } from './load-workers.ts';
import { MeasuredWindow, measureBusyNs, millisecondsUntil, readThreadCpu } from './measured-window.ts';
import { OpenLoad } from './open-load.ts';
import { OpenLoopWorker } from './open-loop.ts';
import { ClosedLoad, type PacedLoad, threadPacer } from './pacer.ts';
import { streamSeed } from './prng.ts';
import { CommandRecorder, type LoadWindow, Recorder } from './recorder.ts';
import type { ScriptLoad } from './script/script-load.ts';
import type { SharedState } from './shared-state.ts';
import type { CommandMix } from './workload/command-mix.ts';
import { partOf } from './workload/keys.ts';
import { openWorkload } from './workload/open-workload.ts';
import { readReplay, recordedInstants } from './workload/replay.ts';
import type { Workload } from './workload/workload.ts';

/** Interval at which a thread looks at the stop flag and publishes its progress. */
const tickMs = 50;

/** The same in the warm-up, for the growth of the pools and the start of the measured window. */
const warmupTickMs = 5;

/** The workers of a thread that send batches of one size, and where their operations are counted. */
interface Load {
  readonly pipeline: number;
  readonly recorder: Recorder;
  readonly workers: LoadWorker[];
}

/** What a load can have besides its workers. */
interface Beside {
  readonly script?: ScriptLoad | undefined;
  readonly deliveries?: Deliveries | undefined;
}

/** The workers of a thread's pools. They are made before the start instant, or a run without a warm-up would measure it. */
export class LoadDriver {
  readonly #task: ThreadTask;
  readonly #pools: readonly ConnectionPool[];
  readonly #window: LoadWindow = { endNs: Number.POSITIVE_INFINITY };
  readonly #group: WorkerGroup;
  readonly #loads: readonly Load[];
  readonly #measured: MeasuredWindow;
  /** Makes the workers send in an open loop; undefined in a closed one, in which they send by themselves. */
  readonly #open: OpenLoad | undefined;
  readonly #paced: PacedLoad;
  /** Whether every worker keeps its first connection until all have one, or until the pool is full. */
  readonly #gathers: boolean;
  readonly #redirects: RedirectCount | null;
  readonly #deliveries: Deliveries | undefined;
  /** Each workload once. Where commands insert records, every pool has exactly one. */
  readonly #workloads: readonly Workload[];

  constructor(
    task: ThreadTask,
    pools: readonly ConnectionPool[],
    mix: CommandMix,
    redirects: RedirectCount | null,
    { script, deliveries }: Beside = {},
  ) {
    this.#task = task;
    this.#pools = pools;
    this.#open = task.openLoop === null ? undefined : new OpenLoad(task.openLoop, this.#window);
    this.#paced = this.#open ?? new ClosedLoad();
    this.#gathers =
      task.burst ||
      (task.warmupSeconds > 0 &&
        // Without arrivals in the warm-up nothing else opens connections.
        (task.openLoop?.arrivals.kind === 'recorded' ||
          task.pools.every(pool => pool.connections >= countWorkers(pool))));
    this.#group = new WorkerGroup({ holds: this.#gathers && this.#open === undefined });
    this.#deliveries = deliveries;
    const context = { window: this.#window, group: this.#group, open: this.#open, script, deliveries };
    const { loads, workloads } = makeWorkers(task, pools, mix, context);
    this.#loads = loads;
    this.#workloads = workloads;
    this.#measured = new MeasuredWindow(redirects === null ? pools : [...pools, redirects]);
    this.#redirects = redirects;
  }

  /** Warm-up, measured window and drain, from the start instant `releasedNs` on. */
  async drive(shared: SharedState, releasedNs: number): Promise<ThreadSample> {
    threadPacer.join(this.#paced);
    try {
      return await this.#drive(shared, releasedNs);
    } finally {
      void threadPacer.leave(this.#paced);
    }
  }

  async #drive(shared: SharedState, releasedNs: number): Promise<ThreadSample> {
    const { thread, warmupSeconds, seconds, timeoutMs } = this.#task;
    const window = this.#window;
    if (shared.stopNs !== undefined) window.endNs = shared.stopNs;
    this.#open?.release(releasedNs);
    // A worker that never gets a connection must not delay the measured window of the others, or its end.
    const stopHolding = () => {
      this.#group.stopHolding();
      this.#open?.stopHolding();
    };
    let startNs = Number.POSITIVE_INFINITY;
    let latestHold: NodeJS.Timeout | undefined;
    const openWindow = (windowNs: number) => {
      // A thread that sees the start too late has a shorter window: what it has issued until now was warm-up.
      startNs = warmupSeconds > 0 ? Math.max(windowNs, nowNs()) : windowNs;
      window.endNs = Math.min(window.endNs, windowNs + seconds * 1e9);
      for (const { recorder } of this.#loads) recorder.begin(startNs);
      this.#deliveries?.begin(startNs);
      this.#measured.schedule(startNs, window.endNs);
      this.#open?.openWindow(startNs, windowNs);
      const heldUntilNs = warmupSeconds > 0 ? startNs : window.endNs;
      latestHold = setTimeout(stopHolding, millisecondsUntil(heldUntilNs));
    };
    let warmupTicker: NodeJS.Timeout | undefined;
    if (warmupSeconds === 0) openWindow(releasedNs);
    else warmupTicker = this.#watchWarmup(shared, openWindow);
    const publish = progressPublisher(shared, thread, {
      recorders: this.#loads.map(({ recorder }) => recorder),
      pools: this.#pools,
    });
    const ticker = setInterval(() => {
      publish();
      if (shared.stopNs === undefined) return;
      // Operations were issued until the flag was seen, so the window, by which they are divided, lasts until then.
      window.endNs = Math.min(window.endNs, Math.max(shared.stopNs, nowNs()));
      stopHolding();
      // It does not look again by itself while no load has an arrival ahead.
      threadPacer.wake();
    }, tickMs);

    const workers = this.#loads.flatMap(load => load.workers);
    if (this.#open === undefined) for (const worker of workers) worker.start();
    else void this.#open.begin(workers, { gathers: this.#gathers });
    const begunNs = nowNs();
    await drained(this.#group.allStopped, window, timeoutMs);
    clearInterval(ticker);
    clearInterval(warmupTicker);
    clearTimeout(latestHold);

    const { allServedNs } = this.#group;
    const { spinShare, ...threadLoad } = this.#measured.stop();
    // Encoding takes milliseconds, so it waits for the other loads of the thread, but not beyond this load's own time limit.
    await drained(threadPacer.leave(this.#paced), window, timeoutMs);
    const loads = this.#loads.map(finish);
    const sample: ThreadSample = {
      thread,
      // A thread that had no core until its window was over has had no window, whatever its schedule offered.
      seconds: begunNs < window.endNs ? Math.max(0, (window.endNs - startNs) / 1e9) : 0,
      threadLoad: this.#open === undefined && spinShare === 0 ? threadLoad : { ...threadLoad, spinShare },
      allServedMs: allServedNs === null ? null : (allServedNs - releasedNs) / 1e6,
      pools: this.#pools.flatMap(pool => pool.metrics() ?? []),
      loads,
      openLoop: this.#open?.finish(loads, spinShare) ?? null,
      redirects: this.#redirects === null ? null : { moved: this.#redirects.moved, ask: this.#redirects.ask },
      inserted: this.#workloads.flatMap(({ inserted }) => inserted ?? []),
    };
    if (this.#deliveries === undefined) return sample;
    return { ...sample, deliveries: await this.#deliveries.finish(timeoutMs) };
  }

  /** Publishes the growth of the pools until the coordinator has set the start of the measured window. */
  #watchWarmup(shared: SharedState, openWindow: (windowNs: number) => void): NodeJS.Timeout {
    const look = () => {
      shared.publishGrowth(this.#task.thread, {
        lookedNs: nowNs(),
        allConnected: this.#open?.gathered ?? this.#group.allConnected,
        grownNs: Math.max(...this.#pools.map(pool => pool.grownNs)),
      });
      const { windowNs } = shared;
      if (windowNs === undefined) return;
      clearInterval(ticker);
      openWindow(windowNs);
    };
    const ticker = setInterval(look, warmupTickMs);
    look();
    return ticker;
  }
}

/** Makes the thread's workers with their workloads, and groups them by the size of their batches, smallest first. */
function makeWorkers(
  task: ThreadTask,
  pools: readonly ConnectionPool[],
  mix: CommandMix,
  {
    window,
    group,
    open,
    script,
    deliveries,
  }: Beside & {
    window: LoadWindow;
    group: WorkerGroup;
    open: OpenLoad | undefined;
  },
): { readonly loads: readonly Load[]; readonly workloads: readonly Workload[] } {
  const loads = new Map<number, Load>();
  const workloads: Workload[] = [];
  const openOne = (own: KeyRange, seed: number) =>
    script?.openWorkload(own, seed) ?? openWorkload(task.workload, mix, own, seed, deliveries);
  const newRecorder = () =>
    script?.newRecorder(window, open?.stages) ??
    new Recorder(window, task.workload.apart ? new CommandRecorder(mix.templates) : undefined, open?.stages);
  for (const [index, poolTask] of task.pools.entries()) {
    const pool = pools[index] as ConnectionPool;
    const nextWorkload = workloadsOf(task, poolTask, streamSeed(task.seed, 'pool', index), openOne);
    for (const { workers, pipeline } of poolTask.groups) {
      const load = loads.get(pipeline) ?? { pipeline, recorder: newRecorder(), workers: [] };
      loads.set(pipeline, load);
      const { replay, keys } = task.workload;
      const recorded =
        open !== undefined && replay !== undefined
          ? recordedInstants(readReplay(replay), poolTask, keys)
          : undefined;
      const connections = Math.min(workers, poolTask.connections);
      const queue = open?.addPool({ pool, connections }, pipeline, { seed: task.seed, recorded });
      for (let worker = 0; worker < workers; worker++) {
        group.join();
        const workload = nextWorkload();
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

/** Returns the workload of one worker after another: the pool's, or a separate one if keys are partitioned. */
function workloadsOf(
  { workload }: ThreadTask,
  pool: PoolTask,
  seed: number,
  open: (own: KeyRange, seed: number) => Workload,
): () => Workload {
  if (workload.keyChoice.kind !== 'partitioned') {
    const shared = open(pool, seed);
    return () => shared;
  }
  const workers = countWorkers(pool);
  let worker = 0;
  return () => {
    const own = partOf(pool, worker, workers);
    return open(own, streamSeed(seed, 'worker', worker++));
  };
}

function countWorkers({ groups }: PoolTask): number {
  return sum(groups, ({ workers }) => workers);
}

function finish({ pipeline, recorder, workers }: Load): LoadSample {
  return { pipeline, unfinished: sum(workers, worker => worker.unfinished), ...recorder.finish() };
}

/** Resolves when workers or loads have ended, or when the last reply is later than any timeout explains. */
async function drained(
  ended: Promise<void>,
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
  await Promise.race([ended, patience()]);
  given.abort();
}

/** What the progress of a thread is read from. */
interface ProgressSources {
  readonly recorders: readonly Recorder[];
  readonly pools: readonly ConnectionPool[];
}

/** Returns a function that publishes the thread's progress. The thread's tick calls it, never the load. */
function progressPublisher(
  shared: SharedState,
  thread: number,
  { recorders, pools }: ProgressSources,
): () => void {
  const busyNs = measureBusyNs();
  const { spunNs } = threadPacer;
  let failedBefore = 0;
  return () => {
    const failed = sum(recorders, recorder => recorder.failed.total);
    shared.publish(thread, {
      atNs: nowNs(),
      // A loop that only waits for the next arrival is not busy.
      busyNs: Math.max(0, busyNs() - (threadPacer.spunNs - spunNs)),
      cpuNs: (readThreadCpu().ranNs ?? Number.NaN) - threadPacer.spunNs,
      warmupCompleted: sum(recorders, recorder => recorder.warmupCompleted),
      warmupFailed: sum(recorders, recorder => recorder.warmupFailed),
      completed: sum(recorders, recorder => recorder.completed),
      failed,
      p99Ms: Math.max(0, ...recorders.map(recorder => recorder.currentP99Ms)),
      connections: sum(pools, pool => pool.total),
      idle: sum(pools, pool => pool.idle),
      waiting: sum(pools, pool => pool.waiting),
    });
    if (failed === failedBefore) return;
    failedBefore = failed;
    shared.publishFailures(thread, sumByCode(recorders));
  };
}

function sum<Item>(items: readonly Item[], figure: (item: Item) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

function sumByCode(recorders: readonly Recorder[]): Readonly<Record<string, number>> {
  const failed = new FailureCounts();
  for (const recorder of recorders) failed.addAll(recorder.failed);
  return failed.toRecord();
}
