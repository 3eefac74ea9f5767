import type { ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import type { PoolOptions, WorkerPool } from './connection-pool.ts';
import { acquireTimeout, notInUse, poolClosed } from './errors.ts';
import { Upkeep } from './maintenance.ts';
import type { PoolRecorder, PoolSnapshot } from './metrics.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * Few connections that all callers share, each with several batches in flight: no caller waits for another, and none
 * has a connection to itself. A caller gets the connection that fewest others hold, which in a load loop is the one
 * with the fewest batches in flight, those included that are about to be sent.
 */
export class SharedPool implements WorkerPool {
  readonly #options: PoolOptions;
  readonly #upkeep: Upkeep;
  readonly #recorder: PoolRecorder | undefined;
  /** Those that are handed out: few, so that the least held is found by looking at all. */
  readonly #connections: Connection[] = [];
  /** Callers that found no connection alive. */
  readonly #waiters = new WaitQueue<void>();
  #closing: Promise<void> | undefined;

  constructor(options: PoolOptions, connect: Connect, gate: ConnectGate) {
    this.#options = options;
    this.#upkeep = new Upkeep(options, connect, gate, {
      sweep: nowMs => this.#waiters.expire(nowMs, acquireTimeout),
      inspect: () => this.#inspect(),
    });
    this.#recorder = this.#upkeep.recorder;
  }

  get total(): number {
    return this.#upkeep.total;
  }

  get idle(): number {
    return this.#connections.filter(({ holders }) => holders === 0).length;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Undefined when no connection is alive, or when the least held one asks for a check first. */
  tryAcquire(): Connection | undefined {
    const connection = this.#leastHeld();
    const upkeep = this.#upkeep;
    if (connection === undefined || upkeep.nowMs - connection.healthyAtMs >= upkeep.healthTtlMs)
      return undefined;
    connection.holders++;
    if (this.#recorder !== undefined) {
      this.#recorder.immediate++;
      this.#recorder.healthChecksSkipped++;
    }
    return connection;
  }

  /** Takes the least held connection; where none is alive, opens one and waits until any is open. */
  async acquire({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<Connection> {
    const startNs = this.#recorder === undefined ? 0 : nowNs();
    const deadlineMs = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    const connection = await this.#obtain(deadlineMs);
    if (this.#upkeep.closed) {
      this.release(connection);
      throw poolClosed();
    }
    this.#recorder?.acquired(nowNs() - startNs);
    return connection;
  }

  /** The first to find a connection dead has it replaced. */
  release(connection: Connection): void {
    if (connection.holders === 0) throw notInUse();
    connection.holders--;
    // The replies it just brought are the best health check there is.
    if (connection.alive) connection.healthyAtMs = this.#upkeep.nowMs;
    if (this.#upkeep.closed) {
      if (connection.holders === 0) this.#upkeep.discard(connection);
    } else if (!connection.alive) this.#replaceDead();
  }

  /** Opens all connections side by side. */
  async warm(): Promise<void> {
    const missing = this.#options.max - this.total;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#open()));
  }

  metrics(): PoolSnapshot | undefined {
    return this.#upkeep.closed ? undefined : this.#recorder?.snapshot();
  }

  resetMetrics(): void {
    this.#recorder?.reset();
  }

  async close({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#drainAndClose(timeout);
    await this.#closing;
  }

  async #drainAndClose(timeout: number): Promise<void> {
    this.#upkeep.stop();
    while (this.#waiters.refuse(poolClosed()));
    for (const connection of this.#connections.splice(0))
      if (connection.holders === 0) this.#upkeep.discard(connection);
    await this.#upkeep.drain(timeout);
  }

  /** The connection alive that fewest callers hold; of several such, the first. */
  #leastHeld(): Connection | undefined {
    let least: Connection | undefined;
    for (const connection of this.#connections) {
      if (!connection.alive) continue;
      if (connection.holders === 0) return connection;
      if (least === undefined || connection.holders < least.holders) least = connection;
    }
    return least;
  }

  async #obtain(deadlineMs: number): Promise<Connection> {
    for (;;) {
      if (this.#upkeep.closed) throw poolClosed();
      const connection = this.#leastHeld();
      if (connection === undefined) {
        await this.#waitForAny(deadlineMs);
        continue;
      }
      // Held while it is checked, so that callers who come meanwhile spread over the others.
      connection.holders++;
      if (this.#upkeep.isFresh(connection) || (await this.#upkeep.check(connection))) return connection;
      this.release(connection);
    }
  }

  async #waitForAny(deadlineMs: number): Promise<void> {
    this.#discardDead();
    // A failure reaches the caller as one of those who wait.
    if (this.total < this.#options.max) this.#open().catch(() => {});
    this.#recorder?.joins(this.waiting);
    await this.#waiters.wait(deadlineMs);
  }

  /** Opens a connection; all who wait can share it. If it fails and no other is on its way, they fail with it. */
  async #open(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.#upkeep.open();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      if (this.#upkeep.opening === 0) while (this.#waiters.refuse(reason));
      throw error;
    }
    if (this.#upkeep.closed) {
      this.#upkeep.discard(connection);
      return;
    }
    this.#connections.push(connection);
    while (this.#waiters.serve());
  }

  #discardDead(): void {
    for (let i = this.#connections.length - 1; i >= 0; i--) {
      const connection = this.#connections[i] as Connection;
      if (connection.alive) continue;
      this.#connections.splice(i, 1);
      this.#upkeep.discard(connection);
    }
  }

  #replaceDead(): void {
    this.#discardDead();
    this.#upkeep.openInBackground(this.#options.max - this.total, () => this.#open());
  }

  #inspect(): void {
    this.#replaceDead();
    if (this.#recorder === undefined) return;
    const { busy } = this.#upkeep;
    this.#recorder.standing(busy, this.#connections.length - busy, this.waiting, this.total);
  }
}
