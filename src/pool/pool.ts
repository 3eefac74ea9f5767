import { CircuitBreaker, type ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { notInUse, poolClosed } from './errors.ts';
import type { OpenedFor } from './maintenance.ts';
import type { PoolOptions } from './presets.ts';
import { SharedPool } from './shared-pool.ts';
import { Mutex } from './wait-queue.ts';

/**
 * A connection pool with three strategies that can be chosen independently: acquisition, health checks and warming. A
 * connection is idle, in use by one holder, or discarded. Idle ones are a stack, so that the one used last comes first.
 */
export class Pool extends ConnectionPool {
  readonly #mutex: Mutex | undefined;
  readonly #idle: Connection[] = [];

  constructor(options: PoolOptions, connect: Connect, gate: ConnectGate) {
    super(options, connect, gate);
    this.#mutex = options.strategies.acquisition === 'mutex' ? new Mutex() : undefined;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Callers that wait for a connection or for the lock. */
  override get waiting(): number {
    return this.waiters.length + (this.#mutex?.waiting ?? 0);
  }

  /**
   * Undefined when no connection is idle, when the last one needs a check first, and when acquisition goes through the
   * mutex, which cannot be taken synchronously.
   */
  tryAcquire(): Connection | undefined {
    const last = this.#idle.length - 1;
    if (last < 0 || this.#mutex !== undefined) return undefined;
    const connection = this.#idle[last] as Connection;
    const { maintenance, recorder } = this;
    if (maintenance.nowMs - connection.healthyAtMs >= maintenance.healthTtlMs || !connection.alive)
      return undefined;
    this.#idle.pop();
    connection.holders = 1;
    if (recorder !== undefined) {
      recorder.immediate++;
      recorder.healthChecksSkipped++;
    }
    return connection;
  }

  /** A dead connection is discarded, and replaced if callers wait. Two holders would mix their replies. */
  release(connection: Connection): void {
    if (connection.holders === 0) throw notInUse();
    connection.holders = 0;
    const { maintenance } = this;
    if (!connection.alive || maintenance.closed) {
      maintenance.discard(connection);
      if (!maintenance.closed && this.waiters.length > 0) void this.#replace();
      return;
    }
    // The replies that just arrived are as good as a health check.
    connection.healthyAtMs = maintenance.nowMs;
    if (!this.waiters.serve(connection)) this.#idle.push(connection);
  }

  protected get warmTotal(): number {
    const { strategies, minIdle, max } = this.options;
    return strategies.warming ? Math.min(minIdle, max) : 0;
  }

  /** Not async: another promise for each acquisition would cost a third of its time. */
  protected obtain(deadlineMs: number, startNs: number): Promise<Connection> {
    return this.#mutex === undefined
      ? this.#obtainHealthy(deadlineMs)
      : this.#obtainLocked(this.#mutex, deadlineMs, startNs);
  }

  protected removeIdle(): readonly Connection[] {
    return this.#idle.splice(0);
  }

  protected override expireWaiters(nowMs: number, reason: () => Error): void {
    super.expireWaiters(nowMs, reason);
    this.#mutex?.expire(nowMs, reason);
  }

  async #obtainLocked(mutex: Mutex, deadlineMs: number, startNs: number): Promise<Connection> {
    if (!mutex.tryLock()) {
      this.recorder?.noteWaiting(this.waiting);
      await mutex.lock(deadlineMs);
      if (this.recorder !== undefined) {
        this.recorder.lockWaits++;
        this.recorder.lockWaitNs += nowNs() - startNs;
      }
    }
    try {
      return await this.#obtainHealthy(deadlineMs);
    } finally {
      mutex.unlock();
    }
  }

  /** Pops, opens or waits for a healthy connection. With the mutex all of it happens inside the lock. */
  async #obtainHealthy(deadlineMs: number): Promise<Connection> {
    for (;;) {
      if (this.maintenance.closed) throw poolClosed();
      const idle = this.#idle.pop();
      if (idle === undefined && this.total < this.options.max) return hold(await this.#openForCaller());
      const connection = idle ?? (await this.#wait(deadlineMs));
      if (this.maintenance.isFresh(connection) || (await this.maintenance.check(connection)))
        return hold(connection);
      this.maintenance.discard(connection);
      // A caller that has waited must not queue again after callers that came later.
      if (idle === undefined) return hold(await this.#openForCaller());
    }
  }

  #wait(deadlineMs: number): Promise<Connection> {
    this.recorder?.noteWaiting(this.waiting);
    return this.waiters.wait(deadlineMs);
  }

  async #openForCaller(): Promise<Connection> {
    try {
      return await (this.#mutex === undefined
        ? this.maintenance.open('worker')
        : this.maintenance.openUnpaced('worker'));
    } catch (error) {
      // Other callers may have queued because this attempt took the last place.
      if (this.waiters.length > 0) void this.#replace();
      throw error;
    }
  }

  protected async openOne(openedFor: OpenedFor): Promise<void> {
    const connection = await this.maintenance.open(openedFor);
    if (this.maintenance.closed) this.maintenance.discard(connection);
    else if (!this.waiters.serve(connection)) this.#idle.unshift(connection);
  }

  /** Opens a connection for the first waiter, to replace a dead one. */
  async #replace(): Promise<void> {
    if (this.total >= this.options.max) return;
    try {
      await this.openOne('worker');
    } catch (error) {
      this.waiters.refuse(error);
      if (this.waiters.length > 0) void this.#replace();
    }
  }

  /** Discards connections that died while idle, and keeps `minIdle` of them open. */
  protected inspect(): void {
    const { maintenance } = this;
    this.discardDead(this.#idle);
    if (this.waiters.length > maintenance.opening) void this.#replace();
    if (this.options.strategies.warming) this.#keepMinIdle();
    const open = this.total - maintenance.opening;
    this.recorder?.noteUtilization(open - this.idle, this.idle, this.waiting, this.total);
  }

  #keepMinIdle(): void {
    const { minIdle, max } = this.options;
    const missing = Math.min(minIdle - this.idle - this.maintenance.opening, max - this.total);
    this.maintenance.openInBackground(missing, () => this.openOne('maintenance'));
  }
}

function hold(connection: Connection): Connection {
  connection.holders = 1;
  return connection;
}

/**
 * Makes the pool for the strategies. It opens its first connections with `warm()` or `acquire()`.
 *
 * @param gate limits connection attempts while the server is down
 * @throws RangeError when `max` is below 1.
 */
export function openPool(
  options: PoolOptions,
  connect: Connect,
  gate: ConnectGate = new CircuitBreaker(undefined, options.random),
): ConnectionPool {
  return options.strategies.acquisition === 'shared'
    ? new SharedPool(options, connect, gate)
    : new Pool(options, connect, gate);
}
