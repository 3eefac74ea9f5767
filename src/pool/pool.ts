import { nowNs } from './clock.ts';
import type { Connect, Connection } from './connection.ts';
import { PoolError } from './errors.ts';
import { closeStalled, probeHealth } from './health.ts';
import type { PoolSnapshot } from './metrics.ts';
import { Mutex } from './mutex.ts';
import { PoolRecorder } from './pool-recorder.ts';
import type { PoolStrategies, Probe } from './presets.ts';
import { WaitQueue } from './wait-queue.ts';

export interface PoolOptions {
  readonly strategies: PoolStrategies;
  /** Most connections, open and opening together. At least 1. */
  readonly max: number;
  /** Connections that `warm()` opens and that are kept idle in the background, where the strategies warm. */
  readonly minIdle: number;
  readonly probe: Probe;
  /** How long a reply or a check vouches for a connection, where health is cached; counted in steps of 10 ms. */
  readonly healthTtlMs: number;
  /** A batch unanswered for this long fails with TIMEOUT, never before and at most 200 ms late. */
  readonly timeoutMs: number;
  /** Without metrics, `metrics()` returns undefined and counting costs nothing measurable. */
  readonly metrics: boolean;
}

/** Period of the pool's one timer: it serves as coarse clock and expires waiters. */
const sweepMs = 10;
/** Every so many sweeps the pool looks for dead and stalled connections and notes its utilization. */
const sweepsPerInspection = 10;
/** After a failed connect in the background, the next one waits this long, doubling up to the longest. */
const shortestBackoffMs = 100;
const longestBackoffMs = 2000;

