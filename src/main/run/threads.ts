import { Piscina } from 'piscina';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';

/** Lead between opening the barrier and the start instant: every thread must have seen it by then. */
const releaseLeadMs = 10;
const releaseLeadMsPerThread = 1;
const barrierPollMs = 1;

/** The run's Piscina threads. They stay up between scenarios, so that only the first pays for their start. */
export class Threads {
  readonly #piscina: Piscina;

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
  }

  /**
   * Runs one task on each of as many threads, and releases them together once all pools have connected and warmed.
   * `onReleased` hears the start instant (of the warm-up) before it comes. Rejects with the first thread that fails,
   * after all have ended.
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onReleased: (startNs: number) => void,
  ): Promise<ThreadSample[]> {
    let failed = false;
    const running = tasks.map(task =>
      (this.#piscina.run(task) as Promise<ThreadSample>).catch((error: unknown) => {
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

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}
