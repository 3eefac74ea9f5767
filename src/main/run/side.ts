import { join } from 'node:path';
import type { Arm } from '../../aggregate/questions.ts';
import {
  derivedFiles,
  reportFile,
  resultFile,
  resultName,
} from '../../aggregate/report/files/result-files.ts';
import type { Result, RoundResult } from '../../aggregate/result.ts';
import { answeredElsewhere } from '../../aggregate/stats/accounting.ts';
import { loadsOf } from '../../aggregate/stats/populations.ts';
import { fixedRounds, type RoundsRange } from '../../aggregate/stats/sign-test.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { besideOf, type Population, populationsOf } from '../experiment/populations.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import type { WorkloadConfig } from '../experiment/workload.ts';
import { describeFiles } from '../experiment/workload-files.ts';
import type { Step } from '../live/snapshot.ts';
import { newConnectionName } from '../server/claim.ts';
import { shownTarget, type Target } from '../server/find-target.ts';
import { describeRemoval, type KeySpace, removeKeySpace } from '../server/key-space.ts';
import { findOtherServers, leave } from '../server/other-servers.ts';
import { shownAddress } from '../server/url.ts';
import { assembleResult, type Measured } from './assemble.ts';
import type { EarlierRun } from './earlier-run.ts';
import { type KeptClaims, removeLeftKeys } from './left-keys.ts';
import { LoadKeys } from './load-keys.ts';
import type { Bench } from './loads.ts';
import { runMeasurement } from './measurement.ts';
import { type LoadableSide, preflightSide } from './preflight-side.ts';
import type { Written } from './results/results-folder.ts';
import { ResultsWriter, stampOf } from './results/results-writer.ts';
import { ServerRecorder } from './server-recorder.ts';
import type { Session } from './session.ts';
import { TargetWatch } from './target-watch.ts';
import { warmUpThreads } from './thread-warmup.ts';
import { asUserError, type LoadThreads } from './threads.ts';

/** An experiment on its target. A run measures one side, or several in turn. */
export interface Side extends LoadableSide {
  readonly target: Target;
  /** The folder for its result.json and report.md; null: they are not written. */
  readonly folder: string | null;
}

/** The results of a side so far. */
export interface SideState {
  readonly result: Result;
  readonly written: Written;
  /** Caveats of its target and of the run. */
  readonly warnings: readonly string[];
}

/** What a side needs from the session. */
export type SideSession = Pick<Session, 'progress' | 'signal' | 'force'> & Partial<Pick<Session, 'agents'>>;

/** The state of a run whose results are saved. */
export interface SaveState {
  readonly complete: boolean;
  /** Whether no more rounds follow. */
  readonly final: boolean;
  /** Why it ended by itself. */
  readonly ended?: Result['ended'];
}

/** What the sides of a run share. */
interface SharedByAll {
  readonly session: SideSession;
  readonly threads: LoadThreads;
  readonly startedAt: Date;
  readonly plannedRounds: RoundsRange;
  /** The arms of each block of a single side; otherwise empty. */
  readonly blocks: readonly (readonly Arm[])[];
  /** The same on all sides of a run; undefined if there is only one side. */
  readonly sessionId: string | undefined;
  /** What the side already has, if it is resumed. */
  readonly earlier?: EarlierRun | undefined;
}

