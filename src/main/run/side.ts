import { derivedFiles, reportFile, resultFile } from '../../aggregate/report/files/result-files.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import type { WorkloadTask } from '../../workers/contract.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import type { PlannedSide } from '../experiment/plan.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { workloadTask } from '../experiment/workload.ts';
import type { Step } from '../live/snapshot.ts';
import type { Target } from '../server/find-target.ts';
import { claimKeySpace, type KeySpace, prefill, removeKeySpace } from '../server/key-space.ts';
import { assembleResult } from './assemble.ts';
import type { EarlierRun } from './earlier-run.ts';
import { type Bench, runMeasurement } from './measurement.ts';
import { preflightSide } from './preflight-side.ts';
import { type Written, writeAsFarAsPossible } from './results/results-folder.ts';
import type { Session } from './session.ts';
import { TargetWatch } from './target-watch.ts';
import { warmUpThreads } from './thread-warmup.ts';
import { asUserError, type Threads } from './threads.ts';

/** An experiment on its target. A run measures one side, or several in turn. */
export interface Side extends PlannedSide {
  readonly target: Target;
  /** Where its result.json and report.md go. */
  readonly folder: string;
}

/** The results of a side so far. */
export interface SideState {
  readonly result: Result;
  readonly written: Written;
  /** Caveats of its target and of the run. */
  readonly warnings: readonly string[];
}

/** What a side needs of the session. */
export type SideSession = Pick<Session, 'progress' | 'signal' | 'force'>;

/** What the sides of a run share. */
interface SharedByAll {
  readonly session: SideSession;
  readonly threads: Threads;
  readonly startedAt: Date;
  /** Equal on all sides of a run; undefined if there is one side alone. */
  readonly sessionId: string | undefined;
  /** What the side already has, if it is resumed. */
  readonly earlier?: EarlierRun | undefined;
}

/** One side while it is measured: its keys on the target, what was measured so far, its results folder. */
export class SideRun {
  readonly #side: Side;
  readonly #shared: SharedByAll;
  readonly #scenarios: Scenario[];
  readonly #rounds: Map<string, readonly RoundResult[]>;
  readonly #warnings: string[];
  readonly #watch: TargetWatch;
  #space: KeySpace | undefined;

  constructor(side: Side, shared: SharedByAll) {
    this.#side = side;
    this.#shared = shared;
    this.#scenarios = [...side.scenarios];
    this.#rounds = new Map(shared.earlier?.finished.rounds);
    this.#warnings = [...(shared.earlier?.warnings ?? [])];
    this.#watch = new TargetWatch(side.target, {
      timeoutMs: side.experiment.timeoutMs,
      say: line => shared.session.progress.say(this.#named(line)),
    });
  }

  /** @throws PoolbenchError TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_LOST */
  async preflight(): Promise<void> {
    this.#warn(await preflightSide(this.#side, this.#side.target, this.#shared.session));
  }

  /** Takes a key prefix of its own. @throws PoolbenchError TARGET_NOT_AVAILABLE, TARGET_LOST */
  async claim(): Promise<void> {
    const { target, experiment } = this.#side;
    this.#space = await claimKeySpace(target.control, {
      seed: experiment.seed,
      keys: keyRanges(this.#workload).written,
    });
    this.#warn(this.#space.warnings);
  }

  /**
   * Writes the keys and warms up the threads.
   *
   * @param plannedSeconds of the side's measurements; undefined if it is not known
   * @throws PoolbenchError TARGET_LOST, THREAD_FAILED
   */
  async prepare(plannedSeconds: number | undefined): Promise<void> {
    const { target, experiment } = this.#side;
    const { progress, signal } = this.#shared.session;
    const data = { seed: experiment.seed, workload: this.#workload, signal };
    this.#warn(await prefill(target.control, this.#claimed, data));
    const warmUp = { progress, signal, plannedSeconds, named: (id: string) => this.#named(id) };
    await this.#withUserErrors(() => warmUpThreads(this.#bench, this.#scenarios, warmUp));
  }

  /**
   * Measures one scenario in one round; one that the experiment has not joins the others in the result. Null if it was
   * stopped before it had measured anything.
   *
   * @throws PoolbenchError TARGET_LOST, THREAD_FAILED
   */
  async measure(
    scenario: Scenario,
    step: Omit<Step, 'scenario' | 'threads' | 'warmupSeconds' | 'seconds'>,
  ): Promise<RoundResult | null> {
    const { progress, signal } = this.#shared.session;
    const { warmupSeconds, seconds } = this.#side.experiment;
    const { threads } = scenario;
    const run = {
      step: { ...step, scenario: this.#named(scenario.id), threads, warmupSeconds, seconds },
      watch: this.#watch,
      progress,
      signal,
    };
    const result = await this.#withUserErrors(() => runMeasurement(this.#bench, scenario, run));
    if (!this.#scenarios.some(({ id }) => id === scenario.id)) this.#scenarios.push(scenario);
    if (result !== null) this.#rounds.set(scenario.id, [...(this.#rounds.get(scenario.id) ?? []), result]);
    if (this.#watch.lost) throw this.#watch.error();
    await this.#watch.present(() => signal.aborted);
    return result;
  }

  /** Removes the keys it has claimed. A target that is lost keeps them; by the claim the next run knows whose they are. */
  async removeKeys(): Promise<void> {
    const space = this.#space;
    if (space === undefined) return;
    const removal = await removeKeySpace(this.#side.target.control, space).catch(() => ({
      left: space.keys,
      reason: 'the server does not answer',
    }));
    if (removal.left === 0) return;
    this.#warn([
      `${formatPlural(removal.left, 'key')} under ${space.prefix} could not be removed: ${removal.reason}`,
    ]);
  }

  /**
   * Writes what there is; the page and the files for other tools only once the run has ended, one way or another. A
   * folder that fills up must not end a run: what is measured can still be printed.
   */
  async save({ complete, final }: { complete: boolean; final: boolean }): Promise<SideState> {
    const { name, experiment, target, folder } = this.#side;
    const result = assembleResult({
      name,
      session: this.#shared.sessionId,
      experiment,
      target,
      scenarios: this.#scenarios,
      rounds: this.#rounds,
      startedAt: this.#shared.startedAt,
      resumed: this.#shared.earlier?.resumed,
      warnings: this.#warnings,
      complete,
    });
    const derived = final ? derivedFiles(result) : [reportFile(result)];
    const written = await writeAsFarAsPossible(folder, [resultFile(result), ...derived]);
    if (written.error !== undefined && !complete) this.#warn([written.error.message]);
    return { result, written, warnings: [...target.notes, ...this.#warnings] };
  }

  get #workload(): WorkloadTask {
    return workloadTask(this.#side.experiment.workload);
  }

  get #claimed(): KeySpace {
    if (this.#space === undefined) throw new Error('expected a side to claim its keys before it is measured');
    return this.#space;
  }

  get #bench(): Bench {
    const { experiment, target } = this.#side;
    const warn = (line: string) => this.#warn([line]);
    return { experiment, target, threads: this.#shared.threads, keyPrefix: this.#claimed.prefix, warn };
  }

  /** Shows and keeps each line once, however often it comes. */
  #warn(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#warnings.includes(line)) continue;
      this.#shared.session.progress.say(`warning: ${this.#named(line)}`);
      this.#warnings.push(line);
    }
  }

  /** Text with the name of the side, where there are several. */
  #named(text: string): string {
    return this.#shared.sessionId === undefined ? text : `${this.#side.name}: ${text}`;
  }

  async #withUserErrors<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw asUserError(cause, this.#side.target.address);
    }
  }
}
