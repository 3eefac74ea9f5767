import type { Batch } from '../pool/client/batch.ts';
import { LatencyCounts } from '../pool/latency-counts.ts';
import { stageEnds } from './arrival-schedule.ts';
import type { CommandSample, LoadSample, RateStage, SecondSample } from './contract.ts';
import { FailureCounts } from './failure-counts.ts';
import type { MixTemplate } from './workload/command-mix.ts';

const secondNs = 1e9;

/** When the measured window ends; an early stop moves it forward. */
export interface LoadWindow {
  endNs: number;
}

/**
 * Counts the operations of the workers of a thread that send batches of one size, and records their latencies. All memory
 * is allocated beforehand: recording makes no garbage.
 */
export class Recorder {
  /** Operations of the measured window, but for the two that name the warm-up. */
  issued = 0;
  completed = 0;
  misses = 0;
  warmupCompleted = 0;
  warmupFailed = 0;
  readonly failed = new FailureCounts();
  /** Infinite until `begin`, so that nothing counts as measured before. */
  #startNs = Number.POSITIVE_INFINITY;
  readonly #window: LoadWindow;
  readonly #service = new LatencyCounts(3);
  readonly #response = new LatencyCounts(3);
  /** Response times of the current second. Two digits are enough for a series and keep it small. */
  readonly #ofSecond = new LatencyCounts(2);
  readonly #series: SecondSample[] = [];
  #second = 0;
  #secondEndsNs = Number.POSITIVE_INFINITY;
  #secondCompleted = 0;
  #secondFailed = 0;

  /** How long operations had waited when they failed. Made by the first failure: without one it costs nothing. */
  #failedWaits: { readonly service: LatencyCounts; readonly response: LatencyCounts } | undefined;

  readonly #commands: CommandRecorder | undefined;
  readonly #stages: StageRecorder | undefined;

  /**
   * @param commands counts and times each command separately, if the workload asks for it
   * @param stages times each stage separately, if the rate of an open loop changes by stages
   */
  constructor(window: LoadWindow, commands?: CommandRecorder, stages?: StageRecorder) {
    this.#window = window;
    this.#commands = commands;
    this.#stages = stages;
  }

  /** Sets the start of the measured window. The recorder is made earlier, because that takes time. */
  begin(startNs: number): void {
    this.#startNs = startNs;
    this.#secondEndsNs = startNs + secondNs;
  }

  /** The first instant of the measured window: what was due earlier belongs to the warm-up. */
  get startNs(): number {
    return this.#startNs;
  }

