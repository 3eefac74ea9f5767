import type { Batch, BatchOwner } from '../pool/client/batch.ts';
import { nowNs } from '../pool/clock.ts';
import type { Connection } from '../pool/connection.ts';
import type { ConnectionPool } from '../pool/connection-pool.ts';
import { failureCode } from '../pool/errors.ts';
import type { LoadWorker, WorkerEvents } from './load-workers.ts';
import type { LoadWindow, Recorder } from './recorder.ts';
import { batchFor, type Workload } from './workload/workload.ts';

/** Pause of a worker that got no connection: an application that retries at once floods the server with attempts. */
const retryMs = 50;

/**
 * One worker in a closed loop: it acquires, sends a batch, waits for its replies, releases, and starts again. The next
 * batch is due at the instant at which one is done, and sent at that instant if a connection is idle, so a turn reads
 * the clock only once. The outcome comes as a callback, because a promise for each batch would cost 0.2–0.4 µs
 * (bench/).
 */
export class ClosedLoopWorker implements LoadWorker, BatchOwner {
  readonly #pool: ConnectionPool;
  readonly #workload: Workload;
  readonly #recorder: Recorder;
  readonly #window: LoadWindow;
  readonly #events: WorkerEvents;
  readonly #batch: Batch;
  #connection: Connection | undefined;
  #dueNs = 0;
  #sentNs = 0;
  #running = false;
  #connected = false;
  #served = false;

  constructor(
    {
      pool,
      workload,
      recorder,
      window,
    }: { pool: ConnectionPool; workload: Workload; recorder: Recorder; window: LoadWindow },
    pipeline: number,
    events: WorkerEvents,
  ) {
    this.#pool = pool;
    this.#workload = workload;
    this.#recorder = recorder;
    this.#window = window;
    this.#events = events;
    this.#batch = batchFor(workload, pipeline, this);
  }

  start(): void {
    this.#running = true;
    this.#next(nowNs());
  }

  get unfinished(): number {
    if (!this.#running || this.#dueNs < this.#recorder.startNs) return 0;
    return this.#batch.size;
  }

  #next(dueNs: number): void {
    if (dueNs >= this.#window.endNs) {
      this.#running = false;
      this.#events.stopped();
      return;
    }
    this.#dueNs = dueNs;
    this.#recorder.due(dueNs, this.#batch.size);
    const connection = this.#pool.tryAcquire();
    if (connection === undefined) void this.#wait();
    else this.#send(connection, dueNs);
  }

  async #wait(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.#pool.acquire();
    } catch (error) {
      const failedNs = nowNs();
      this.#recorder.recordUnconnected(failureCode(error), this.#batch.size, this.#dueNs, failedNs);
      this.#running = false;
      setTimeout(() => {
        this.#running = true;
        this.#next(nowNs());
      }, retryMs);
      return;
    }
    this.#send(connection, nowNs());
  }

  // Service time begins here and not at the socket: ioredis does not report when it writes, and both clients are timed alike.
  #send(connection: Connection, sentNs: number): void {
    this.#connection = connection;
    this.#sentNs = sentNs;
    this.#workload.fill(this.#batch);
    connection.send(this.#batch);
  }

  done(): void {
    const doneNs = nowNs();
    this.#recorder.record(this.#batch, this.#dueNs, this.#sentNs, doneNs);
    if (!this.#served && this.#holdsFirst(doneNs)) return;
    this.#pool.release(this.#connection as Connection);
    this.#next(doneNs);
  }

  /** Reports the first connection and the first reply. @returns whether the worker has to wait with its connection */
  #holdsFirst(doneNs: number): boolean {
    if (!this.#connected) {
      this.#connected = true;
      this.#events.connected();
    }
    if (this.#batch.completed === 0) return false;
    this.#served = true;
    this.#running = !this.#events.served(doneNs, () => this.#goOn());
    return !this.#running;
  }

  /** Continues after the worker has kept its first connection for a while, which belongs to no operation. */
  #goOn(): void {
    this.#running = true;
    this.#pool.release(this.#connection as Connection);
    this.#next(nowNs());
  }
}
