import { Piscina } from 'piscina';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadRefusal, ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';

/** Lead between opening the barrier and the start instant: every thread must have seen it by then. */
const releaseLeadMs = 10;
const releaseLeadMsPerThread = 1;
const barrierPollMs = 1;

/** A thread's pools could not open their connections: perhaps the target is away for a moment. */
export class ConnectRefused extends Error {}

/** The run's Piscina threads. They stay up between scenarios, so that only the first pays for their start. */
export class Threads {
  readonly #piscina: Piscina;
  #stray: Error | undefined;

  constructor(threads: number) {
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
   * @throws ConnectRefused, or whatever else the first thread failed with, after all have ended
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
    while (shared.ready < tasks.length && !failed && shared.stopNs === undefined) {
      await new Promise(resolve => setTimeout(resolve, barrierPollMs));
    }
    if (!failed && shared.stopNs === undefined) {
      const startNs = nowNs() + (releaseLeadMs + releaseLeadMsPerThread * tasks.length) * 1e6;
      onReleased(startNs);
      shared.release(startNs);
    }
    await ended;
    return Promise.all(running);
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
