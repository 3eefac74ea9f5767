import type { Result, RoundResult } from '../../aggregate/result.ts';
import { styleIf } from '../../aggregate/text/text-layout.ts';
import { nowNs } from '../../pool/clock.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { LiveRun } from './live-run.ts';
import { PlainLog } from './plain-log.ts';
import { Metrics } from './prometheus/metrics.ts';
import { Screen } from './screen.ts';
import type { Outlet, RunSize, Step } from './snapshot.ts';
import { canRedraw, takesColour } from './terminal.ts';

/** Ten looks a second notice a failure soon, five paintings are as many as an eye can follow; both cost next to nothing. */
const lookMs = 100;
const looksPerPainting = 2;

export interface ProgressFlags {
  /** Nothing is said or shown. */
  readonly quiet?: boolean | undefined;
  /** Where metrics are served, as it was typed. */
  readonly prometheus?: string | undefined;
}

/** Follows a run and tells of it while it lasts: on a terminal or in a log, and to whoever scrapes its metrics. */
export class Progress {
  readonly #run = new LiveRun(nowNs);
  readonly #outlet: Outlet | undefined;
  #metrics: Metrics | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(outlet: Outlet | undefined) {
    this.#outlet = outlet;
  }

  /** @throws PoolbenchError USAGE, METRICS_NOT_SERVED */
  static async open(stream: NodeJS.WriteStream, { quiet, prometheus }: ProgressFlags): Promise<Progress> {
    const progress = new Progress(quiet ? undefined : outletFor(stream));
    if (prometheus !== undefined) {
      const metrics = await Metrics.open(prometheus, () => progress.#run.snapshot());
      progress.#metrics = metrics;
      progress.say(`Metrics: ${metrics.url}`);
    }
    return progress;
  }

  /** Text that stays. */
  say(text: string): void {
    this.#outlet?.say(text);
  }

  /** A target was found; `side` is empty where there is one alone. */
  meet(side: string, target: Result['target']): void {
    this.#metrics?.meet(side, target);
  }

  /** A run of so many measurements begins. */
  begin(size: RunSize): void {
    this.#run.begin(size);
  }

  /** Follows one measurement until `finished`. `onFailures` is told whenever there are more failed operations. */
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

  /** Ends what `follow` began. Without a result the measurement was stopped too early. */
  finished(step: Step, result: RoundResult | null): void {
    clearInterval(this.#timer);
    this.#run.finished(result);
    if (result === null) return;
    this.#metrics?.finished(step, result);
    this.#outlet?.finished(step, result);
  }

  /** Ends what `begin` began: nothing is shown any more but what was said. */
  end(): void {
    this.#outlet?.rest();
  }

  async close(): Promise<void> {
    this.end();
    await this.#metrics?.close();
  }
}

function outletFor(stream: NodeJS.WriteStream): Outlet {
  return canRedraw(stream) ? new Screen(stream, styleIf(takesColour(stream))) : new PlainLog(stream);
}
