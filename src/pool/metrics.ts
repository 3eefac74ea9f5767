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
