import type { ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import { acquireTimeout, poolClosed } from './errors.ts';
import { Maintenance, type OpenedFor } from './maintenance.ts';
import type { PoolRecorder, PoolSnapshot } from './metrics.ts';
import type { PoolOptions } from './presets.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * The common part of all pools: waiters, metrics, warming and closing. A policy, which is a subclass, decides which caller
 * acquires which connection.
 */
export abstract class ConnectionPool {
  protected readonly options: PoolOptions;
  protected readonly maintenance: Maintenance;
  protected readonly recorder: PoolRecorder | undefined;
  /** Callers that wait for a connection. */
  protected readonly waiters = new WaitQueue<Connection>();
  #closing: Promise<void> | undefined;

  /** @throws RangeError when `max` is below 1 */
  constructor(options: PoolOptions, connect: Connect, gate: ConnectGate) {
    this.options = options;
    this.maintenance = new Maintenance(options, connect, gate, {
      sweep: nowMs => this.expireWaiters(nowMs, acquireTimeout),
      inspect: () => this.inspect(),
    });
    this.recorder = this.maintenance.recorder;
  }

  /** Open connections and those being opened. */
  get total(): number {
    return this.maintenance.total;
  }

  /** See `Maintenance.grownNs`. */
  get grownNs(): number {
    return this.maintenance.grownNs;
  }

  /** Open connections that nobody holds. */
  abstract get idle(): number;

  /** Callers that wait for a connection or for the lock. */
  get waiting(): number {
    return this.waiters.length;
  }

  /** A connection, if one can be acquired without waiting. */
  abstract tryAcquire(): Connection | undefined;

  /**
   * Acquires a connection, and waits if necessary. Waiters are served in order.
   *
   * @throws PoolError ACQUIRE_TIMEOUT after `timeout` milliseconds in a queue (a connection attempt in progress has its
   * own limit); POOL_CLOSED; CIRCUIT_OPEN if a connection has to be opened and the last attempts have failed; and the
   * error of a connection attempt.
   */
  async acquire({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<Connection> {
    if (this.maintenance.closed) throw poolClosed();
    const { recorder } = this;
    const startNs = recorder === undefined ? 0 : nowNs();
    const deadlineMs = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    const connection = await this.obtain(deadlineMs, startNs);
    if (this.maintenance.closed) {
      this.release(connection);
      throw poolClosed();
    }
    recorder?.acquired(nowNs() - startNs);
    return connection;
  }

  /**
   * Returns a connection to the pool.
   *
   * @throws PoolError NOT_IN_USE if it was not in use.
   */
  abstract release(connection: Connection): void;

  /** Opens the connections that the strategies ask for before the load. Rejects with the first error. */
  async warm(): Promise<void> {
    const missing = Math.max(0, this.warmTotal - this.total);
    await Promise.all(Array.from({ length: missing }, () => this.openOne('maintenance')));
  }

  /** The metrics since the last reset; undefined if they are off, or if the pool is closed. */
  metrics(): PoolSnapshot | undefined {
    return this.maintenance.closed ? undefined : this.recorder?.snapshot();
  }

  resetMetrics(): void {
    this.recorder?.reset();
  }

  /**
   * Rejects all waiters with POOL_CLOSED, waits until every connection in use is released, and closes all connections.
   * After `timeout` milliseconds it also closes those that are still in use.
   */
  async close({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#drainAndClose(timeout);
    await this.#closing;
  }

  /** Number of connections that `warm()` opens. */
  protected abstract readonly warmTotal: number;
  /** The policy: acquires a connection for a caller, and counts the caller as a holder. */
  protected abstract obtain(deadlineMs: number, startNs: number): Promise<Connection>;
  /** Opens a connection, for a waiter or to be idle. Rejects with the reason. */
  protected abstract openOne(openedFor: OpenedFor): Promise<void>;
  /** Called every 100 ms: replaces dead connections, and records the utilization. */
  protected abstract inspect(): void;
  /** Removes idle connections from the policy, and returns them. */
  protected abstract removeIdle(): readonly Connection[];

  protected expireWaiters(nowMs: number, reason: () => Error): void {
    this.waiters.expire(nowMs, reason);
  }

  /** Removes dead connections from `connections`, and discards them. */
  protected discardDead(connections: Connection[]): void {
    for (let i = connections.length - 1; i >= 0; i--) {
      const connection = connections[i] as Connection;
      if (connection.alive) continue;
      connections.splice(i, 1);
      this.maintenance.discard(connection);
    }
  }

  async #drainAndClose(timeout: number): Promise<void> {
    this.maintenance.stop();
    this.expireWaiters(Number.POSITIVE_INFINITY, poolClosed);
    for (const connection of this.removeIdle()) this.maintenance.discard(connection);
    await this.maintenance.drain(timeout);
  }
}
