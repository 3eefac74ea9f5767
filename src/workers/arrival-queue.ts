import { nowNs } from '../pool/clock.ts';
import type { LatencyCounts } from '../pool/latency-counts.ts';
import { type ArrivalCursor, stageEnds } from './arrival-schedule.ts';
import type { LoadWindow } from './recorder.ts';

/** A worker, as its queue sees it. */
export interface ArrivalTaker {
  /**
   * Sends a batch that was due at `dueNs`. Afterwards the worker calls `free` of the queue.
   *
   * @param arrival its number among the arrivals of the pool, from 0
   */
  take(dueNs: number, arrival: number): void;
  /** The queue has no more arrivals for it. Called once. */
  retire(): void;
}

/** What the queue needs from its thread. */
interface QueueContext {
  readonly window: LoadWindow;
  /** Counts how late the thread took each arrival for which a worker was free. */
  readonly lag: LatencyCounts;
  /** `noteWork`: a worker did or began something. `wake`: a worker became idle. */
  readonly pacer: { noteWork(): void; wake(): void };
  /** As of `stageEnds`. */
  readonly stageEndsNs?: readonly number[];
  readonly clock?: () => number;
}

/** The operations due in a stage, and the largest backlog in it. */
interface StageFigures {
  offered: number;
  largestBacklog: number;
}

/** Figures of the measured window, in operations where no unit is named. */
export interface QueueSample {
  readonly offered: number;
  readonly completedInWindow: number;
  readonly largestBacklog: number;
  readonly oldestUnsentNs: number;
  /** One for each stage. */
  readonly stages: readonly Readonly<StageFigures>[];
}

/**
 * The arrivals of one pool, and its idle workers. Arrivals are taken in order, and wait while every worker is busy. A
 * second cursor over the same schedule counts those that are due, so a backlog of any length takes no memory, and skips
 * those of which only the number matters.
 */
export class ArrivalQueue {
  readonly #next: ArrivalCursor;
  readonly #due: ArrivalCursor;
  readonly #pipeline: number;
  readonly #window: LoadWindow;
  readonly #lag: LatencyCounts;
  readonly #pacer: QueueContext['pacer'];
  readonly #clock: () => number;
  /** A stack: the worker that went idle last is the first to send. */
  readonly #idle: ArrivalTaker[] = [];
  #workers = 0;
  /** Since this instant at least one worker has been idle at all times; infinite while none is. */
  #freeSinceNs = Number.POSITIVE_INFINITY;
  /** The last interval in which workers were idle while the thread was late. */
  #lateSinceNs = Number.POSITIVE_INFINITY;
  #lateUntilNs = Number.NEGATIVE_INFINITY;
  #releasedNs = Number.POSITIVE_INFINITY;
  #startNs = Number.POSITIVE_INFINITY;
  #windowNs = Number.POSITIVE_INFINITY;
  /** Arrivals taken, and arrivals that were due so far, both with the warm-up. */
  #taken = 0;
  #counted = 0;
  readonly #stageEndsNs: readonly number[];
  /** Of the measured window, in arrivals. */
  readonly #stages: readonly StageFigures[];
  /** Index of the stage in which the due arrivals were counted last. */
  #stage = 0;
  #stageEndNs = Number.POSITIVE_INFINITY;
  #completedInWindow = 0;

  /** @param cursor makes a cursor over the pool's schedule; all of them see the same arrivals */
  constructor(
    cursor: () => ArrivalCursor,
    pipeline: number,
    { window, lag, pacer, stageEndsNs = stageEnds(), clock = nowNs }: QueueContext,
  ) {
    this.#next = cursor();
    this.#due = cursor();
    this.#pipeline = pipeline;
    this.#window = window;
    this.#lag = lag;
    this.#pacer = pacer;
    this.#stageEndsNs = stageEndsNs;
    this.#stages = stageEndsNs.map(() => ({ offered: 0, largestBacklog: 0 }));
    this.#clock = clock;
  }

  /** The schedule starts at `releasedNs`. */
  begin(releasedNs: number): void {
    this.#releasedNs = releasedNs;
  }

