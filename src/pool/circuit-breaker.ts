import type { Connect, Connection } from './connection.ts';

/** So many connects in a row have failed: from then on one at a time is tried. */
export const failuresToOpen = 5;
/** From a failed connect to the next that is a probe, or that the pool tries of its own accord; doubled each time. */
export const minBackoffMs = 50;
/** The longest: a server that is back goes unnoticed for as long, and the time that a connect takes. */
export const maxBackoffMs = 250;

/** Decides whether a pool may connect. */
export interface ConnectGate {
  /** Connects, on behalf of a caller; undefined where that may not be. */
  through(connect: Connect): Promise<Connection> | undefined;
  /** Whether the pool may connect of its own accord, with nobody waiting for it. */
  readonly quiet: boolean;
}

/**
 * Keeps the callers of a pool from storming a server that is down.
 *
 * Closed, everybody may connect. It opens with `failuresToOpen` failures in a row, and nobody may until the backoff is
 * over; then it is half open, and one may, as a probe. If that fails, the backoff begins again, twice as long up to a
 * bound. The first connect that succeeds closes it, a probe or one that was begun before. Half of each backoff is
 * random, so that the pools of many threads, which lose a server at one time, do not try again at one time.
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

  get quiet(): boolean {
    return !this.#probing && this.#nowMs() >= this.#retryAtMs;
  }

  through(connect: Connect): Promise<Connection> | undefined {
    if (this.#failures < failuresToOpen) return this.#watch(connect);
    if (!this.quiet) return undefined;
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

  /** Connects that were begun together fail together, and lengthen the backoff once. */
  #backOff(nowMs: number): void {
    if (nowMs < this.#retryAtMs) return;
    this.#retryAtMs = nowMs + this.#backoffMs * (0.5 + this.#random() / 2);
    this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
  }
}
