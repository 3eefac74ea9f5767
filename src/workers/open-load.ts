import type { Connection } from '../pool/connection.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import { LatencyCounts } from '../pool/latency-counts.ts';
import { ArrivalQueue, type QueueSample } from './arrival-queue.ts';
import { arrivalsOf, stageEnds } from './arrival-schedule.ts';
import type { LoadSample, OpenLoopSample, OpenLoopTask, RateStage, StageSample } from './contract.ts';
import type { LoadWorker } from './load-workers.ts';
import { type PacedLoad, threadPacer } from './pacer.ts';
import { streamSeed } from './prng.ts';
import { type LoadWindow, StageRecorder } from './recorder.ts';
import type { RecordedInstants } from './workload/replay.ts';

/** Makes the workers of a task send in an open loop: a queue of arrivals for each pool, which the thread's pacer dispatches. */
export class OpenLoad implements PacedLoad {
  readonly notesWork = true;
  readonly #task: OpenLoopTask;
  readonly #window: LoadWindow;
  readonly #lag = new LatencyCounts(3);
  readonly #queues: ArrivalQueue[] = [];
  readonly #callers: Callers[] = [];
  readonly #first = new FirstConnections();
  /** Undefined if the arrivals have no stages. */
  readonly stages: StageRecorder | undefined;
  #gathered = false;

  constructor(task: OpenLoopTask, window: LoadWindow) {
    this.#task = task;
    this.#window = window;
    const { stages } = task.arrivals;
    if (stages !== undefined) this.stages = new StageRecorder(stages);
  }

  /**
   * The queue of the thread's next pool.
   *
   * @param seed that of the thread
   * @param recorded when the operations of the pool were recorded, if it replays a recording
   */
  addPool(
    callers: Callers,
    pipeline: number,
    { seed, recorded }: { readonly seed: number; readonly recorded: RecordedInstants | undefined },
  ): ArrivalQueue {
    const number = this.#task.firstPool + this.#queues.length;
    const ownSeed = streamSeed(seed, 'arrivals', number);
    const cursor = () => arrivalsOf(this.#task, number, pipeline, ownSeed, recorded);
    const queue = new ArrivalQueue(cursor, pipeline, {
      window: this.#window,
      lag: this.#lag,
      pacer: threadPacer,
      stageEndsNs: stageEnds(this.#task.arrivals.stages),
    });
    this.#queues.push(queue);
    this.#callers.push(callers);
    return queue;
  }

  /** Starts the schedule at `releasedNs`, whether workers are there or not. Nothing counts as measured before `openWindow`. */
  release(releasedNs: number): void {
    for (const queue of this.#queues) queue.begin(releasedNs);
  }

  /**
   * Starts the workers.
   *
   * @param gathers whether every worker must have had a connection before one takes an arrival
   */
  async begin(workers: readonly LoadWorker[], { gathers }: { gathers: boolean }): Promise<void> {
    if (gathers) {
      this.#first.gather(this.#callers);
      await this.#first.gathered;
    }
    this.#gathered = true;
    for (const worker of workers) worker.start();
    threadPacer.wake();
  }

  dispatch(nowNs: number): number {
    const { endNs } = this.#window;
    let nextNs = endNs;
    for (const queue of this.#queues) {
      queue.dispatch(nowNs);
      nextNs = Math.min(nextNs, queue.nextDueNs);
    }
    if (nowNs < endNs) return nextNs;
    for (const queue of this.#queues) queue.retireIdle();
    return Number.POSITIVE_INFINITY;
  }

  get atRest(): boolean {
    for (const queue of this.#queues) if (!queue.atRest) return false;
    return true;
  }

  /**
   * Sets the first instant of the measured window: what is due earlier belongs to the warm-up.
   *
   * @param windowNs when stages or a recording begin, the same for all threads; `startNs` is later in a late thread
   */
  openWindow(startNs: number, windowNs: number): void {
    for (const queue of this.#queues) queue.openWindow(startNs, windowNs);
    this.stages?.begin(windowNs);
    // With stages or a recording, the next arrival may be earlier than it was in the warm-up.
    threadPacer.wake();
  }

  /** Whether the workers have begun: after each has had a connection, if they gather. */
  get gathered(): boolean {
    return this.#gathered;
  }

  /** From now on no worker waits until others have a connection. */
  stopHolding(): void {
    this.#first.stopHolding();
  }

  /** @param spinShare of the thread */
  finish(loads: readonly LoadSample[], spinShare: number): OpenLoopSample {
    const queues = this.#queues.map(queue => queue.finish());
    const sum = (figure: (queue: QueueSample) => number) =>
      queues.reduce((total, queue) => total + figure(queue), 0);
    const offered = sum(queue => queue.offered);
    const responses = this.stages?.finish() ?? [];
    const sampleOf = (stage: RateStage, index: number): StageSample => ({
      stage,
      offered: sum(queue => queue.stages[index]?.offered ?? 0),
      largestBacklog: sum(queue => queue.stages[index]?.largestBacklog ?? 0),
      response: responses[index] ?? '',
    });
    const { rate, stages } = this.#task.arrivals;
    return {
      rate,
      ...(stages === undefined ? {} : { stages: stages.map(sampleOf) }),
      offered,
      unsent: offered - loads.reduce((issued, load) => issued + load.issued, 0),
      completedInWindow: sum(queue => queue.completedInWindow),
      largestBacklog: sum(queue => queue.largestBacklog),
      oldestUnsentMs: Math.max(0, ...queues.map(queue => queue.oldestUnsentNs)) / 1e6,
      lag: this.#lag.encode(),
      lagOverRange: this.#lag.overRange,
      spinShare,
    };
  }
}

/** A pool and how many connections its workers can have at once. */
interface Callers {
  readonly pool: ConnectionPool;
  readonly connections: number;
}

/**
 * Acquires all connections that the workers can have at once, and releases them once all are acquired, so that the pools have
 * them. Arrivals alone would not open that many, because at a low rate they all go to the first few.
 */
class FirstConnections {
  /** Resolves when every connection was acquired or has failed, or when none is held any more. */
  readonly gathered: Promise<void>;
  #resolve = () => {};
  #held: (() => void)[] | undefined = [];

  constructor() {
    this.gathered = new Promise(resolve => {
      this.#resolve = resolve;
    });
  }

  gather(callers: readonly Callers[]): void {
    const acquiring = callers.flatMap(({ pool, connections }) =>
      Array.from({ length: connections }, () =>
        pool.acquire().then(
          connection => this.#hold(pool, connection),
          // No operation has failed. The worker meets the failure itself when something is due.
          () => {},
        ),
      ),
    );
    void Promise.all(acquiring).then(() => this.stopHolding());
  }

  /** Releases the connections that are held, and at once each one that comes later. */
  stopHolding(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const release of held) release();
    this.#resolve();
  }

  #hold(pool: ConnectionPool, connection: Connection): void {
    const release = () => pool.release(connection);
    if (this.#held === undefined) release();
    else this.#held.push(release);
  }
}
