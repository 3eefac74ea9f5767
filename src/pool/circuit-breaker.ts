import type { Connect, Connection } from './connection.ts';

/** After this many failed connection attempts in a row, only one at a time is made. */
export const failuresToOpen = 5;
/** First backoff: from a failed attempt to the next probe, or the next attempt in the background. Doubled each time. */
export const minBackoffMs = 50;
/** Max backoff: for this long, the return of a server can go unnoticed. */
export const maxBackoffMs = 250;

/** Decides whether a pool may make connection attempts. */
export interface ConnectGate {
  /** Makes an attempt on behalf of a caller; undefined if none is allowed. */
  through(connect: Connect): Promise<Connection> | undefined;
  /** Whether the pool may connect in the background, with no caller waiting. */
  readonly allowsBackground: boolean;
}

/**
 * Keeps the callers of a pool from flooding a server that is down with connection attempts.
 *
 * Closed, it allows all attempts. After `failuresToOpen` failures in a row it opens, and allows none until the backoff is
 * over. Then it is half open, and allows one attempt, the probe. If that fails, the next backoff begins, twice as long up
 * to a maximum. Any attempt that succeeds closes it. Half of each backoff is random, because many threads lose a server at
 * the same time, and should not all try again at the same time.
 */
export class CircuitBreaker implements ConnectGate {
  readonly #nowMs: () => number;
  readonly #random: () => number;
  #failures = 0;
  #backoffMs = minBackoffMs;
  #retryAtMs = 0;
  #probing = false;

  /** @param random draws from [0, 1) */
  constructor(nowMs: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#nowMs = nowMs;
    this.#random = random;
  }

  get allowsBackground(): boolean {
    return !this.#probing && this.#nowMs() >= this.#retryAtMs;
  }

  through(connect: Connect): Promise<Connection> | undefined {
    if (this.#failures < failuresToOpen) return this.#watch(connect);
    if (!this.allowsBackground) return undefined;
    this.#probing = true;
    return this.#watch(connect).finally(() => {
      this.#probing = false;
    });
  }

  async #watch(connect: Connect): Promise<Connection> {
    try {
      const connection = await connect();
      this.#failures = 0;
      this.#backoffMs = minBackoffMs;
      this.#retryAtMs = 0;
      return connection;
    } catch (error) {
      this.#failures++;
      this.#backOff(this.#nowMs());
      throw error;
    }
  }

  /** Attempts that began together fail together, and lengthen the backoff only once. */
  #backOff(nowMs: number): void {
    if (nowMs < this.#retryAtMs) return;
    this.#retryAtMs = nowMs + this.#backoffMs * (0.5 + this.#random() / 2);
    this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
  }
}
