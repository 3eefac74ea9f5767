import { Piscina } from 'piscina';
import { onTestFinished } from 'vitest';
import { openWindow, type WindowStart } from '../../src/main/run/window-start.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { LoadSample, PoolTask, ThreadSample, ThreadTask } from '../../src/workers/contract.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import runTask from '../../src/workers/thread.ts';
import { fileOf, loopback, overRing, until } from './connections.ts';
import { plainWorkload } from './plain-workload.ts';

export interface TaskOptions extends Partial<Omit<ThreadTask, 'pools' | 'shared' | 'thread' | 'client'>> {
  /** 4 workers each, unless told otherwise. */
  readonly pools?: readonly (Partial<PoolTask> & { readonly workers?: number })[];
  /** With `wire, io_uring` for wire with that transport. */
  readonly client?: ThreadTask['client'] | typeof overRing;
  /** Of the workers that are given by their number. */
  readonly pipeline?: number;
  /** Between the opening of the barrier and the start instant. */
  readonly leadMs?: number;
  /** Lets the warm-up end as a run does: when the pools have grown. Else it ends when its time is over. */
  readonly onWindow?: (start: WindowStart) => void;
  /** Max length of such a warm-up. @default 60, so that the pools also grow on a busy machine */
  readonly boundSeconds?: number;
  /** Prolongs a warm-up of a fixed length until this holds: on a busy machine, its time can pass without an operation. */
  readonly warmUntil?: (shared: SharedState) => boolean;
}

/** Options that are no part of the thread's task. */
type StartOption = 'leadMs' | 'onWindow' | 'boundSeconds' | 'warmUntil';

/** A sample of workers that all send batches of one size, with what they did at hand. */
export type PlainSample = ThreadSample & LoadSample;

/** A task with one pool of a few workers on the wire, no warm-up and 0.15 s of load, unless told otherwise. */
export function buildTask(
  port: number,
  shared: SharedState,
  { pools = [{}], pipeline = 1, client = 'wire', ...changes }: Omit<TaskOptions, StartOption> = {},
  thread = 0,
): ThreadTask {
  const clientFile = fileOf(client);
  return {
    thread,
    address: loopback(port),
    client: client === overRing ? 'wire' : client,
    ...(clientFile === undefined ? {} : { clientFile }),
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    connects: 'parallel',
    clientOptions: {},
    autoPipelining: false,
    readFrom: 'primary',
    transport: client === overRing ? 'io_uring' : 'direct',
    burst: false,
    openLoop: null,
    pools: pools.map(({ workers = 4, ...pool }) => ({
      groups: [{ workers, pipeline }],
      connections: 8,
      minIdle: 2,
      firstKey: 0,
      keys: 100,
      ...pool,
    })),
    keyPrefix: 'test:',
    workload: plainWorkload({ keys: 100, valueBytes: 16, readShare: 0.5 }),
    seed: 1,
    valueSeed: 1,
    warmupSeconds: 0,
    seconds: 0.15,
    // Nothing runs out of it on a busy machine: a test of the time limit has its own.
    timeoutMs: 5000,
    shared: shared.buffer,
    ...changes,
  };
}

/** As {@link runThread}, for workers that all send batches of one size. */
export async function runOne(...args: Parameters<typeof runThread>): Promise<PlainSample> {
  return plain(await runThread(...args));
}

/** Runs one task in this thread: opens the barrier as soon as it is ready, and hands back its sample. */
export async function runThread(
  port: number,
  { leadMs = 5, onWindow, boundSeconds = 60, warmUntil, ...options }: TaskOptions = {},
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
  const { warmupSeconds = 0 } = options;
  const isOver = () => ended || shared.stopNs !== undefined;
  const warmNs = startNs + warmupSeconds * 1e9;
  const warmup = { releasedNs: startNs, warmupSeconds, threads: 1, boundSeconds };
  if (onWindow !== undefined) void openWindow(shared, warmup, isOver, onWindow);
  else if (warmUntil === undefined) shared.openWindow(warmNs);
  else
    void until(() => isOver() || warmUntil(shared)).then(() =>
      shared.openWindow(Math.max(warmNs, nowNs() + 20e6)),
    );
  shared.release(startNs);
  const outcome = await running;
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome;
}

/**
 * Ends a load once this holds: long before its window is over, but not too early on a busy machine. Pass the result to
 * `runOne`.
 */
export function stopWhen(holds: (shared: SharedState) => boolean): (shared: SharedState) => void {
  return shared => {
    const timer = setInterval(() => {
      if (holds(shared)) shared.stop(nowNs());
      if (shared.stopNs !== undefined) clearInterval(timer);
    }, 5);
    onTestFinished(() => clearInterval(timer));
  };
}

/** The same, once the load has done this many operations, failed ones included. */
export function stopAfter(operations: number): (shared: SharedState) => void {
  return stopWhen(shared => {
    const { completed, failed } = shared.progress(0);
    return completed + failed >= operations;
  });
}

/** The only load of a sample, spread beside it. */
function plain(sample: ThreadSample): PlainSample {
  const [load, ...others] = sample.loads;
  if (load === undefined || others.length > 0)
    throw new Error(`expected one load, found ${sample.loads.length}`);
  return { ...sample, ...load };
}

/** Operations of a sample: they must add up to what was issued. */
export function accounted(sample: Pick<LoadSample, 'completed' | 'failed' | 'unfinished'>): number {
  const failed = Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
  return sample.completed + failed + sample.unfinished;
}

/** Real threads, as compiled; they end with the test. */
export function startThreads(
  threads: number,
  { tasksInOne = 1 }: { readonly tasksInOne?: number } = {},
): (task: ThreadTask) => Promise<PlainSample> {
  const piscina = new Piscina({
    filename: new URL('../../dist/workers/thread.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: tasksInOne,
    atomics: 'disabled',
    execArgv: [],
    recordTiming: false,
  });
  onTestFinished(() => piscina.destroy());
  return async task => plain((await piscina.run(task)) as ThreadSample);
}
