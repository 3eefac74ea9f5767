import { nowNs } from '../pool/clock.ts';
import type { ArrivalQueue } from './arrival-queue.ts';
import type { LoadWindow } from './recorder.ts';

/** Node's timers have milliseconds and are late by one or two: the rest of the way to an arrival is turns of the loop. */
const timerSlackNs = 2e6;
const shortestSleepNs = 3e6;
/** An early stop moves the window's end, and this thread has to see it. */
const longestSleepMs = 50;
/** A turn without work that took longer than this did something else, or had no core: it does not count as spinning. */
const emptyTurnNs = 25e3;

/**
 * Comes to the arrivals of a thread's queues in time. It sleeps until shortly before the next one for which a worker is
 * idle, and from there on turns the event loop (setImmediate), which reads replies in between: late by one turn at most.
 * Where no worker is idle there is nothing to come to, and it sleeps until one is.
 */
export class Pacer {
  readonly #queues: readonly ArrivalQueue[];
  readonly #window: LoadWindow;
  readonly #clock: () => number;
  #startNs = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the last turn ended, if it is followed by another at once. */
  #turnedNs = Number.NaN;
  #worked = false;
  #spunNs = 0;
  readonly #come = () => this.#turn();

  /** @param queues may be filled until `begin` */
  constructor(queues: readonly ArrivalQueue[], window: LoadWindow, clock: () => number = nowNs) {
    this.#queues = queues;
    this.#window = window;
    this.#clock = clock;
  }

  begin(startNs: number): void {
    this.#startNs = startNs;
    this.wake();
  }

  /** The turn that is going on is not an empty one. */
  noteWork(): void {
    this.#worked = true;
  }

  /** A worker went idle: what comes next may come sooner. */
  wake(): void {
    if (this.#immediate !== undefined) return;
    clearTimeout(this.#timer);
    this.#turnedNs = Number.NaN;
    this.#immediate = setImmediate(this.#come);
  }

  /** Nanoseconds of the measured window in which turns found nothing to do. */
  get spunNs(): number {
    return this.#spunNs;
  }

  #turn(): void {
    this.#immediate = undefined;
    const now = this.#clock();
    const turnNs = now - this.#turnedNs;
    // Not so after a sleep, where there is no last turn.
    if (!this.#worked && turnNs <= emptyTurnNs && this.#turnedNs >= this.#startNs) this.#spunNs += turnNs;
    let nextNs = this.#window.endNs;
    for (const queue of this.#queues) {
      queue.dispatch(now);
      nextNs = Math.min(nextNs, queue.nextDueNs);
    }
    this.#worked = false;
    if (now < this.#window.endNs) this.#await(nextNs);
    else for (const queue of this.#queues) queue.retireIdle();
  }

  #await(nextNs: number): void {
    const now = this.#clock();
    if (nextNs - now < shortestSleepNs) {
      this.#turnedNs = now;
      this.#immediate = setImmediate(this.#come);
      return;
    }
    this.#turnedNs = Number.NaN;
    const sleepMs = Math.floor((nextNs - now - timerSlackNs) / 1e6);
    this.#timer = setTimeout(this.#come, Math.min(sleepMs, longestSleepMs));
  }
}
