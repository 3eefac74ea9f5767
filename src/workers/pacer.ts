import { nowNs } from '../pool/clock.ts';

/** Node's timers count milliseconds and are one or two late, so the last part of a wait is turns of the event loop. */
const timerSlackNs = 2e6;
const minSleepNs = 3e6;
/** An early stop moves the window's end, and this thread has to see it. */
const maxSleepMs = 50;
/**
 * A turn without work that took longer than this did something else or had no core, and does not count as spinning.
 */
const emptyTurnNs = 25e3;
/** Pause between two turns of the event loop while no reply is expected, and while some are. */
const restNs = 20e3;
const pauseNs = 3e3;

const idled = new Int32Array(1);

/** Takes about 1 µs and leaves no garbage. Reading the clock would: a boxed number each time. */
function idleAbout1us(): void {
  let value = idled[0] as number;
  for (let i = 0; i < 800; i++) value = (Math.imul(value, 1664525) + 1013904223) | 0;
  // Without keeping a result, the compiler would remove the loop.
  idled[0] = value;
}

/** A load of the thread, as the pacer sees it. */
export interface PacedLoad {
  /** Whether it calls `noteWork` for what it does. */
  readonly notesWork: boolean;
  /** Whether it expects no reply. */
  readonly atRest: boolean;
  /** Sends what is due. @returns when it has to send next; infinite if not before `wake` is called */
  dispatch(nowNs: number): number;
}

/** A closed loop: its workers send without the pacer, and nearly always wait for replies. */
export class ClosedLoad implements PacedLoad {
  readonly notesWork = false;
  readonly atRest = false;

  dispatch(): number {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Dispatches the arrivals of all loads of a thread on time. If each load had its own pacer, they would delay one another. It
 * sleeps until shortly before the next arrival for which a worker is idle, and then spins the event loop (setImmediate),
 * which reads replies in between. While no worker is idle, it sleeps until one is.
 *
 * A turn leaves some 450 bytes of garbage. Turns without a pause would cause 170 collections a second of 0.1 ms or
 * more, and delay more than one arrival in a hundred. So each turn watches the clock for a moment, longer while no
 * reply is expected.
 */
export class Pacer {
  readonly #loads: PacedLoad[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the last turn ended, if it is followed by another at once. */
  #turnedNs = Number.NaN;
  #worked = false;
  #allNoteWork = true;
  #spunNs = 0;
  readonly #left: (() => void)[] = [];
  readonly #come = () => this.#turn();

  join(load: PacedLoad): void {
    this.#loads.push(load);
    this.#allNoteWork = this.#loads.every(({ notesWork }) => notesWork);
  }

  /**
   * Removes a load that is over.
   *
   * @returns a promise that resolves when all loads of the thread are over: earlier work would delay their last replies
   */
  leave(load: PacedLoad): Promise<void> {
    const place = this.#loads.indexOf(load);
    if (place >= 0) this.#loads.splice(place, 1);
    this.#allNoteWork = this.#loads.every(({ notesWork }) => notesWork);
    if (this.#loads.length > 0) return new Promise(resolve => this.#left.push(resolve));
    for (const resolve of this.#left.splice(0)) resolve();
    return Promise.resolve();
  }

  /** The current turn is not an empty one. */
  noteWork(): void {
    this.#worked = true;
  }

  /** A worker went idle, so the next arrival to dispatch may be earlier than the one planned for. */
  wake(): void {
    if (this.#immediate !== undefined) return;
    clearTimeout(this.#timer);
    this.#turnedNs = Number.NaN;
    this.#immediate = setImmediate(this.#come);
  }

  /** Nanoseconds since the start of the thread in which turns found nothing to do. */
  get spunNs(): number {
    return this.#spunNs;
  }

  #turn(): void {
    this.#immediate = undefined;
    const now = nowNs();
    if (!this.#worked && this.#allNoteWork) this.#countSpun(this.#turnedNs, now);
    let nextNs = Number.POSITIVE_INFINITY;
    for (const load of this.#loads) nextNs = Math.min(nextNs, load.dispatch(now));
    this.#worked = false;
    if (nextNs < Number.POSITIVE_INFINITY) this.#await(nextNs);
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
    for (const load of this.#loads) if (!load.atRest) return false;
    return true;
  }

  /** Watches the clock until the next arrival, but not for long. @returns the instant at which it stopped */
  #standStill(fromNs: number, nextNs: number): number {
    const untilNs = Math.min(nextNs, fromNs + (this.#isAtRest() ? restNs : pauseNs));
    let lastNs = fromNs;
    let stoodNs = 0;
    while (lastNs < untilNs) {
      idleAbout1us();
      const now = nowNs();
      // In a longer step the thread had no core.
      if (now - lastNs <= emptyTurnNs) stoodNs += now - lastNs;
      lastNs = now;
    }
    this.#spunNs += stoodNs;
    return lastNs;
  }

  /** After a sleep `fromNs` is NaN, and nothing is counted. */
  #countSpun(fromNs: number, toNs: number): void {
    if (toNs - fromNs <= emptyTurnNs) this.#spunNs += toNs - fromNs;
  }
}

/** One for all loads of a thread. */
export const threadPacer = new Pacer();