/** One side while it is measured: its keys on the target, its measurements so far, and its results folder. */
export class SideRun {
  readonly #side: Side;
  readonly #shared: SharedByAll;
  readonly #scenarios: Scenario[];
  readonly #rounds: Map<string, readonly RoundResult[]>;
  readonly #warnings: string[];
  readonly #watch: TargetWatch;
  readonly #recorder: ServerRecorder;
  /** Scenarios whose number of rounds became fixed at the first look. */
  unasked: ReadonlySet<string> = new Set();
  readonly #keys: LoadKeys;
  /** Each with its keys. */
  readonly #populations: readonly (Population & { readonly keys: LoadKeys })[];
  #files: Result['files'];
  #writer: ResultsWriter | undefined;
  /** Of the coordinator's connections; while the server has one, nobody removes this run's keys. */
  readonly #connectionName = newConnectionName();
  /** The claims of the same run's earlier commands, whose keys are still on the server. */
  #keptClaims: KeptClaims = [];

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
    this.#recorder = new ServerRecorder(side.target.control, {
      earlier: shared.earlier?.serverSeries,
      now: timeOfDay,
      show: point => shared.session.progress.served(shared.sessionId === undefined ? '' : side.name, point),
    });
    const { target, experiment } = side;
    const keysOf = (workload: WorkloadConfig) =>
      new LoadKeys({
        ...{ target, experiment, workload, signal: shared.session.signal },
        warn: line => this.#warn([line]),
      });
    this.#keys = keysOf(experiment.workload);
    this.#populations = populationsOf(experiment).map(population => ({
      ...population,
      keys: keysOf(population.workload),
    }));
  }

  /** The keys of all its loads. */
  get #allKeys(): LoadKeys[] {
    return [this.#keys, ...this.#populations.map(({ keys }) => keys)];
  }

  /**
   * @param all the sides of the run, this one among them
   * @throws PoolbenchError CLIENT_NOT_USABLE, TARGET_NOT_AVAILABLE, TARGET_TOO_SMALL, TARGET_IN_USE (also by the run
   * itself, if it has not ended), TARGET_LOST; CONFIG_INVALID for a file that cannot be read
   */
  async preflight(all: readonly Side[]): Promise<void> {
    const { target, folder } = this.#side;
    const { force, agents } = this.#shared.session;
    const beside = all.map(side => side.target.control).filter(control => control !== target.control);
    const options = { force, beside, elsewhere: agents !== undefined };
    this.#files = await describeFiles(this.#side.experiment);
    if (target.address.unnamed !== true) await target.control.setName(this.#connectionName);
    if (folder !== null) {
      const file = join(folder, resultName);
      this.#writer = new ResultsWriter(folder, this.#shared.earlier?.stamp ?? (await stampOf(file)));
      const { experiment } = this.#side;
      this.#keptClaims = await removeLeftKeys(
        { file, control: target.control },
        {
          experiment,
          own: this.#connectionName,
          say: line => this.#shared.session.progress.say(this.#named(line)),
          warn: line => this.#warn([line]),
        },
      );
    }
    this.#warn(await preflightSide(this.#side, target, options));
  }

  /** Claims a key prefix for each of its loads. @throws PoolbenchError TARGET_NOT_AVAILABLE, TARGET_LOST */
  async claim(): Promise<void> {
    for (const keys of this.#allKeys) await keys.claim();
  }

  /**
   * Writes the keys, warms up the threads, and begins to record the server's figures.
   *
   * @param plannedSeconds of the side's measurements; undefined if it is not known
   * @throws PoolbenchError TARGET_LOST, THREAD_FAILED
   */
  async prepare(plannedSeconds: number | undefined): Promise<void> {
    const { progress, signal } = this.#shared.session;
    for (const keys of this.#allKeys) await keys.write();
    const firstRound = 1 + (this.#shared.earlier?.finished.count ?? 0);
    const warmUp = { progress, signal, plannedSeconds, firstRound, named: (id: string) => this.#named(id) };
    await this.#withUserErrors(() => warmUpThreads(this.#bench, this.#scenarios, warmUp));
    await this.#recorder.start();
  }

  /**
   * Measures one scenario in one round; a scenario that is not in the experiment is added to the result. Null if it was
   * stopped before it had measured anything.
   *
   * @throws PoolbenchError TARGET_LOST, THREAD_FAILED
   */
  async measure(
    scenario: Scenario,
    step: Omit<Step, 'scenario' | 'threads' | 'populations' | 'warmupSeconds' | 'seconds'>,
  ): Promise<RoundResult | null> {
    const { progress, signal } = this.#shared.session;
    const { warmupSeconds, seconds } = this.#side.experiment;
    const populations = besideOf(scenario, this.#populations).map(({ name, scenario: { threads } }) => ({
      name,
      threads,
    }));
    for (const keys of this.#allKeys) await keys.keep(`round ${step.round} of ${scenario.id}`);
    const run = {
      step: {
        ...step,
        scenario: this.#named(scenario.id),
        threads: scenario.threads,
        ...(populations.length === 0 ? {} : { populations }),
        ...{ warmupSeconds, seconds },
      },
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

  /**
   * Ends the recording and removes the claimed keys. On a lost target they remain; their claim shows the next run whose
   * they are.
   */
  async removeKeys(): Promise<void> {
    await this.#recorder.stop();
    for (const keys of this.#allKeys) {
      const { space } = keys;
      if (space === undefined) continue;
      const removal = await keys.remove();
      // A server that refused the claim and every operation has no keys of this run, even if it cannot be asked.
      const isWritten =
        space.claimed || [...this.#rounds.values()].flat().some(({ completed }) => completed > 0);
      if (isWritten) this.#warn(describeRemoval(space, removal));
      if (removal !== undefined) await this.#removeKeysElsewhere(space);
    }
  }

  /** Connections of the load can have written keys to servers other than the coordinator's. */
  async #removeKeysElsewhere(space: KeySpace): Promise<void> {
    const { control } = this.#side.target;
    const where = `another server that answers at ${shownAddress(control.server)}`;
    const others = await findOtherServers(control);
    for (const other of others) {
      const removal = await removeKeySpace(other, space).catch(() => undefined);
      await leave(other);
      this.#warn(describeRemoval(space, removal, ` on ${where}`));
      if (removal === undefined || removal.removed === 0) continue;
      this.#warn([
        `${formatPlural(removal.removed, 'key')} under ${space.prefix} also had to be removed from ${where}`,
      ]);
    }
    if (others.length > 0 || ![...this.#rounds.values()].some(answeredElsewhere)) return;
    this.#warn([
      `the server at ${shownAddress(control.server)} counted fewer commands than were answered, so another server answered some of them, but no new connection reached that server: keys under ${space.prefix} may be left there; remove them, for example with redis-cli --scan --pattern '${space.prefix}*' | xargs redis-cli unlink`,
    ]);
  }

  /**
   * Writes the current results; the page and the files for other tools only at the end of the run. A full folder must
   * not end a run, because results can still be printed.
   */
  async save({ complete, final, ended }: SaveState): Promise<SideState> {
    const { name, experiment, target, clients } = this.#side;
    const rounds = [...this.#rounds.values()].flat();
    if (final) this.#warn(describeUnawaited(loadsOf({ id: name, rounds }).flatMap(load => load.rounds)));
    const result = assembleResult({
      name,
      session: this.#shared.sessionId,
      experiment,
      target,
      clients,
      files: this.#files,
      keyClaims: this.#keyClaims,
      ...this.#kept,
      blocks: this.#shared.blocks,
      hosts: this.#shared.session.agents?.hosts,
      startedAt: this.#shared.startedAt,
      resumed: this.#shared.earlier?.resumed,
      warnings: this.#warnings,
      complete,
      ended,
      final,
      serverSeries: this.#recorder.series,
    });
    const derived = final ? derivedFiles(result) : [reportFile(result)];
    const written: Written = (await this.#writer?.write([resultFile(result), ...derived])) ?? {
      paths: [],
      error: undefined,
    };
    if (written.error !== undefined && !complete) this.#warn([written.error.message]);
    return { result, written, warnings: [...target.notes, ...this.#warnings] };
  }

  get #keyClaims(): Result['keyClaims'] {
    const prefixes = [...this.#allKeys.flatMap(({ left }) => left ?? []), ...this.#keptClaims];
    return prefixes.length === 0 ? undefined : { connectionName: this.#connectionName, prefixes };
  }

  /** What is measured so far. */
  get measured(): Measured {
    return { ...this.#kept, target: shownTarget(this.#side.target) };
  }

  get #kept(): Omit<Measured, 'target'> {
    const rounds = this.#shared.plannedRounds;
    const fixed = fixedRounds(rounds.atLeast);
    return {
      scenarios: this.#scenarios,
      populations: this.#populations,
      plannedRounds: id => (this.unasked.has(id) ? fixed : rounds),
      rounds: this.#rounds,
    };
  }

  get #bench(): Bench {
    const { experiment, target, clients } = this.#side;
    const warn = (line: string) => this.#warn([line]);
    const shared = { target, clients, threads: this.#shared.threads, warn };
    const benchOf = (keys: LoadKeys, workload: WorkloadConfig): Bench => ({
      ...shared,
      experiment: { ...experiment, workload },
      claim: keys.claimed,
      data: keys.data,
    });
    return {
      ...benchOf(this.#keys, experiment.workload),
      populations: this.#populations.map(({ name, scenario, sharesThreads, workload, keys }) => ({
        ...{ name, scenario, sharesThreads },
        bench: benchOf(keys, workload),
      })),
    };
  }

  /** Shows and stores each line only once. */
  #warn(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#warnings.includes(line)) continue;
      this.#shared.session.progress.say(`warning: ${this.#named(line)}`);
      this.#warnings.push(line);
    }
  }

  /** Text with the name of the side, if there are several. */
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

/** A line for each step name that scripts did not await, which would otherwise go unnoticed. */
export function describeUnawaited(rounds: readonly Pick<RoundResult, 'script'>[]): string[] {
  const counts = new Map<string, number>();
  for (const [name, count] of rounds.flatMap(({ script }) => Object.entries(script?.unawaited ?? {})))
    counts.set(name, (counts.get(name) ?? 0) + count);
  return [...counts].map(
    ([name, count]) =>
      `step ${name} was still running when its session ended, ${formatPlural(count, 'time')}: is an await missing?`,
  );
}
