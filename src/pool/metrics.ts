import { nowNs } from './clock.ts';
import { LatencyCounts } from './latency-counts.ts';

/** The pool's connections and callers at one instant. */
export interface Utilization {
  /** Milliseconds since the metrics were last reset. */
  readonly atMs: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
}

/** A pool's metrics since the last reset. Plain data. */
export interface PoolSnapshot {
  readonly acquisitions: number;
  /** Acquisitions that were served synchronously, without waiting. */
  readonly immediate: number;
  /** Waits of the acquisitions that were not served synchronously: HDR V2 compressed, base64, nanoseconds. */
  readonly acquireWait: string;
  /** Acquisitions that found the lock taken, and the time for which they waited for it. */
  readonly lockWaits: number;
  readonly lockWaitMs: number;
  readonly healthChecksRun: number;
  readonly healthChecksSkipped: number;
  readonly healthCheckMs: number;
  /** Connections created before the reset (while warming) and since. */
  readonly createdBefore: number;
  readonly created: number;
  /** When the last connection since the reset was created, in milliseconds since it; null if none was. */
  readonly lastCreatedMs: number | null;
  /**
   * Those of `created` that a worker waited for and that replaced none that died: the pool grew by them. The others are
   * `reconnects`, and what maintenance opened to be idle.
   */
  readonly createdForWorkers: number;
  /** As `lastCreatedMs`, of these. */
  readonly lastCreatedForWorkersMs: number | null;
  /** Times of all successful connection attempts, also before the reset: HDR V2 compressed, base64, nanoseconds. */
  readonly connectTime: string;
  readonly connectFailures: number;
  /** Connections that replaced one that died. */
  readonly reconnects: number;
  readonly peakWaiting: number;
  readonly utilization: readonly Utilization[];
}

/** Public counters: the pool adds to them in place, because calling a method for each would cost more than counting. */
class Counters {
  immediate = 0;
  waited = 0;
  lockWaits = 0;
  lockWaitNs = 0;
  healthChecksRun = 0;
  healthChecksSkipped = 0;
  healthCheckNs = 0;
  created = 0;
  createdForWorkers = 0;
  connectFailures = 0;
  reconnects = 0;
  peakWaiting = 0;
}

/** Counts what a pool does. A pool without metrics has no recorder, and pays one comparison instead of each count. */
export class PoolRecorder extends Counters {
  readonly #acquireWait = new LatencyCounts(2);
  readonly #connectTime = new LatencyCounts(2);
  #resetAtNs = nowNs();
  #createdBefore = 0;
  #lastCreatedMs: number | null = null;
  #lastCreatedForWorkersMs: number | null = null;
  #utilization: Utilization[] = [];

  acquired(waitNs: number): void {
    this.waited++;
    this.#acquireWait.add(waitNs, 1);
  }

  connected(ns: number): void {
    this.created++;
    this.#lastCreatedMs = (nowNs() - this.#resetAtNs) / 1e6;
    this.#connectTime.add(ns, 1);
  }

  /** The connection created last makes the pool larger, because a worker needed it. */
  grown(): void {
    this.createdForWorkers++;
    this.#lastCreatedForWorkersMs = (nowNs() - this.#resetAtNs) / 1e6;
  }

  /** A caller begins to wait, in addition to `waiting` others. */
  noteWaiting(waiting: number): void {
    this.peakWaiting = Math.max(this.peakWaiting, waiting + 1);
  }

  noteUtilization(active: number, idle: number, waiting: number, total: number): void {
    const atMs = Math.round((nowNs() - this.#resetAtNs) / 1e6);
    this.#utilization.push({ atMs, active, idle, waiting, total });
  }

  /** Starts all metrics again, but for connections: those created so far become `createdBefore`. */
  reset(): void {
    this.#acquireWait.reset();
    this.#createdBefore += this.created;
    this.#lastCreatedMs = null;
    this.#lastCreatedForWorkersMs = null;
    this.#utilization = [];
    this.#resetAtNs = nowNs();
    Object.assign(this, new Counters());
  }

  snapshot(): PoolSnapshot {
    return {
      acquisitions: this.immediate + this.waited,
      immediate: this.immediate,
      acquireWait: this.#acquireWait.encode(),
      lockWaits: this.lockWaits,
      lockWaitMs: this.lockWaitNs / 1e6,
      healthChecksRun: this.healthChecksRun,
      healthChecksSkipped: this.healthChecksSkipped,
      healthCheckMs: this.healthCheckNs / 1e6,
      createdBefore: this.#createdBefore,
      created: this.created,
      lastCreatedMs: this.#lastCreatedMs,
      createdForWorkers: this.createdForWorkers,
      lastCreatedForWorkersMs: this.#lastCreatedForWorkersMs,
      connectTime: this.#connectTime.encode(),
      connectFailures: this.connectFailures,
      reconnects: this.reconnects,
      peakWaiting: this.peakWaiting,
      utilization: this.#utilization.slice(),
    };
  }
}
