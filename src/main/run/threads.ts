import { Piscina } from 'piscina';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadRefusal, ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';

/** Lead between opening the barrier and the start instant: every thread must have seen it by then. */
const releaseLeadMs = 10;
const releaseLeadMsPerThread = 1;
const barrierPollMs = 1;

/** So many seconds without a sign of life from a thread, far longer than it is ever without a core. */
const mostSecondsStill = 30;

/** A thread's event loop stands still: it will never hand anything back. */
export class ThreadHung extends Error {}

/** A thread's pools could not open their connections: perhaps the target is away for a moment. */
export class ConnectRefused extends Error {}

/** The run's Piscina threads. They stay up between scenarios, so that only the first pays for their start. */
export class Threads {
  readonly #piscina: Piscina;
  readonly #mostSecondsStill: number;
  #stray: Error | undefined;

  /** @param options.secondsStill a thread that gives no sign of life for so long is given up */
  constructor(threads: number, { secondsStill = mostSecondsStill }: { secondsStill?: number } = {}) {
    this.#mostSecondsStill = secondsStill;
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
      this.#stray ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  /**
   * Runs one task on each of as many threads, and releases them together once all pools have connected and warmed.
   * `onReleased` hears the start instant (of the warm-up) before it comes.
   *
   * @throws ConnectRefused, or whatever else the first thread failed with, after all have ended; ThreadHung at once
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onReleased: (startNs: number) => void,
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
    const hearts = this.#listen(running, shared);
    try {
      await Promise.race([
        this.#release(tasks, shared, () => failed, onReleased).then(() => ended),
        hearts.stopped,
      ]);
    } finally {
      hearts.close();
    }
    return Promise.all(running);
  }

  /** Opens the barrier when all threads are ready, unless one has failed or the run is stopped. */
  async #release(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    hasFailed: () => boolean,
    onReleased: (startNs: number) => void,
  ): Promise<void> {
    while (shared.ready < tasks.length && !hasFailed() && shared.stopNs === undefined) {
      await new Promise(resolve => setTimeout(resolve, barrierPollMs));
    }
    if (hasFailed() || shared.stopNs !== undefined) return;
    const startNs = nowNs() + (releaseLeadMs + releaseLeadMsPerThread * tasks.length) * 1e6;
    onReleased(startNs);
    shared.release(startNs);
  }

  /** Rejects when a thread that has not ended gives no sign of life any more. Seconds in which we slept, too, do not count. */
  #listen(running: readonly Promise<unknown>[], shared: SharedState) {
    const hearts = running.map(() => ({ beats: 0, secondsStill: 0, ended: false }));
    for (const [thread, heart] of hearts.entries()) {
      const end = () => {
        heart.ended = true;
      };
      running[thread]?.then(end, end);
    }
    let timer: NodeJS.Timeout | undefined;
    const stopped = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        for (const [thread, heart] of hearts.entries()) {
          const beats = shared.heartbeats(thread);
          heart.secondsStill = heart.ended || beats !== heart.beats ? 0 : heart.secondsStill + 1;
          heart.beats = beats;
          if (heart.secondsStill < this.#mostSecondsStill) continue;
          shared.stop(nowNs());
          reject(
            new ThreadHung(`thread ${thread + 1} has given no sign of life for ${heart.secondsStill} s`),
          );
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