  /** A batch was due at `dueNs`. Later it is recorded, or its worker counts it as unfinished. */
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
    if (failures !== undefined) {
      this.#countFailures(failures);
      this.#waits.service.add(doneNs - sentNs, batch.failed);
      this.#waits.response.add(doneNs - dueNs, batch.failed);
    }
    const serviceNs = doneNs - sentNs;
    const responseNs = doneNs - dueNs;
    this.#commands?.record(batch, serviceNs, responseNs);
    if (completed === 0) return;
    this.#service.add(serviceNs, completed);
    this.#response.add(responseNs, completed);
    this.#ofSecond.add(responseNs, completed);
    this.#stages?.record(dueNs, responseNs, completed);
  }

  /** Operations that never reached a connection. */
  recordUnconnected(code: string, size: number, dueNs: number, failedNs: number): void {
    if (dueNs < this.#startNs) {
      this.warmupFailed += size;
      return;
    }
    if (failedNs >= this.#secondEndsNs) this.#turnSecond(failedNs);
    this.#countFailures(new Map([[code, size]]));
    this.#waits.response.add(failedNs - dueNs, size);
  }

  /** Response p99 of the current second, in milliseconds. */
  get currentP99Ms(): number {
    return this.#ofSecond.valueAt(99) / 1e6;
  }

  /** Closes the last second and returns what was recorded. Batches that end later are left out: they are unfinished. */
  finish(): Omit<LoadSample, 'pipeline' | 'unfinished'> {
    this.#closeSecond();
    this.#startNs = Number.POSITIVE_INFINITY;
    return {
      issued: this.issued,
      completed: this.completed,
      failed: this.failed.toRecord(),
      misses: this.misses - (this.#commands?.aborted ?? 0),
      commands: this.#commands?.finish() ?? [],
      warmupCompleted: this.warmupCompleted,
      service: this.#service.encode(),
      response: this.#response.encode(),
      failedWaits: {
        service: this.#failedWaits?.service.encode() ?? '',
        response: this.#failedWaits?.response.encode() ?? '',
      },
      overRange: this.#response.overRange,
      series: this.#series,
    };
  }

  get #waits() {
    this.#failedWaits ??= { service: new LatencyCounts(3), response: new LatencyCounts(3) };
    return this.#failedWaits;
  }

  #countFailures(failures: ReadonlyMap<string, number>): void {
    const before = this.failed.total;
    this.failed.addAll(failures);
    this.#secondFailed += this.failed.total - before;
  }

  /** What is recorded next is in this second, even if it was done earlier. */
  protected turnTo(nowNs: number): void {
    if (nowNs >= this.#secondEndsNs) this.#turnSecond(nowNs);
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

/** Response times by the stage in which the operations were due, of all workers of a thread. */
export class StageRecorder {
  readonly #endsNs: readonly number[];
  readonly #responses: readonly LatencyCounts[];
  #windowNs = Number.POSITIVE_INFINITY;

  constructor(stages: readonly RateStage[]) {
    this.#endsNs = stageEnds(stages);
    this.#responses = stages.map(() => new LatencyCounts(2));
  }

  /** Sets the start of the window of all threads, at which the stages begin. */
  begin(windowNs: number): void {
    this.#windowNs = windowNs;
  }

  record(dueNs: number, responseNs: number, completed: number): void {
    let stage = 0;
    while (dueNs - this.#windowNs >= (this.#endsNs[stage] as number)) stage++;
    (this.#responses[stage] as LatencyCounts).add(responseNs, completed);
  }

  /** The response times of each stage, encoded. */
  finish(): string[] {
    return this.#responses.map(response => response.encode());
  }
}

/** The outcomes of one command's operations. */
interface Command {
  readonly name: string;
  readonly nullIsMiss: boolean;
  readonly nullIsAbort: boolean;
  completed: number;
  /** Null replies, which are aborts of a transaction. */
  misses: number;
  readonly failed: FailureCounts;
  readonly service: LatencyCounts;
  readonly response: LatencyCounts;
}

/** Counts and times each command of a mix separately. */
export class CommandRecorder {
  readonly #commands: readonly Command[];
  /** The command's index for each template: templates with the same name count together. */
  readonly #commandOf: Uint16Array;
  /** Completed operations of each command in the batch that is being recorded. */
  readonly #completed: Uint32Array;

  constructor(templates: readonly MixTemplate[]) {
    const names = [...new Set(templates.map(({ name }) => name))];
    this.#commandOf = Uint16Array.from(templates, ({ name }) => names.indexOf(name));
    this.#completed = new Uint32Array(names.length);
    this.#commands = names.map(name => ({
      name,
      nullIsMiss: templates.some(template => template.name === name && template.nullIsMiss),
      nullIsAbort: templates.some(template => template.name === name && template.nullIsAbort),
      completed: 0,
      misses: 0,
      failed: new FailureCounts(),
      service: new LatencyCounts(3),
      response: new LatencyCounts(3),
    }));
  }

  /** Every command of a batch has the latency of the batch. */
  record(batch: Batch, serviceNs: number, responseNs: number): void {
    const counts = this.#completed;
    const failed = batch.failures !== undefined;
    for (let i = 0; i < batch.size; i++) {
      const index = this.#commandOf[batch.commandAt(i)] as number;
      if (failed && this.#countFailure(batch, i, index)) continue;
      counts[index] = (counts[index] as number) + 1;
      if (batch.hasMissed(i)) (this.#commands[index] as Command).misses++;
    }
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index] as number;
      if (count === 0) continue;
      counts[index] = 0;
      const command = this.#commands[index] as Command;
      command.completed += count;
      command.service.add(serviceNs, count);
      command.response.add(responseNs, count);
    }
  }

  /** Transactions that were not executed, because a key that they watched had changed. */
  get aborted(): number {
    return this.#commands.reduce((sum, { nullIsAbort, misses }) => sum + (nullIsAbort ? misses : 0), 0);
  }

  /** Returns what was recorded; nothing can be recorded after it. */
  finish(): CommandSample[] {
    return this.#commands.map(({ failed, service, response, nullIsAbort, misses, ...counts }) => ({
      ...counts,
      misses: nullIsAbort ? 0 : misses,
      ...(nullIsAbort ? { aborted: misses } : {}),
      failed: failed.toRecord(),
      service: service.encode(),
      response: response.encode(),
    }));
  }

  #countFailure(batch: Batch, i: number, index: number): boolean {
    const code = batch.failedAs(i);
    if (code === undefined) return false;
    (this.#commands[index] as Command).failed.add(code, 1);
    return true;
  }
}
