import type { Batch } from '../pool/batch.ts';
import { highestNs } from '../pool/histogram.ts';
import type { CommandRecorder } from './command-recorder.ts';
import type { LoadSample, SecondSample } from './contract.ts';
import { LatencyCounts } from './latency-counts.ts';

const secondNs = 1e9;

/** When the measured window ends; an early stop moves it forward. */
export interface LoadWindow {
  endNs: number;
}

/** Counts the operations of a thread's workers with one size of batch and records their latencies. Everything is preallocated: recording makes no garbage. */
export class Recorder {
  /** Of the measured window. */
  issued = 0;
  completed = 0;
  failedCount = 0;
  misses = 0;
  overRange = 0;
  warmupCompleted = 0;
  warmupFailed = 0;
  readonly failed: Record<string, number> = {};
  /** Nothing is of the window before it has a start. */
  #startNs = Number.POSITIVE_INFINITY;
  readonly #window: LoadWindow;
  readonly #service = new LatencyCounts(3);
  readonly #response = new LatencyCounts(3);
  /** Response times of the current second. Two digits are enough for a series, and make it small. */
  readonly #ofSecond = new LatencyCounts(2);
  readonly #series: SecondSample[] = [];
  #second = 0;
  #secondEndsNs = Number.POSITIVE_INFINITY;
  #secondCompleted = 0;
  #secondFailed = 0;

  readonly #commands: CommandRecorder | undefined;

  /** @param commands what counts and times each command apart, where that is asked for */
  constructor(window: LoadWindow, commands?: CommandRecorder) {
    this.#window = window;
    this.#commands = commands;
  }

  /** Says when the measured window begins; before that it is made, so that making it takes no time of the window. */
  begin(startNs: number): void {
    this.#startNs = startNs;
    this.#secondEndsNs = startNs + secondNs;
  }

  /** The first instant of the measured window: what was due earlier belongs to the warm-up. */
  get startNs(): number {
    return this.#startNs;
  }

  /** A batch was due at `dueNs`; it will be recorded, or counted as unfinished by the load loop. */
  due(dueNs: number, size: number): void {
    if (dueNs >= this.#startNs) this.issued += size;
  }

  /** A batch of n commands is n operations, and each has the batch's latency. */
  record(batch: Batch, dueNs: number, sentNs: number, doneNs: number): void {
    const { completed, failures } = batch;
    if (dueNs < this.#startNs) {
      this.warmupCompleted += completed;
      if (failures !== undefined) this.warmupFailed += batch.failed;
      return;
    }
    if (doneNs >= this.#secondEndsNs) this.#turnSecond(doneNs);
    this.completed += completed;
    this.misses += batch.misses;
    this.#secondCompleted += completed;
    if (failures !== undefined) this.#countFailures(failures);
    const serviceNs = Math.min(doneNs - sentNs, highestNs);
    const responseNs = this.#inRange(doneNs - dueNs, completed);
    this.#commands?.record(batch, serviceNs, responseNs);
    if (completed === 0) return;
    this.#service.add(serviceNs, completed);
    this.#response.add(responseNs, completed);
    this.#ofSecond.add(responseNs, completed);
  }

  /** Operations that never reached a connection. */
  recordUnconnected(code: string, size: number, dueNs: number, failedNs: number): void {
    if (dueNs < this.#startNs) {
      this.warmupFailed += size;
      return;
    }
    if (failedNs >= this.#secondEndsNs) this.#turnSecond(failedNs);
    this.#countFailures(new Map([[code, size]]));
  }

  /** Response p99 of the current second, in milliseconds. */
  get currentP99Ms(): number {
    return this.#ofSecond.valueAt(99) / 1e6;
  }

  /** Closes the last second and hands out what was recorded. Batches that end later are left out: they are unfinished. */
  finish(): Omit<LoadSample, 'pipeline' | 'unfinished'> {
    this.#closeSecond();
    this.#startNs = Number.POSITIVE_INFINITY;
    return {
      issued: this.issued,
      completed: this.completed,
      failed: this.failed,
      misses: this.misses,
      commands: this.#commands?.finish() ?? [],
      warmupCompleted: this.warmupCompleted,
      service: this.#service.encode(),
      response: this.#response.encode(),
      overRange: this.overRange,
      series: this.#series,
    };
  }

  #countFailures(failures: ReadonlyMap<string, number>): void {
    for (const [code, count] of failures) {
      this.failed[code] = (this.failed[code] ?? 0) + count;
      this.failedCount += count;
      this.#secondFailed += count;
    }
  }

  #inRange(ns: number, counted: number): number {
    if (ns <= highestNs) return ns;
    this.overRange += counted;
    return highestNs;
  }

  /** What completes in the drain belongs to the last second of the window. */
  #turnSecond(nowNs: number): void {
    while (nowNs >= this.#secondEndsNs && this.#secondEndsNs < this.#window.endNs) {
      this.#closeSecond();
      this.#second++;
      this.#secondEndsNs += secondNs;
    }
  }

  #closeSecond(): void {
    if (this.#secondCompleted + this.#secondFailed === 0) return;
    this.#series.push({
      second: this.#second,
      completed: this.#secondCompleted,
      failed: this.#secondFailed,
      response: this.#ofSecond.encode(),
    });
    this.#ofSecond.reset();
    this.#secondCompleted = 0;
    this.#secondFailed = 0;
  }
}
