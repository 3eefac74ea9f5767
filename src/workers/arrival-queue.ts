import { nowNs } from '../pool/clock.ts';
import type { ArrivalCursor } from './arrival-schedule.ts';
import type { LatencyCounts } from './latency-counts.ts';
import type { LoadWindow } from './recorder.ts';

/** A worker that is handed arrivals, as its queue sees it. */
export interface ArrivalTaker {
  /** Sends a batch that was due at `dueNs`; afterwards the worker tells the queue that it is free again. */
  take(dueNs: number): void;
  /** The queue has nothing more for it. Called once. */
  retire(): void;
}

/** What the queue needs of its thread. */
export interface QueueSurroundings {
  readonly window: LoadWindow;
  /** Is told how late each arrival was taken for which a worker was free. */
  readonly lag: LatencyCounts;
  /** Is told that a worker did or began something, and that it has gone idle. */
  readonly pacer: { noteWork(): void; wake(): void };
  readonly clock?: () => number;
}

/** What a queue tells of the measured window; operations, but for the last. */
export interface QueueSample {
  readonly offered: number;
  readonly completedInWindow: number;
  readonly largestBacklog: number;
  readonly oldestUnsentNs: number;
}

/**
 * The arrivals of one pool and its idle workers. What is due is taken in order. Where every worker is busy it waits,
 * and nothing is forgotten: a second cursor goes over the same schedule and counts what is due, so that a backlog of
 * any length takes no memory.
 */
export class ArrivalQueue {
  readonly #next: ArrivalCursor;
  readonly #due: ArrivalCursor;
  readonly #pipeline: number;
  readonly #window: LoadWindow;
  readonly #lag: LatencyCounts;
  readonly #pacer: QueueSurroundings['pacer'];
  readonly #clock: () => number;
  /** A stack: the worker that was busy last comes first. */
  readonly #idle: ArrivalTaker[] = [];
  #workers = 0;
  /** Since when there has been an idle worker without a break; infinite while there is none. */
  #freeSinceNs = Number.POSITIVE_INFINITY;
  /** The last time that workers were idle and the thread came late to them: from when to when. */
  #lateSinceNs = Number.POSITIVE_INFINITY;
  #lateUntilNs = Number.NEGATIVE_INFINITY;
  #releasedNs = Number.POSITIVE_INFINITY;
  #startNs = Number.POSITIVE_INFINITY;
  /** Arrivals, the warm-up's included. */
  #taken = 0;
  #counted = 0;
  /** Of these, arrivals of the measured window. */
  #offered = 0;
  #largestBacklog = 0;
  #completedInWindow = 0;

  /** @param cursor makes one over the pool's schedule, always the same */
  constructor(
    cursor: () => ArrivalCursor,
    pipeline: number,
    { window, lag, pacer, clock = nowNs }: QueueSurroundings,
  ) {
    this.#next = cursor();
    this.#due = cursor();
    this.#pipeline = pipeline;
    this.#window = window;
    this.#lag = lag;
    this.#pacer = pacer;
    this.#clock = clock;
  }

  /** The schedule starts at `releasedNs`; what is due from `startNs` on counts. */
  begin(releasedNs: number, startNs: number): void {
    this.#releasedNs = releasedNs;
    this.#startNs = startNs;
  }

