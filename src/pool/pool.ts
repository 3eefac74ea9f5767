import type { ConnectGate } from './circuit-breaker.ts';
import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import type { PoolOptions, WorkerPool } from './connection-pool.ts';
import { acquireTimeout, notInUse, poolClosed } from './errors.ts';
import { Upkeep } from './maintenance.ts';
import type { PoolRecorder, PoolSnapshot } from './metrics.ts';
import { Mutex, WaitQueue } from './wait-queue.ts';

/**
 * A connection pool with three strategies that can be chosen apart: acquisition, health checks and warming. It hands
 * a connection to one caller at a time.
 * A connection's state is where it is: in `#idle` (a stack, so that the warmest socket comes first), in a caller's
 * hands, or discarded.
 */
export class Pool implements WorkerPool {
  readonly #options: PoolOptions;
  readonly #upkeep: Upkeep;
  readonly #recorder: PoolRecorder | undefined;
  readonly #mutex: Mutex | undefined;
  readonly #idle: Connection[] = [];
  readonly #waiters = new WaitQueue<Connection>();
  #closing: Promise<void> | undefined;

  constructor(options: PoolOptions, connect: Connect, gate: ConnectGate) {
    this.#options = options;
    this.#upkeep = new Upkeep(options, connect, gate, {
      sweep: nowMs => {
        this.#waiters.expire(nowMs, acquireTimeout);
        this.#mutex?.expire(nowMs, acquireTimeout);
      },
      inspect: () => this.#inspect(),
    });
    this.#recorder = this.#upkeep.recorder;
    this.#mutex = options.strategies.acquisition === 'mutex' ? new Mutex() : undefined;
  }

  get total(): number {
    return this.#upkeep.total;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Callers that wait for a connection or for the lock. */
  get waiting(): number {
    return this.#waiters.length + (this.#mutex?.waiting ?? 0);
  }

  /**
   * Takes an idle connection if that can be done at once: undefined when none is idle, when the strategy asks for a
   * check first, or when acquisition goes through the mutex, which cannot be taken synchronously.
   */
  tryAcquire(): Connection | undefined {
    const last = this.#idle.length - 1;
    if (last < 0 || this.#mutex !== undefined) return undefined;
    const connection = this.#idle[last] as Connection;
    const upkeep = this.#upkeep;
    if (upkeep.nowMs - connection.healthyAtMs >= upkeep.healthTtlMs || !connection.alive) return undefined;
    this.#idle.pop();
    connection.holders = 1;
    if (this.#recorder !== undefined) {
      this.#recorder.immediate++;
      this.#recorder.healthChecksSkipped++;
    }
    return connection;
  }

  /** Takes a connection, opening one or waiting for one as the strategies say; waiters are served in order. */
  async acquire({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<Connection> {
    if (this.#upkeep.closed) throw poolClosed();
    const recorder = this.#recorder;
    const startNs = recorder === undefined ? 0 : nowNs();
    const deadlineMs = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    const connection = await (this.#mutex === undefined
      ? this.#obtain(deadlineMs)
      : this.#obtainLocked(this.#mutex, deadlineMs, startNs));
    if (this.#upkeep.closed) {
      this.#upkeep.discard(connection);
      throw poolClosed();
    }
    connection.holders = 1;
    recorder?.acquired(nowNs() - startNs);
    return connection;
  }

  /** A dead connection is replaced if somebody waits, and never handed out. Two holders would mix their replies. */
  release(connection: Connection): void {
    if (connection.holders === 0) throw notInUse();
    connection.holders = 0;
    const upkeep = this.#upkeep;
    if (!connection.alive || upkeep.closed) {
      upkeep.discard(connection);
      if (!upkeep.closed && this.#waiters.length > 0) void this.#replace();
      return;
    }
    // The replies it just brought are the best health check there is.
    connection.healthyAtMs = upkeep.nowMs;
    if (!this.#waiters.serve(connection)) this.#idle.push(connection);
  }

  /** Opens `minIdle` connections side by side, where the strategies warm. */
  async warm(): Promise<void> {
    if (!this.#options.strategies.warming) return;
    const missing = Math.min(this.#options.minIdle, this.#options.max) - this.total;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#openIdle()));
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
    this.#mutex?.expire(Number.POSITIVE_INFINITY, poolClosed);
    for (const connection of this.#idle.splice(0)) this.#upkeep.discard(connection);
    await this.#upkeep.drain(timeout);
  }

  async #obtainLocked(mutex: Mutex, deadlineMs: number, startNs: number): Promise<Connection> {
    if (!mutex.tryLock()) {
      this.#recorder?.joins(this.waiting);
      await mutex.lock(deadlineMs);
      if (this.#recorder !== undefined) {
        this.#recorder.lockWaits++;
        this.#recorder.lockWaitNs += nowNs() - startNs;
      }
    }
    try {
      return await this.#obtain(deadlineMs);
    } finally {
      mutex.unlock();
    }
  }

  /** Pops, opens or waits for a connection that is healthy. With the mutex all of it happens inside the lock. */
  async #obtain(deadlineMs: number): Promise<Connection> {
    for (;;) {
      if (this.#upkeep.closed) throw poolClosed();
      const idle = this.#idle.pop();
      if (idle === undefined && this.total < this.#options.max) return await this.#openForCaller();
      const connection = idle ?? (await this.#wait(deadlineMs));
      if (this.#upkeep.isFresh(connection) || (await this.#upkeep.check(connection))) return connection;
      this.#upkeep.discard(connection);
      // A caller that has waited its turn must not queue again, behind those who came later.
      if (idle === undefined) return await this.#openForCaller();
    }
  }

  #wait(deadlineMs: number): Promise<Connection> {
    this.#recorder?.joins(this.waiting);
    return this.#waiters.wait(deadlineMs);
  }

  async #openForCaller(): Promise<Connection> {
    try {
      return await (this.#mutex === undefined ? this.#upkeep.open() : this.#upkeep.openUnpaced());
    } catch (error) {
      // Others may have queued because this connect had taken the last place.
      if (this.#waiters.length > 0) void this.#replace();
      throw error;
    }
  }

  async #openIdle(): Promise<void> {
    const connection = await this.#upkeep.open();
    if (this.#upkeep.closed) this.#upkeep.discard(connection);
    else if (!this.#waiters.serve(connection)) this.#idle.unshift(connection);
  }

  /** Opens a connection for whoever waits first, because the one they would have got has died. */
  async #replace(): Promise<void> {
    if (this.total >= this.#options.max) return;
    try {
      await this.#openIdle();
    } catch (error) {
      this.#waiters.refuse(error instanceof Error ? error : new Error(String(error)));
      if (this.#waiters.length > 0) void this.#replace();
    }
  }

  /** Gives up connections that died while idle, and keeps `minIdle` up. */
  #inspect(): void {
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      const connection = this.#idle[i] as Connection;
      if (connection.alive) continue;
      this.#idle.splice(i, 1);
      this.#upkeep.discard(connection);
    }
    if (this.#waiters.length > this.#upkeep.opening) void this.#replace();
    if (this.#options.strategies.warming) this.#keepUp();
    const open = this.total - this.#upkeep.opening;
    this.#recorder?.standing(open - this.idle, this.idle, this.waiting, this.total);
  }

  #keepUp(): void {
    const { minIdle, max } = this.#options;
    const missing = Math.min(minIdle - this.idle - this.#upkeep.opening, max - this.total);
    this.#upkeep.openInBackground(missing, () => this.#openIdle());
  }
}
