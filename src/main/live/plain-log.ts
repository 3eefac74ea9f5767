import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/stats/metrics.ts';
import {
  formatCount,
  formatDuration,
  formatMs,
  formatPlural,
  formatRate,
  toPlainLines,
} from '../../aggregate/text/format.ts';
import type { Outlet, Step } from './snapshot.ts';
import { describeFailures, describePlace } from './view.ts';

/** A log with more lines than this is read by nobody: it gets one for each round. */
const maxLines = 400;

/** A run as a log of plain lines, for pipes, files and CI: one for each measurement, or each round where they are many. */
export class PlainLog implements Outlet {
  readonly #stream: NodeJS.WritableStream;
  /** Of the round so far. */
  #completed = 0;
  #failed = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  say(text: string): void {
    this.#stream.write(`${toPlainLines(text)}\n`);
  }

  show(): void {}

  finished(step: Step, result: RoundResult): void {
    if (step.rounds * step.total <= maxLines) {
      this.say(describeMeasurement(step, result));
      return;
    }
    this.#completed += result.completed;
    this.#failed += failedOf(result);
    if (step.index < step.total) return;
    this.say(describeRound(step, this.#completed, this.#failed));
    this.#completed = 0;
    this.#failed = 0;
  }

  rest(): void {}
}

/** "round 1/5   7/24  127k ops/s  p99 0.173 ms  0 failed  2 min 3 s left  wire-optimized-1pool-10workers". */
function describeMeasurement(step: Step, result: RoundResult): string {
  const { p99, count } = result.response;
  const failed = failedOf(result);
  const codes = failed === 0 ? '' : ` (${describeFailures(result.failed)})`;
  return [
    describePlace(step),
    `${formatRate(result.opsPerSecond)} ops/s`,
    count === 0 ? 'p99 –' : `p99 ${formatMs(p99)} ms`,
    `${formatCount(failed)} failed${codes}`,
    ...describeLeft(step),
    step.scenario,
  ].join('  ');
}

function describeRound(step: Step, completed: number, failed: number): string {
  return [
    `round ${step.round}/${step.rounds}`,
    `${formatPlural(step.total, 'measurement')}`,
    `${formatCount(completed)} operations`,
    `${formatCount(failed)} failed`,
    ...describeLeft(step),
  ].join('  ');
}

function describeLeft({ secondsLeft }: Step): string[] {
  return secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`];
}