  /** A new worker is there. One that comes after the end has come in vain. */
  join(worker: ArrivalTaker): void {
    const now = this.#clock();
    if (now >= this.#window.endNs) {
      worker.retire();
      return;
    }
    if (this.#idle.length === 0) this.#freeSinceNs = now;
    this.#workers++;
    this.#idle.push(worker);
  }

  /** Whether no worker waits for anything. */
  get atRest(): boolean {
    return this.#idle.length === this.#workers;
  }

  /** A worker is done with its arrival, of which `completed` operations completed: it takes the next one or goes idle. */
  free(worker: ArrivalTaker, doneNs: number, completed: number): void {
    if (doneNs >= this.#window.endNs) {
      worker.retire();
      return;
    }
    this.#pacer.noteWork();
    if (doneNs >= this.#startNs) this.#completedInWindow += completed;
    if (this.#idle.length === 0) {
      this.#noteBacklog(doneNs);
      this.#freeSinceNs = doneNs;
    }
    this.#idle.push(worker);
    this.dispatch(doneNs);
    if (this.#idle.length > 0) this.#pacer.wake();
  }

  /** Hands what is due to idle workers, in order. */
  dispatch(atNs: number): void {
    let now = atNs;
    while (this.#idle.length > 0) {
      const dueNs = this.#releasedNs + this.#next.dueNs;
      if (dueNs > now || dueNs >= this.#window.endNs) return;
      this.#next.advance();
      this.#taken++;
      this.#noteLag(dueNs, now);
      const worker = this.#idle.pop() as ArrivalTaker;
      if (this.#idle.length === 0) this.#runOut(now);
      this.#pacer.noteWork();
      worker.take(dueNs);
      now = this.#clock();
    }
  }

  /**
   * An arrival that came while a worker was free was taken late by the thread. One that found no worker any more when
   * the thread came at last was late by the thread until then, and waited for a worker only after that.
   */
  #noteLag(dueNs: number, takenNs: number): void {
    if (dueNs < this.#startNs) return;
    if (dueNs >= this.#freeSinceNs) this.#lag.add(takenNs - dueNs, 1);
    else if (dueNs >= this.#lateSinceNs && dueNs < this.#lateUntilNs)
      this.#lag.add(this.#lateUntilNs - dueNs, 1);
  }

  /** No worker is idle any more. */
  #runOut(now: number): void {
    if (now > this.#freeSinceNs) {
      this.#lateSinceNs = this.#freeSinceNs;
      this.#lateUntilNs = now;
    }
    this.#freeSinceNs = Number.POSITIVE_INFINITY;
  }

  /** When an idle worker has something to do next; infinite while none is idle. */
  get nextDueNs(): number {
    return this.#idle.length === 0 ? Number.POSITIVE_INFINITY : this.#releasedNs + this.#next.dueNs;
  }

  /** Sends the idle workers home: the window is over. */
  retireIdle(): void {
    for (const worker of this.#idle.splice(0)) worker.retire();
    this.#freeSinceNs = Number.POSITIVE_INFINITY;
  }

  finish(): QueueSample {
    const { endNs } = this.#window;
    this.#noteBacklog(endNs);
    // An older one may be of the warm-up, which nobody asked for.
    while (this.#releasedNs + this.#next.dueNs < this.#startNs) this.#next.advance();
    const oldestUnsentNs = Math.max(0, endNs - (this.#releasedNs + this.#next.dueNs));
    // What is left was never taken; the thread may have been late for it all the same.
    for (let dueNs = this.#releasedNs + this.#next.dueNs; dueNs < Math.min(this.#lateUntilNs, endNs); ) {
      this.#noteLag(dueNs, endNs);
      this.#next.advance();
      dueNs = this.#releasedNs + this.#next.dueNs;
    }
    return {
      offered: this.#offered * this.#pipeline,
      completedInWindow: this.#completedInWindow,
      largestBacklog: this.#largestBacklog * this.#pipeline,
      oldestUnsentNs,
    };
  }

  /** A backlog only grows until somebody takes from it, so it is enough to look just before that, and at the end. */
  #noteBacklog(atNs: number): void {
    const untilNs = Math.min(atNs, this.#window.endNs);
    for (;;) {
      const dueNs = this.#releasedNs + this.#due.dueNs;
      if (dueNs >= untilNs) break;
      this.#due.advance();
      this.#counted++;
      if (dueNs >= this.#startNs) this.#offered++;
    }
    if (untilNs >= this.#startNs)
      this.#largestBacklog = Math.max(this.#largestBacklog, this.#counted - this.#taken);
  }
}
