import { Piscina } from 'piscina';
import type { Address } from '../../pool/client/address.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadRefusal, ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { maxPopulations } from '../experiment/populations.ts';
import { withoutSecrets } from '../server/url.ts';
import type { HostUse } from './host-use.ts';
import { openWindow, type WindowStart } from './window-start.ts';

/** Lead between opening the barrier and the start instant, by which every thread must have seen it. */
const releaseLeadMs = 10;
const releaseLeadMsPerThread = 1;
const barrierPollMs = 1;

/** A thread counts as hung after this many seconds without a heartbeat: far longer than any thread lacks a core. */
const maxSecondsWithoutHeartbeat = 30;

/** A thread's event loop has stopped: its task will never end. */
export class ThreadHung extends Error {}

/** A thread ended unexpectedly and without an error. */
export class ThreadEnded extends Error {}

/** A thread's pools could not open their connections: the target may be briefly unavailable. */
export class ConnectRefused extends Error {}

/** A measurement to be repeated because its threads did not start together. The code applies if no attempt does. */
export class TurnVoided extends PoolbenchError {}

/** Runs the tasks of a scenario: the threads of this process or of agents. */
export interface LoadThreads {
  /** How many threads there are. */
  readonly size: number;
  /** See `Threads.run`. */
  run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
    placement?: readonly number[],
  ): Promise<ThreadSample[]>;
  close(): Promise<void>;
  /** Where the threads run, if not in this process. */
  readonly hosts?: ThreadHosts | undefined;
}

/** The hosts of threads that are not in this process. */
export interface ThreadHosts {
  /** As {@link placeOn}, for a scenario that is spread over so many hosts; 0: over all. */
  place(round: number, parts: number, hosts: number): number[];
  /** What the hosts used in the window of the last run; undefined if that was stopped before. */
  used(): HostUse | undefined;
}

/**
 * The run's threads, which are known by their numbers, from 0: a Piscina of one thread each, because a Piscina of several
 * gives a narrow scenario to the same threads every time, and the others stay cold. They stay up between scenarios, so
 * that only the first pays for their start. None is replaced: a new thread in the middle of a run would be cold.
 */
export class Threads implements LoadThreads {
  readonly #threads: readonly Piscina[];
  readonly #maxSecondsWithoutHeartbeat: number;
  /** What a thread threw between two tasks. The task that follows meets it, and fails the run. */
  #stray: Error | undefined;
  /** A thread that ended without an error. */
  #ended: Error | undefined;

  /** @param options.secondsWithoutHeartbeat after which a thread counts as hung */
  constructor(
    threads: number,
    { secondsWithoutHeartbeat = maxSecondsWithoutHeartbeat }: { secondsWithoutHeartbeat?: number } = {},
  ) {
    this.#maxSecondsWithoutHeartbeat = secondsWithoutHeartbeat;
    this.#threads = Array.from({ length: threads }, (_, thread) => this.#start(thread));
  }

  /** How many threads there are. */
  get size(): number {
    return this.#threads.length;
  }

  /**
   * Runs each task on its thread, several tasks of one thread at the same time, and releases them together once all pools
   * have connected and warmed.
   * `onWindow` is called with the start of the measured window before that comes; never, if the warm-up was stopped.
   *
   * @param placement the number of each task's thread, in the order of the tasks: see `placeOn`. Without it task n runs on thread n
   * @throws ConnectRefused, or whatever else the first thread failed with, after all have ended; ThreadHung at once
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
    placement: readonly number[] = [],
  ): Promise<ThreadSample[]> {
    return await this.drive(
      tasks,
      shared,
      isOver => this.#release(tasks, shared, isOver, onWindow),
      placement,
    );
  }

  /**
   * As {@link run}, for whoever opens barrier and window in another way.
   *
   * @param release opens both, unless its argument returns true: then a thread has failed, or the run is stopped
   */
  async drive(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    release: (isOver: () => boolean) => Promise<void>,
    placement: readonly number[] = [],
  ): Promise<ThreadSample[]> {
    let failed = false;
    const running = tasks.map((task, index) =>
      this.#run(task, placement[index]).catch((error: unknown) => {
        // The others would wait at the barrier for ever, or measure without this one.
        failed = true;
        shared.stop(nowNs());
        throw error;
      }),
    );
    const ended = Promise.allSettled(running);
    const heartbeats = this.#watchHeartbeats(running, shared, placement);
    try {
      await Promise.race([
        release(() => failed || shared.stopNs !== undefined).then(() => ended),
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
    isOver: () => boolean,
    onWindow: (start: WindowStart) => void,
  ): Promise<void> {
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
  #watchHeartbeats(running: readonly Promise<unknown>[], shared: SharedState, placement: readonly number[]) {
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
        for (const [part, state] of states.entries()) {
          const heartbeats = shared.heartbeats(part);
          state.silentSeconds = state.ended || heartbeats !== state.heartbeats ? 0 : state.silentSeconds + 1;
          state.heartbeats = heartbeats;
          if (state.silentSeconds < this.#maxSecondsWithoutHeartbeat) continue;
          shared.stop(nowNs());
          const thread = 1 + (placement[part] ?? part);
          reject(new ThreadHung(`thread ${thread} has not responded for ${state.silentSeconds} s`));
        }
      }, 1000);
    });
    return { stopped, close: () => clearInterval(timer) };
  }

  #start(thread: number): Piscina {
    const piscina = new Piscina({
      filename: new URL('../../workers/thread.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      // The task of a scenario, and those of the populations that share its threads.
      concurrentTasksPerWorker: 1 + maxPopulations,
      // The default lets an idle thread sleep in Atomics.wait: its sockets and timers would die between tasks.
      atomics: 'disabled',
      execArgv: [],
      recordTiming: false,
    });
    piscina.on('error', error => {
      this.#stray ??= asError(error);
    });
    // Piscina starts another thread in its place.
    piscina.on('workerDestroy', () => {
      this.#ended ??= new ThreadEnded(`thread ${thread + 1} ended between two measurements`);
    });
    return piscina;
  }

  async #run(task: ThreadTask, thread = task.thread): Promise<ThreadSample> {
    const lost = this.#stray ?? this.#ended;
    if (lost !== undefined) throw lost;
    const piscina = this.#threads[thread];
    if (piscina === undefined)
      throw new RangeError(`expected a thread below ${this.size}, found thread ${thread}`);
    const outcome = (await piscina.run(task)) as ThreadSample | ThreadRefusal;
    if ('refused' in outcome) throw new ConnectRefused(outcome.refused);
    return outcome;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(piscina => piscina.destroy()));
  }
}

/**
 * The numbers of the threads on which a scenario of one round runs, for each of its parts. Every round begins with the
 * next thread, and with the same one for all of its arms: so each arm, however narrow, takes turns on all threads, and
 * arms that are paired in a round share theirs.
 */
export function placeOn(threads: number, round: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, part) => (round + part) % threads);
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
  if (cause instanceof ThreadEnded)
    return `stay up for the whole run, but ${cause.message}: a new thread in its place would be cold, and its figures could not be compared; start the run again`;
  if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return (
      `fit into its heap, but one ran out of memory: ${cause.message}; ` +
      'give it fewer workers, pools or keys, or a larger heap with NODE_OPTIONS=--max-old-space-size=MB'
    );
  return undefined;
}