/**
 * A connection pool with three strategies that can be chosen apart: acquisition, health checks and warming.
 * A connection's state is where it is: in `#idle` (a stack, so that the warmest socket comes first), in a caller's
 * hands, or discarded; `#all` holds the first two.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #connect: Connect;
  readonly #mutex: Mutex | undefined;
  readonly #recorder: PoolRecorder | undefined;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiters = new WaitQueue<Connection>();
  readonly #sweeper: NodeJS.Timeout;
  /** 0 makes every look at health a check. */
  readonly #healthTtlMs: number;
  #opening = 0;
  /** Connections that died and were not replaced yet. */
  #lost = 0;
  #closed = false;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  #sweeps = 0;
  /** Coarse clock, so that a cached health check needs no reading of the time. Whole, so that V8 need not box it. */
  #nowMs = Math.trunc(performance.now());
  #backoffMs = shortestBackoffMs;
  #retryAtMs = 0;

  constructor(options: PoolOptions, connect: Connect) {
    if (options.max < 1)
      throw new RangeError(`Expected \`max\` to be a number from 1 and up, found ${options.max}`);
    this.#options = options;
    this.#connect = connect;
    this.#mutex = options.strategies.acquisition === 'mutex' ? new Mutex() : undefined;
    this.#recorder = options.metrics ? new PoolRecorder() : undefined;
    this.#healthTtlMs = options.strategies.health === 'cached' ? options.healthTtlMs : 0;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeper.unref();
  }

  /** Open connections, those being opened, and those of them that are idle. */
  get total(): number {
    return this.#all.size + this.#opening;
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
    if (this.#nowMs - connection.healthyAtMs >= this.#healthTtlMs || !connection.alive) return undefined;
    this.#idle.pop();
    connection.inUse = true;
    if (this.#recorder !== undefined) {
      this.#recorder.immediate++;
      this.#recorder.healthChecksSkipped++;
    }
    return connection;
  }

  /**
   * Takes a connection, opening one or waiting for one as the strategies say; waiters are served in order.
   *
   * @throws PoolError ACQUIRE_TIMEOUT after `timeout` milliseconds in a queue (a connect in progress has its own
   * limit), POOL_CLOSED; and whatever the connect failed with.
   */
  async acquire({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<Connection> {
    if (this.#closed) throw this.#closedError();
    const recorder = this.#recorder;
    const startNs = recorder === undefined ? 0 : nowNs();
    const deadlineMs = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    const connection = await (this.#mutex === undefined
      ? this.#obtain(deadlineMs)
      : this.#obtainLocked(this.#mutex, deadlineMs, startNs));
    if (this.#closed) {
      this.#discard(connection);
      throw this.#closedError();
    }
    connection.inUse = true;
    recorder?.acquired(nowNs() - startNs);
    return connection;
  }

  /**
   * Gives a connection back. A dead one is replaced if somebody waits, and never handed out.
   *
   * @throws PoolError NOT_IN_USE when it was not in use: handing it to two callers would mix their replies.
   */
  release(connection: Connection): void {
    if (!connection.inUse)
      throw new PoolError('NOT_IN_USE', 'Expected a connection in use, found one already released');
    connection.inUse = false;
    if (!connection.alive || this.#closed) {
      this.#discard(connection);
      if (!this.#closed && this.#waiters.length > 0) void this.#replace();
      return;
    }
    // The replies it just brought are the best health check there is.
    connection.healthyAtMs = this.#nowMs;
    if (!this.#waiters.serve(connection)) this.#idle.push(connection);
  }

  /** Opens `minIdle` connections side by side, where the strategies warm. Rejects with the first connect that fails. */
  async warm(): Promise<void> {
    if (!this.#options.strategies.warming) return;
    const missing = Math.min(this.#options.minIdle, this.#options.max) - this.total;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#openIdle()));
  }

  /** What the pool counted since the last reset, or undefined where metrics are off or the pool is closed. */
  metrics(): PoolSnapshot | undefined {
    return this.#closed ? undefined : this.#recorder?.snapshot();
  }

  resetMetrics(): void {
    this.#recorder?.reset();
  }

  /**
   * Rejects all waiters with POOL_CLOSED, waits until every connection in use is released, and closes all.
   * After `timeout` milliseconds it closes those still in use as well.
   */
  async close({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#drainAndClose(timeout);
    await this.#closing;
  }

  async #drainAndClose(timeout: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    while (this.#waiters.refuse(this.#closedError()));
    this.#mutex?.expire(Number.POSITIVE_INFINITY, () => this.#closedError());
    for (const connection of this.#idle.splice(0)) this.#discard(connection);
    if (this.total > 0 && timeout > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#drained = resolve;
        if (timeout !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, timeout);
      });
      clearTimeout(timer);
    }
    for (const connection of this.#all) this.#discard(connection);
    this.#recorder?.destroy();
  }

  async #obtainLocked(mutex: Mutex, deadlineMs: number, startNs: number): Promise<Connection> {
    if (!mutex.tryLock()) {
      if (this.#recorder !== undefined) this.#notePeak(this.#recorder, 1);
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
      if (this.#closed) throw this.#closedError();
      const idle = this.#idle.pop();
      if (idle === undefined && this.total < this.#options.max) return await this.#openForCaller();
      const connection = idle ?? (await this.#wait(deadlineMs));
      if (this.#isFresh(connection) || (await this.#checks(connection))) return connection;
      this.#discard(connection);
      // A caller that has waited its turn must not queue again, behind those who came later.
      if (idle === undefined) return await this.#openForCaller();
    }
  }

  #wait(deadlineMs: number): Promise<Connection> {
    if (this.#recorder !== undefined) this.#notePeak(this.#recorder, 1);
    return this.#waiters.wait(deadlineMs);
  }

  #notePeak(recorder: PoolRecorder, joining: number): void {
    recorder.peakWaiting = Math.max(recorder.peakWaiting, this.waiting + joining);
  }

  async #open(): Promise<Connection> {
    const startNs = nowNs();
    this.#opening++;
    try {
      const connection = await this.#connect();
      connection.healthyAtMs = this.#nowMs;
      this.#all.add(connection);
      this.#backoffMs = shortestBackoffMs;
      // A connect may outlast its pool, and so the recorder: whoever asked for it discards the connection.
      if (this.#recorder !== undefined && !this.#closed) {
        this.#recorder.connected(nowNs() - startNs);
        if (this.#lost > 0) this.#recorder.reconnects++;
      }
      if (this.#lost > 0) this.#lost--;
      return connection;
    } catch (error) {
      if (this.#recorder !== undefined) this.#recorder.connectFailures++;
      throw error;
    } finally {
      this.#opening--;
      if (this.#closed && this.total === 0) this.#drained?.();
    }
  }

  async #openForCaller(): Promise<Connection> {
    try {
      return await this.#open();
    } catch (error) {
      // Others may have queued because this connect had taken the last place.
      if (this.#waiters.length > 0) void this.#replace();
      throw error;
    }
  }

  async #openIdle(): Promise<void> {
    const connection = await this.#open();
    if (this.#closed) this.#discard(connection);
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

  /** Whether its last reply or check still vouches for the connection. */
  #isFresh(connection: Connection): boolean {
    if (!connection.alive || this.#nowMs - connection.healthyAtMs >= this.#healthTtlMs) return false;
    if (this.#recorder !== undefined) this.#recorder.healthChecksSkipped++;
    return true;
  }

  /** Checks the connection and says whether it is healthy. */
  async #checks(connection: Connection): Promise<boolean> {
    if (!connection.alive) return false;
    const recorder = this.#recorder;
    const startNs = recorder === undefined ? 0 : nowNs();
    const healthy = await probeHealth(connection, this.#options.probe);
    connection.healthyAtMs = this.#nowMs;
    if (recorder !== undefined) {
      recorder.healthChecksRun++;
      recorder.healthCheckNs += nowNs() - startNs;
    }
    return healthy;
  }

  #discard(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    if (connection.alive) connection.close();
    else this.#lost++;
    if (this.#closed && this.total === 0) this.#drained?.();
  }

  #sweep(): void {
    this.#nowMs = Math.trunc(performance.now());
    this.#waiters.expire(this.#nowMs, acquireTimeout);
    this.#mutex?.expire(this.#nowMs, acquireTimeout);
    if (++this.#sweeps % sweepsPerInspection === 0) this.#inspect();
  }

  /** Gives up connections that died while idle or that owe a reply for too long, and keeps `minIdle` up. */
  #inspect(): void {
    closeStalled(this.#all, this.#nowMs, this.#options.timeoutMs);
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      const connection = this.#idle[i] as Connection;
      if (connection.alive) continue;
      this.#idle.splice(i, 1);
      this.#discard(connection);
    }
    if (this.#waiters.length > this.#opening) void this.#replace();
    if (this.#options.strategies.warming) this.#keepUp();
    this.#recorder?.standing(this.#all.size - this.#idle.length, this.#idle.length, this.waiting, this.total);
  }

  #keepUp(): void {
    if (this.#nowMs < this.#retryAtMs) return;
    const room = Math.min(this.#options.minIdle - this.#idle.length, this.#options.max - this.total);
    for (let i = this.#opening; i < room; i++) {
      this.#openIdle().catch(() => {
        // Callers meet the same failure in acquire() and count it there; here it only sets the pace, once a burst.
        if (performance.now() < this.#retryAtMs) return;
        this.#retryAtMs = performance.now() + this.#backoffMs * (0.5 + Math.random());
        this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
      });
    }
  }

  #closedError(): PoolError {
    return new PoolError('POOL_CLOSED', 'Expected an open pool, found one that is closed');
  }
}

function acquireTimeout(): PoolError {
  return new PoolError('ACQUIRE_TIMEOUT', 'Expected a connection to become free in time, none did');
}
