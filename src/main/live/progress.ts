import type { Result, RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/stats/metrics.ts';
import { loadsOfRound } from '../../aggregate/stats/populations.ts';
import type { ServerPoint } from '../../aggregate/stats/server-series.ts';
import { toPlainLines } from '../../aggregate/text/format.ts';
import { styleIf } from '../../aggregate/text/text-layout.ts';
import { nowNs } from '../../pool/clock.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { canRedraw, takesColour } from '../terminal.ts';
import { LiveRun } from './live-run.ts';
import { MetricsServer } from './metrics-server.ts';
import { OtlpPush } from './otlp-push.ts';
import { RunMetrics } from './run-metrics.ts';
import { Screen } from './screen.ts';
import type { Outlet, Step } from './snapshot.ts';
import { describeMeasurement, describeRound } from './view.ts';

/**
 * Ten looks a second detect failures quickly, and five repaints a second are easy to follow. Both cost almost nothing.
 */
const lookMs = 100;
const looksPerPainting = 2;

interface MetricsFlags {
  /** Where metrics are served, as it was typed. */
  readonly prometheus?: string | undefined;
  /** Where metrics are pushed to, likewise. */
  readonly otlp?: string | undefined;
}

/** Shows a run while it lasts: on a terminal, in a log or to a program, to Prometheus, and to a receiver of OTLP. */
export class Progress {
  readonly #run = new LiveRun(nowNs);
  readonly #outlet: Outlet | undefined;
  #metrics: RunMetrics | undefined;
  #server: MetricsServer | undefined;
  #push: OtlpPush | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(outlet: Outlet | undefined) {
    this.#outlet = outlet;
  }

  /**
   * @param outlet undefined: nothing is printed or shown, except a push that fails
   * @throws PoolbenchError USAGE, METRICS_NOT_SERVED
   */
  static async open(outlet: Outlet | undefined, { prometheus, otlp }: MetricsFlags = {}): Promise<Progress> {
    const progress = new Progress(outlet);
    if (prometheus === undefined && otlp === undefined) return progress;
    const metrics = new RunMetrics(() => progress.#run.snapshot());
    progress.#metrics = metrics;
    if (prometheus !== undefined) {
      progress.#server = await MetricsServer.open(prometheus, metrics);
      progress.say(`Metrics: ${progress.#server.url}`);
    }
    if (otlp !== undefined) {
      const log = outlet ?? new PlainLog(process.stderr);
      progress.#push = new OtlpPush(otlp, metrics, { warn: text => log.say(text) });
    }
    return progress;
  }

  /** Text that stays. */
  say(text: string): void {
    this.#outlet?.say(text);
  }

  /** A target was found; `side` is empty if the run has one side. */
  meet(side: string, target: Result['target']): void {
    this.#metrics?.meet(side, target);
  }

  /** The latest reply of a side's server; null if it did not answer. */
  served(side: string, point: ServerPoint | null): void {
    this.#metrics?.served(side, point);
  }

  /** A run begins. */
  begin(): void {
    this.#run.begin();
  }

  /** Follows one measurement until `finished`. Calls `onFailures` whenever there are more failed operations. */
  follow(step: Step, shared: SharedState, onFailures: () => void): void {
    this.#run.follow(step, shared);
    let looks = 0;
    let failed = 0;
    this.#timer = setInterval(() => {
      const now = this.#run.failed;
      if (now > failed) onFailures();
      failed = now;
      if (++looks % looksPerPainting > 0) return;
      this.#run.look();
      this.#outlet?.show(this.#run.snapshot());
    }, lookMs);
  }

  /** Ends what `follow` began; without a result if the measurement was stopped too early. */
  finished(step: Step, result: RoundResult | null): void {
    clearInterval(this.#timer);
    this.#run.finished(result);
    if (result === null) return;
    this.#metrics?.finished(step, result);
    this.#outlet?.finished(step, result);
  }

  /** Ends what `begin` began: only the printed text stays. */
  end(): void {
    this.#outlet?.end();
  }

  async close(): Promise<void> {
    this.end();
    await this.#server?.close();
    await this.#push?.close();
  }
}

/** A terminal that can be painted over, else a log. */
export function outletFor(stream: NodeJS.WriteStream): Outlet {
  return canRedraw(stream) ? new Screen(stream, styleIf(takesColour(stream))) : new PlainLog(stream);
}

/** A longer log has a line for each round instead of each measurement. */
const maxLogLines = 400;

/** A run as a log of plain lines, for pipes, files and CI: one for each measurement, or for each round of a large run. */
export class PlainLog implements Outlet {
  readonly #stream: NodeJS.WritableStream;
  /** Operations of the round so far, with those of populations. */
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
    if (step.rounds * step.total <= maxLogLines) {
      this.say(describeMeasurement(step, result));
      return;
    }
    for (const { round } of loadsOfRound(result)) {
      this.#completed += round.completed;
      this.#failed += failedOf(round);
    }
    if (step.index < step.total) return;
    this.say(describeRound(step, this.#completed, this.#failed));
    this.#completed = 0;
    this.#failed = 0;
  }

  end(): void {}
}
