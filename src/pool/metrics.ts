import { nowNs } from './clock.ts';
import { createHistogram, encodeHistogram, type Histogram, highestNs } from './histogram.ts';

/** How the pool's connections stood at one instant. */
export interface Utilization {
  /** Milliseconds since the metrics were last reset. */
  readonly atMs: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
}

/** What a pool tells of itself since its metrics were last reset. Plain data. */
export interface PoolSnapshot {
  readonly acquisitions: number;
  /** Acquisitions that were served synchronously, without waiting. */
  readonly immediate: number;
  /** Of acquisitions that could not be served synchronously: HDR V2 compressed, base64, nanoseconds. */
  readonly acquireWait: string;
  /** Acquisitions that found the lock taken, and the time they waited for it. */
  readonly lockWaits: number;
  readonly lockWaitMs: number;
  readonly healthChecksRun: number;
  readonly healthChecksSkipped: number;
  readonly healthCheckMs: number;
  /** Connections created before the reset (while warming) and since. */
  readonly createdBefore: number;
  readonly created: number;
  /** When the latest of those since was there, in milliseconds since the reset; null if there was none. */
  readonly lastCreatedMs: number | null;
  /** Times to connect, of all connections ever created: HDR V2 compressed, base64, nanoseconds. */
  readonly connectTime: string;
  readonly connectFailures: number;
  /** Connections created in the place of one that died. */
  readonly reconnects: number;
  readonly peakWaiting: number;
  readonly utilization: readonly Utilization[];
}

/** Counts what a pool does. A pool without metrics has none of these, and pays one comparison where it would count. */
export class PoolRecorder {
  readonly #acquireWait: Histogram = createHistogram(2);
  readonly #connectTime: Histogram = createHistogram(2);
  #resetAtNs = nowNs();
  #createdBefore = 0;
  #lastCreatedMs: number | null = null;
  #utilization: Utilization[] = [];

  /** Public counters: the pool adds to them in place, for a method call each would be most of the cost. */
  immediate = 0;
  waited = 0;
  lockWaits = 0;
  lockWaitNs = 0;
  healthChecksRun = 0;
  healthChecksSkipped = 0;
  healthCheckNs = 0;
  created = 0;
  connectFailures = 0;
  reconnects = 0;
  peakWaiting = 0;

  acquired(waitNs: number): void {
    this.waited++;
    this.#acquireWait.recordValue(Math.min(waitNs, highestNs));
  }

  connected(ns: number): void {
    this.created++;
    this.#lastCreatedMs = (nowNs() - this.#resetAtNs) / 1e6;
    this.#connectTime.recordValue(Math.min(ns, highestNs));
  }

  /** A caller begins to wait beside `waiting` others. */
  joins(waiting: number): void {
    this.peakWaiting = Math.max(this.peakWaiting, waiting + 1);
  }

  standing(active: number, idle: number, waiting: number, total: number): void {
    const atMs = Math.round((nowNs() - this.#resetAtNs) / 1e6);
    this.#utilization.push({ atMs, active, idle, waiting, total });
  }

  /** Starts counting afresh, as when the warm-up is discarded. Connections created so far become `createdBefore`. */
  reset(): void {
    this.#acquireWait.reset();
    this.#createdBefore += this.created;
    this.#lastCreatedMs = null;
    this.#utilization = [];
    this.#resetAtNs = nowNs();
    this.immediate = 0;
    this.waited = 0;
    this.lockWaits = 0;
    this.lockWaitNs = 0;
    this.healthChecksRun = 0;
    this.healthChecksSkipped = 0;
    this.healthCheckNs = 0;
    this.created = 0;
    this.connectFailures = 0;
    this.reconnects = 0;
    this.peakWaiting = 0;
  }

  snapshot(): PoolSnapshot {
    return {
      acquisitions: this.immediate + this.waited,
      immediate: this.immediate,
      acquireWait: encodeHistogram(this.#acquireWait),
      lockWaits: this.lockWaits,
      lockWaitMs: this.lockWaitNs / 1e6,
      healthChecksRun: this.healthChecksRun,
      healthChecksSkipped: this.healthChecksSkipped,
      healthCheckMs: this.healthCheckNs / 1e6,
      createdBefore: this.#createdBefore,
      created: this.created,
      lastCreatedMs: this.#lastCreatedMs,
      connectTime: encodeHistogram(this.#connectTime),
      connectFailures: this.connectFailures,
      reconnects: this.reconnects,
      peakWaiting: this.peakWaiting,
      utilization: this.#utilization.slice(),
    };
  }

  destroy(): void {
    this.#acquireWait.destroy();
    this.#connectTime.destroy();
  }
}
