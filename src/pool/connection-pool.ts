import type { Connection } from './connection.ts';
import type { PoolSnapshot } from './metrics.ts';
import type { ConnectPacing, PoolStrategies, Probe } from './presets.ts';

export interface PoolOptions {
  readonly strategies: PoolStrategies;
  /** Most connections, open and opening together. At least 1. */
  readonly max: number;
  /** Connections that `warm()` opens and that are kept idle in the background, where the strategies warm. */
  readonly minIdle: number;
  readonly probe: Probe;
  /** How long a reply or a check vouches for a connection, where health is cached; counted in steps of 10 ms. */
  readonly healthTtlMs: number;
  /** A batch unanswered for this long fails with TIMEOUT, never before and at most 200 ms late; those behind it, too. */
  readonly timeoutMs: number;
  /** How a burst of connects is spread. */
  readonly connects: ConnectPacing;
  /** Without metrics, `metrics()` returns undefined and counting costs nothing measurable. */
  readonly metrics: boolean;
}

/** What workers, and the thread that owns them, see of a pool; its strategies decide which class it is. */
export interface WorkerPool {
  /** Open connections and those being opened; those of them that nobody holds; callers that wait. */
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;

  /** A connection, if one can be had without waiting. */
  tryAcquire(): Connection | undefined;
  /**
   * A connection, waited for if need be.
   *
   * @throws PoolError ACQUIRE_TIMEOUT after `timeout` milliseconds in a queue (a connect in progress has its own
   * limit), POOL_CLOSED, CIRCUIT_OPEN where it takes a connect and the last ones have failed; and whatever a connect
   * failed with.
   */
  acquire(options?: { timeout?: number }): Promise<Connection>;
  /**
   * Gives a connection back.
   *
   * @throws PoolError NOT_IN_USE when nobody held it.
   */
  release(connection: Connection): void;
  /** Opens the connections that the strategies want before the load. Rejects with the first connect that fails. */
  warm(): Promise<void>;
  /** What the pool counted since the last reset, or undefined where metrics are off or the pool is closed. */
  metrics(): PoolSnapshot | undefined;
  resetMetrics(): void;
  /**
   * Rejects all waiters with POOL_CLOSED, waits until every connection in use is released, and closes all.
   * After `timeout` milliseconds it closes those still in use as well.
   */
  close(options?: { timeout?: number }): Promise<void>;
}
