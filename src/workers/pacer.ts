import { nowNs } from '../pool/clock.ts';
import type { ArrivalQueue } from './arrival-queue.ts';
import type { LoadWindow } from './recorder.ts';

/** Node's timers have milliseconds and are late by one or two: the rest of the way to an arrival is turns of the loop. */
const timerSlackNs = 2e6;
const minSleepNs = 3e6;
/** An early stop moves the window's end, and this thread has to see it. */
const maxSleepMs = 50;
/** A turn without work that took longer than this did something else, or had no core: it does not count as spinning. */
const emptyTurnNs = 25e3;
/** For so long the event loop stands still between two turns while no reply is on its way, and while some are. */
const restNs = 20e3;
const pauseNs = 3e3;

const idled = new Int32Array(1);

/** Reading the clock leaves garbage, too: a boxed number each time. This leaves none, and takes some 1 µs. */
function idleAbout1us(): void {
  let value = idled[0] as number;
  for (let i = 0; i < 800; i++) value = (Math.imul(value, 1664525) + 1013904223) | 0;
  // Kept, or the compiler would leave all of it out.
  idled[0] = value;
}

/**
 * Comes to the arrivals of a thread's queues in time. It sleeps until shortly before the next one for which a worker is
 * idle, and from there on turns the event loop (setImmediate), which reads replies in between. Where no worker is idle
 * there is nothing to come to, and it sleeps until one is.
 *
 * A turn leaves some 450 bytes of garbage. Turns without a pause would be 170 collections a second of 0.1 ms or more, which
 * is more than a hundredth of the arrivals; so each turn watches the clock for a moment, longer where nobody waits.
 */
export class Pacer {
  readonly #queues: readonly ArrivalQueue[];
  readonly #window: LoadWindow;
  #startNs = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the last turn ended, if it is followed by another at once. */
  #turnedNs = Number.NaN;
  #worked = false;
  #spunNs = 0;
  readonly #come = () => this.#turn();

  /** @param queues may be filled until `begin` */
  constructor(queues: readonly ArrivalQueue[], window: LoadWindow) {
    this.#queues = queues;
    this.#window = window;
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
    const now = nowNs();
    if (!this.#worked) this.#countSpun(this.#turnedNs, now);
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
    const now = nowNs();
    if (nextNs - now < minSleepNs) {
      this.#turnedNs = this.#standStill(now, nextNs);
      this.#immediate = setImmediate(this.#come);
      return;
    }
    this.#turnedNs = Number.NaN;
    const sleepMs = Math.floor((nextNs - now - timerSlackNs) / 1e6);
    this.#timer = setTimeout(this.#come, Math.min(sleepMs, maxSleepMs));
  }

  #isAtRest(): boolean {
    for (const queue of this.#queues) if (!queue.atRest) return false;
    return true;
  }

  /** Watches the clock until the next arrival, but not for long. @returns when that was over */
  #standStill(fromNs: number, nextNs: number): number {
    const untilNs = Math.min(nextNs, fromNs + (this.#isAtRest() ? restNs : pauseNs));
    let lastNs = fromNs;
    let stoodNs = 0;
    while (lastNs < untilNs) {
      idleAbout1us();
      const now = nowNs();
      // Longer steps are those of a thread without a core.
      if (now - lastNs <= emptyTurnNs) stoodNs += now - lastNs;
      lastNs = now;
    }
    if (fromNs >= this.#startNs) this.#spunNs += stoodNs;
    return lastNs;
  }

  /** After a sleep `fromNs` is not a number, and nothing is counted. */
  #countSpun(fromNs: number, toNs: number): void {
    if (toNs - fromNs <= emptyTurnNs && fromNs >= this.#startNs) this.#spunNs += toNs - fromNs;
  }
}
