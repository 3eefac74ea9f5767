import type { Batch, BatchOwner } from '../pool/client/batch.ts';
import { nowNs } from '../pool/clock.ts';
import type { Connection } from '../pool/connection.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import { failureCode } from '../pool/errors.ts';
import type { ArrivalQueue, ArrivalTaker } from './arrival-queue.ts';
import type { LoadWorker, WorkerEvents } from './load-workers.ts';
import type { Recorder } from './recorder.ts';
import { batchFor, type Workload } from './workload/workload.ts';

/**
 * One worker in an open loop: it takes an arrival from its pool's queue, acquires as a caller would, sends, and is free
 * again with the last reply. Response time counts from when the batch was due, and so includes the wait for a worker. A
 * failed acquisition is a failed batch, which is not retried, because the next arrival is the next attempt.
 */
export class OpenLoopWorker implements LoadWorker, BatchOwner, ArrivalTaker {
  readonly #pool: ConnectionPool;
  readonly #workload: Workload;
  readonly #recorder: Recorder;
  readonly #queue: ArrivalQueue;
  readonly #events: WorkerEvents;
  readonly #batch: Batch;
  #connection: Connection | undefined;
  #arrival = 0;
  #dueNs = 0;
  #sentNs = 0;
  #running = false;
  #served = false;

  constructor(
    {
      pool,
      workload,
      recorder,
      queue,
    }: { pool: ConnectionPool; workload: Workload; recorder: Recorder; queue: ArrivalQueue },
    pipeline: number,
    events: WorkerEvents,
  ) {
    this.#pool = pool;
    this.#workload = workload;
    this.#recorder = recorder;
    this.#queue = queue;
    this.#events = events;
    this.#batch = batchFor(workload, pipeline, this);
  }

  start(): void {
    this.#queue.join(this);
  }

  get unfinished(): number {
    if (!this.#running || this.#dueNs < this.#recorder.startNs) return 0;
    return this.#batch.size;
  }

  take(dueNs: number, arrival: number): void {
    this.#running = true;
    this.#arrival = arrival;
    this.#dueNs = dueNs;
    this.#recorder.due(dueNs, this.#batch.size);
    const connection = this.#pool.tryAcquire();
    if (connection === undefined) void this.#wait();
    else this.#send(connection);
  }

  retire(): void {
    this.#events.stopped();
  }

  async #wait(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.#pool.acquire();
    } catch (error) {
      const failedNs = nowNs();
      this.#recorder.recordUnconnected(failureCode(error), this.#batch.size, this.#dueNs, failedNs);
      this.#running = false;
      this.#queue.free(this, failedNs, 0);
      return;
    }
    this.#send(connection);
  }

  #send(connection: Connection): void {
    this.#connection = connection;
    this.#workload.fill(this.#batch, this.#arrival);
    this.#sentNs = nowNs();
    connection.send(this.#batch);
  }

  done(): void {
    const doneNs = nowNs();
    const { completed } = this.#batch;
    this.#recorder.record(this.#batch, this.#dueNs, this.#sentNs, doneNs);
    if (!this.#served && completed > 0) {
      this.#served = true;
      // No worker waits here: the first connections were gathered before the first arrival was taken.
      this.#events.served(doneNs, () => {});
    }
    this.#running = false;
    this.#pool.release(this.#connection as Connection);
    this.#queue.free(this, doneNs, completed);
  }
}
