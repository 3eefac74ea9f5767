import { clearLine, cursorTo } from 'node:readline';
import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/summary.ts';
import { formatMs, formatRate, toPlainLines } from '../../aggregate/text/format.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { formatDuration } from '../plan/describe-plan.ts';

/** What is being measured, for a reader. */
export interface Step {
  readonly round: number;
  readonly rounds: number;
  readonly index: number;
  readonly total: number;
  readonly scenario: string;
  readonly threads: number;
  /** Undefined where nobody knows. */
  readonly secondsLeft?: number;
  /** What is told in place of round and index, where their totals are not known. */
  readonly place?: string;
}

/** Ten times a second is as often as an eye can follow; it costs the coordinator next to nothing. */
const refreshMs = 100;

/**
 * Shows how a run gets on: on a terminal one line that is written over, elsewhere a plain line for each measurement.
 * The p99 of the line is that of the slowest thread in its current second.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #live: boolean;
  readonly #silent: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream, { silent }: { silent: boolean }) {
    this.#stream = stream;
    this.#silent = silent;
    this.#live = !silent && stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** A line of its own, above the live one. */
  say(line: string): void {
    if (this.#silent) return;
    this.#clear();
    this.#stream.write(`${toPlainLines(line)}\n`);
  }

  /** Follows one measurement until `finished`. `onFailures` is told whenever there are more failed operations. */
  follow(step: Step, shared: SharedState, onFailures: () => void): void {
    let before = { completed: 0, failed: 0, atMs: performance.now() };
    let opsPerSecond = 0;
    this.#timer = setInterval(() => {
      const now = { ...sum(shared, step.threads), atMs: performance.now() };
      if (now.failed > before.failed) onFailures();
      const rate = ((now.completed - before.completed) / (now.atMs - before.atMs)) * 1000;
      // Threads publish twenty times a second, so single differences jump: show a moving average.
      opsPerSecond = opsPerSecond === 0 ? rate : opsPerSecond * 0.8 + rate * 0.2;
      before = now;
      if (this.#live) {
        this.#overwrite(describe(step, opsPerSecond, now.p99Ms, now.failed));
      }
    }, refreshMs);
  }

  /** Ends what `follow` began. Without a result the measurement was stopped too early. */
  finished(step: Step, result: RoundResult | null): void {
    clearInterval(this.#timer);
    if (this.#silent) return;
    if (this.#live) this.#clear();
    else if (result !== null) {
      const line = describe(step, result.opsPerSecond, result.response.p99, failedOf(result));
      this.#stream.write(`${line}\n`);
    }
  }

  #overwrite(line: string): void {
    cursorTo(this.#stream, 0);
    this.#stream.write(line.slice(0, Math.max(0, this.#stream.columns - 1)));
    clearLine(this.#stream, 1);
  }

  #clear(): void {
    if (!this.#live) return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
  }
}

function sum(shared: SharedState, threads: number): { completed: number; failed: number; p99Ms: number } {
  const total = { completed: 0, failed: 0, p99Ms: 0 };
  for (let thread = 0; thread < threads; thread++) {
    const { completed, failed, p99Ms } = shared.progress(thread);
    total.completed += completed;
    total.failed += failed;
    total.p99Ms = Math.max(total.p99Ms, p99Ms);
  }
  return total;
}

function describe(step: Step, opsPerSecond: number, p99Ms: number, failed: number): string {
  // What a narrow terminal cuts off is the scenario's name, at the end.
  return [
    step.place ??
      `round ${step.round}/${step.rounds}  ${String(step.index).padStart(String(step.total).length)}/${step.total}`,
    `${formatRate(opsPerSecond)} ops/s`,
    p99Ms === 0 ? 'p99 –' : `p99 ${formatMs(p99Ms)} ms`,
    `${failed} failed`,
    ...(step.secondsLeft === undefined ? [] : [`${formatDuration(step.secondsLeft)} left`]),
    step.scenario,
  ].join('  ');
}