  /**
   * Arrivals due from `startNs` on count: a future instant, or that of `begin`.
   *
   * @param windowNs start of the window of all threads, at which the stages begin; a late thread counts from later on
   */
  openWindow(startNs: number, windowNs = startNs): void {
    this.#startNs = startNs;
    this.#windowNs = windowNs;
    this.#stageEndNs = windowNs + (this.#stageEndsNs[0] as number);
    for (const cursor of [this.#next, this.#due]) cursor.openWindow?.(windowNs - this.#releasedNs);
  }

  /** Adds a worker. One that comes after the end of the window is retired at once. */
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

  /** Whether all workers are idle. */
  get atRest(): boolean {
    return this.#idle.length === this.#workers;
  }

  /** A worker has finished its arrival, of which `completed` operations completed. It takes the next one or goes idle. */
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

  /** Gives the arrivals that are due to idle workers, in order. */
  dispatch(atNs: number): void {
    let now = atNs;
    while (this.#idle.length > 0) {
      const dueNs = this.#releasedNs + this.#next.dueNs;
      if (dueNs > now || dueNs >= this.#window.endNs) return;
      this.#next.advance();
      const arrival = this.#taken++;
      this.#noteLag(dueNs, now);
      const worker = this.#idle.pop() as ArrivalTaker;
      if (this.#idle.length === 0) this.#runOut(now);
      this.#pacer.noteWork();
      worker.take(dueNs, arrival);
      now = this.#clock();
    }
  }

  /**
   * If a worker was free when the arrival became due, the thread caused the whole delay. If the thread was so late that
   * other arrivals had taken all workers, it caused the delay until then; after that, the arrival waited for a worker.
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

  /** Retires the idle workers: the window is over. */
  retireIdle(): void {
    for (const worker of this.#idle.splice(0)) worker.retire();
    this.#freeSinceNs = Number.POSITIVE_INFINITY;
  }

  finish(): QueueSample {
    const { endNs } = this.#window;
    this.#noteBacklog(endNs, true);
    // Arrivals of the warm-up do not count. A stopped warm-up has no others.
    const startNs = Math.min(this.#startNs, endNs);
    this.#next.skip(startNs - this.#releasedNs);
    while (this.#releasedNs + this.#next.dueNs < startNs) this.#next.advance();
    const oldestUnsentNs = Math.max(0, endNs - (this.#releasedNs + this.#next.dueNs));
    // The remaining arrivals were never taken, but the thread may have been late for them as well.
    for (let dueNs = this.#releasedNs + this.#next.dueNs; dueNs < Math.min(this.#lateUntilNs, endNs); ) {
      this.#noteLag(dueNs, endNs);
      this.#next.advance();
      dueNs = this.#releasedNs + this.#next.dueNs;
    }
    const stages = this.#stages.map(({ offered, largestBacklog }) => ({
      offered: offered * this.#pipeline,
      largestBacklog: largestBacklog * this.#pipeline,
    }));
    return {
      offered: stages.reduce((sum, { offered }) => sum + offered, 0),
      completedInWindow: this.#completedInWindow,
      largestBacklog: Math.max(...stages.map(({ largestBacklog }) => largestBacklog)),
      oldestUnsentNs,
      stages,
    };
  }

  /**
   * A backlog grows until a worker takes from it, so it is enough to look just before that, and at the end. Of a schedule
   * that is too dense to look at each arrival, what came in the last slot is missing, but for that at the `exactly` end.
   */
  #noteBacklog(atNs: number, exactly = false): void {
    const untilNs = Math.min(atNs, this.#window.endNs);
    this.#countDue(Math.min(untilNs, this.#startNs), exactly || untilNs >= this.#startNs);
    if (untilNs < this.#startNs) return;
    // If it outlasts a stage, it is checked again at the end of the stage.
    while (untilNs > this.#stageEndNs) this.#turnStage();
    this.#noteStage(untilNs, exactly);
  }

  #turnStage(): void {
    this.#noteStage(this.#stageEndNs, true);
    this.#stage++;
    this.#stageEndNs = this.#windowNs + (this.#stageEndsNs[this.#stage] as number);
  }

  #noteStage(untilNs: number, exactly: boolean): void {
    // A stage that was over when a late thread began to count.
    if (untilNs < this.#startNs) return;
    const stage = this.#stages[this.#stage] as StageFigures;
    stage.offered += this.#countDue(untilNs, exactly);
    stage.largestBacklog = Math.max(stage.largestBacklog, this.#counted - this.#taken);
  }

  /** Counts what is due before `untilNs`; of a dense schedule only whole slots, unless `exactly`. @returns how many */
  #countDue(untilNs: number, exactly: boolean): number {
    let count = this.#due.skip(untilNs - this.#releasedNs);
    if (exactly || !this.#due.dense) {
      while (this.#releasedNs + this.#due.dueNs < untilNs) {
        this.#due.advance();
        count++;
      }
    }
    this.#counted += count;
    return count;
  }
}
