import { Piscina } from 'piscina';
import type { Address } from '../../pool/client/address.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadRefusal, ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { withoutSecrets } from '../server/url.ts';
import { openWindow, type WindowStart } from './window-start.ts';

/** Lead between opening the barrier and the start instant: every thread must have seen it by then. */
const releaseLeadMs = 10;
const releaseLeadMsPerThread = 1;
const barrierPollMs = 1;

/**
 * A thread counts as hung after so many seconds without a heartbeat, far longer than it is ever without a
 * core.
 */
const maxSecondsWithoutHeartbeat = 30;

/** A thread's event loop has stopped: its task will never end. */
export class ThreadHung extends Error {}

/** A thread's pools could not open their connections: perhaps the target is away for a moment. */
export class ConnectRefused extends Error {}

/** The run's Piscina threads. They stay up between scenarios, so that only the first pays for their start. */
export class Threads {
  readonly #piscina: Piscina;
  readonly #maxSecondsWithoutHeartbeat: number;
  #stray: Error | undefined;

  /** @param options.secondsWithoutHeartbeat after which a thread counts as hung */
  constructor(
    threads: number,
    { secondsWithoutHeartbeat = maxSecondsWithoutHeartbeat }: { secondsWithoutHeartbeat?: number } = {},
  ) {
    this.#maxSecondsWithoutHeartbeat = secondsWithoutHeartbeat;
    this.#piscina = new Piscina({
      filename: new URL('../../workers/thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      // The default lets an idle thread sleep in Atomics.wait: its sockets and timers would die between tasks.
      atomics: 'disabled',
      execArgv: [],
      recordTiming: false,
    });
    // What a thread throws between two tasks comes here; the task that follows meets it, too, and fails the run.
    this.#piscina.on('error', error => {
      this.#stray ??= asError(error);
    });
  }

  /**
   * Runs one task on each of as many threads, and releases them together once all pools have connected and warmed.
   * `onWindow` is called with the start of the measured window before that comes; never, if the warm-up was stopped.
   *
   * @throws ConnectRefused, or whatever else the first thread failed with, after all have ended; ThreadHung at once
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
  ): Promise<ThreadSample[]> {
    let failed = false;
    const running = tasks.map(task =>
      this.#run(task).catch((error: unknown) => {
        // The others would wait at the barrier for ever, or measure without this one.
        failed = true;
        shared.stop(nowNs());
        throw error;
      }),
    );
    const ended = Promise.allSettled(running);
    const heartbeats = this.#watchHeartbeats(running, shared);
    try {
      await Promise.race([
        this.#release(tasks, shared, () => failed, onWindow).then(() => ended),
        heartbeats.stopped,
      ]);
    } finally {
      heartbeats.close();
    }
    return Promise.all(running);
  }

  /** Opens the barrier when all threads are ready, and the window when they have warmed up, unless one fails or is stopped. */
  async #release(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    hasFailed: () => boolean,
    onWindow: (start: WindowStart) => void,
  ): Promise<void> {
    const isOver = () => hasFailed() || shared.stopNs !== undefined;
    while (shared.ready < tasks.length && !isOver()) {
      await new Promise(resolve => setTimeout(resolve, barrierPollMs));
    }
    if (isOver()) return;
    const releasedNs = nowNs() + (releaseLeadMs + releaseLeadMsPerThread * tasks.length) * 1e6;
    // All tasks of a scenario have the same.
    const warmupSeconds = tasks[0]?.warmupSeconds ?? 0;
    const opening = openWindow(
      shared,
      { releasedNs, warmupSeconds, threads: tasks.length },
      isOver,
      onWindow,
    );
    shared.release(releasedNs);
    await opening;
  }

  /**
   * Rejects when a running thread has stopped its heartbeat. Seconds in which this process also slept do
   * not count.
   */
  #watchHeartbeats(running: readonly Promise<unknown>[], shared: SharedState) {
    const states = running.map(thread => {
      const state = { heartbeats: 0, silentSeconds: 0, ended: false };
      const end = () => {
        state.ended = true;
      };
      thread.then(end, end);
      return state;
    });
    let timer: NodeJS.Timeout | undefined;
    const stopped = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        for (const [thread, state] of states.entries()) {
          const heartbeats = shared.heartbeats(thread);
          state.silentSeconds = state.ended || heartbeats !== state.heartbeats ? 0 : state.silentSeconds + 1;
          state.heartbeats = heartbeats;
          if (state.silentSeconds < this.#maxSecondsWithoutHeartbeat) continue;
          shared.stop(nowNs());
          reject(new ThreadHung(`thread ${thread + 1} has not responded for ${state.silentSeconds} s`));
        }
      }, 1000);
    });
    return { stopped, close: () => clearInterval(timer) };
  }

  async #run(task: ThreadTask): Promise<ThreadSample> {
    if (this.#stray !== undefined) throw this.#stray;
    const outcome = (await this.#piscina.run(task)) as ThreadSample | ThreadRefusal;
    if ('refused' in outcome) throw new ConnectRefused(outcome.refused);
    return outcome;
  }

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}

/**
 * A thread's failure as an error for the user. A failure that no user can fix is a defect, and is left
 * unchanged.
 */
export function asUserError(cause: unknown, address: Address): unknown {
  const expectedAndFound = describeFailure(cause, address);
  if (expectedAndFound === undefined) return cause;
  return new PoolbenchError('THREAD_FAILED', `expected every thread to ${expectedAndFound}`, { cause });
}

function describeFailure(cause: unknown, address: Address): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if (cause instanceof ConnectRefused)
    return `open its connections, but one was refused: ${withoutSecrets(cause.message, address)}`;
  if (cause instanceof ThreadHung)
    return (
      `respond until its end, but ${cause.message}: this can be an endless loop in the client's parser, ` +
      'or the thread had no core during that time; try the other client, or fewer threads'
    );
  if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return (
      `fit into its heap, but one ran out of memory: ${cause.message}; ` +
      'give it fewer workers, pools or keys, or a larger heap with NODE_OPTIONS=--max-old-space-size=MB'
    );
  return undefined;
}
