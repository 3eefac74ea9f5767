import type { Result } from '../../aggregate/result.ts';
import { toOneLine, withoutControlCharacters } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { shownFolder } from '../command-words.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { onInterrupt, unlessAborted } from '../interrupt.ts';
import { outletFor, Progress } from '../live/progress.ts';
import type { Outlet } from '../live/snapshot.ts';
import { mayStartServer, type Options, type SessionOption } from '../options.ts';
import type { Target } from '../server/find-target.ts';
import { describeAlerts, describeFoundTarget, findTarget, shownTarget } from '../server/find-target.ts';
import { printOutput } from '../terminal.ts';
import { createPartFolders, createResultsFolder, removeEmptyFolders } from './results/results-folder.ts';
import type { LoadThreads } from './threads.ts';

/** Options of every command that loads a server. */
export type SessionFlags = Options<SessionOption | 'url' | 'start'>;

/**
 * A program that runs a session. Without it, the session belongs to a command, which prints and is interrupted by
 * signals.
 */
interface Caller {
  /** Where progress is shown; undefined: nowhere. */
  readonly outlet: Outlet | undefined;
  /** Is aborted to stop the session. */
  readonly signal: AbortSignal;
}

/** Agents that run the threads of a session instead of this process. */
export interface SessionAgents {
  /** The agents as in results, including those that took part before the run was resumed. */
  readonly hosts: NonNullable<Result['hosts']>;
  /** Lets the agents connect to a target. @returns the target as they see it */
  meet(target: Target): Promise<Target>;
  /** The threads of one run on them. @param before the agents that took part before the run was resumed */
  threads(scenarios: readonly Scenario[], targets: readonly Target[], before?: Result['hosts']): LoadThreads;
  end(): Promise<void>;
}

/**
 * Waits for agents. If aborted, it rejects and leaves nothing behind.
 *
 * @param say receives a text about what it waits for
 */
export type Enlist = (say: (line: string) => void, signal: AbortSignal) => Promise<SessionAgents>;

/** Settings from the command or program that runs a session. */
export interface SessionOptions {
  /** Part of the name of the results folder, which is created in the folder of `--out`. */
  readonly name: string;
  /** The results folder of the earlier command to resume; null: no files are written. */
  readonly folder?: string | null | undefined;
  readonly caller?: Caller | undefined;
  /** Folders to create in the results folder. */
  readonly parts?: readonly string[];
  /** Called when an interrupt ends the process before the load and the folder contains results. */
  readonly onExit?: (folder: string) => void;
  /** How it gets its agents; undefined: the load runs here. */
  readonly enlist?: Enlist | undefined;
}

/**
 * What all commands and programs that load a server share: progress, an interrupt, a results folder and targets. Its
 * end leaves nothing behind: the terminal is restored, started servers are stopped, and an empty folder is removed.
 */
export class Session {
  readonly startedAt = timeOfDay();
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  readonly #flags: SessionFlags;
  readonly #caller: Caller | undefined;
  readonly #forgetInterrupt: () => void;
  readonly #onExit: SessionOptions['onExit'];
  readonly #targets = new Set<Target>();
  /** The results folder, then its parts. */
  #folders: readonly string[] = [];
  #agents: SessionAgents | undefined;

  private constructor(progress: Progress, flags: SessionFlags, { caller, onExit }: SessionOptions) {
    this.progress = progress;
    this.#flags = flags;
    this.#caller = caller;
    this.#onExit = onExit;
    const interrupt = new AbortController();
    this.signal = caller?.signal ?? interrupt.signal;
    this.#forgetInterrupt =
      caller === undefined
        ? onInterrupt(
            () => interrupt.abort(),
            line => progress.say(line),
          )
        : () => {};
  }

  /**
   * Runs the work of a command or a program in its own session, which ends with the work.
   *
   * @returns the result of the work, such as an exit code
   * @throws PoolbenchError USAGE, METRICS_NOT_SERVED, RESULTS_NOT_WRITABLE; as `work`
   */
  static async run<T>(
    flags: SessionFlags,
    options: SessionOptions,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const ofCommand = () => (flags.quiet ? undefined : outletFor(process.stderr));
    const outlet = options.caller === undefined ? ofCommand() : options.caller.outlet;
    const session = new Session(await Progress.open(outlet, flags), flags, options);
    try {
      await session.#makeFolders(options);
      await session.#enlist(options);
      return await work(session);
    } finally {
      await session.progress.close();
      await session.#agents?.end();
      await Promise.allSettled([...session.#targets].map(target => target.stop()));
      removeEmptyFolders(session.#folders);
      session.#forgetInterrupt();
    }
  }

  /** Undefined: the load runs in this process. */
  get agents(): SessionAgents | undefined {
    return this.#agents;
  }

  get interrupted(): boolean {
    return this.signal.aborted;
  }

  /** Whether to load a database even if it holds keys of other programs. */
  get force(): boolean {
    return this.#flags.force === true;
  }

  /** Where the results go; null: no files are written. */
  get folder(): string | null {
    return this.#folders[0] ?? null;
  }

  /** The results folder of a session that writes files. @throws {Error} if the session writes no files */
  get resultsFolder(): string {
    if (this.folder === null) throw new Error('expected a session that writes files');
    return this.folder;
  }

  /** The parts of the results folder, in the order of the options. */
  get parts(): readonly string[] {
    return this.#folders.slice(1);
  }

  /**
   * Finds or starts the target of an experiment, and describes it. A started target is stopped when the session ends.
   * There are no results yet, so an interrupt ends the process of a command, or the wait of a program.
   *
   * @param options.side its name, if there are several
   * @param options.isNamed whether a URL names the server (by default whether `--url` does): then none is started
   * @param options.accept refuses a target before anything is printed about it
   * @param options.onFreePort starts a server on a free port, not on the ports of the other sides' URLs
   * @throws PoolbenchError as `resolveTarget` and `accept`; the reason of a program's signal
   */
  async openTarget(
    experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
    {
      side = '',
      onFreePort = false,
      accept,
      ...named
    }: {
      readonly side?: string;
      readonly onFreePort?: boolean;
      readonly isNamed?: boolean;
      readonly accept?: ((target: Target) => Promise<void>) | undefined;
    } = {},
  ): Promise<Target> {
    const say = (line: string) => this.progress.say(side === '' ? line : `${side}: ${line}`);
    const found = await this.#untilInterrupted(
      findTarget(experiment, {
        standInAllowed: this.#flags['no-stand-in'] !== true,
        mayStart: mayStartServer(this.#flags, named),
        onFreePort,
        say,
      }),
    );
    this.#targets.add(found);
    const agents = this.#agents;
    const target = agents === undefined ? found : await this.#untilInterrupted(agents.meet(found));
    await accept?.(target);
    for (const line of describeAlerts(target)) {
      // A command shows them even with --quiet.
      if (this.#caller === undefined) process.stderr.write(`${withoutControlCharacters(line)}\n`);
      else this.progress.say(line);
    }
    say(describeFoundTarget(target));
    this.progress.meet(side, shownTarget(target));
    return target;
  }

  /** Stops a target before the session ends. */
  async closeTarget({ control }: Target): Promise<void> {
    const found = [...this.#targets].find(target => target.control === control);
    if (found === undefined) return;
    this.#targets.delete(found);
    await found.stop();
  }

  /** Prints the results to standard output, as JSON or rendered. JSON has no banners, so they are printed again. */
  print(found: unknown, render: (colour: boolean) => string): void {
    const { json } = this.#flags;
    this.progress.say('');
    printOutput(found, { json, render });
    if (json) for (const target of this.#targets) printBanners(target);
  }

  /**
   * Prints where the results are to standard error, even with --quiet: the one line that scripts need.
   *
   * @param files their names, as text
   * @param page the one of them to look at
   */
  sayWritten(files: string, page?: string): void {
    const folder = shownFolder(this.resultsFolder);
    const line = `Written: ${folder}/${files}`;
    if (this.#flags.quiet) process.stderr.write(`${toOneLine(line)}\n`);
    else this.progress.say(`\n${page === undefined ? '' : `To view the report: ${folder}/${page}\n`}${line}`);
  }

  async #enlist({ enlist }: SessionOptions): Promise<void> {
    try {
      this.#agents = await enlist?.(line => this.progress.say(line), this.signal);
    } catch (cause) {
      if (!this.interrupted) throw cause;
      await this.#leave();
    }
  }

  async #makeFolders({ name, folder, parts = [] }: SessionOptions): Promise<void> {
    if (folder === null) return;
    const own = folder ?? (await createResultsFolder(this.#flags.out ?? 'results', name, this.startedAt));
    this.#folders = [own];
    this.#folders = [own, ...(await createPartFolders(own, parts))];
  }

  /**
   * Lets an interrupt end the process of a command at once. Servers and downloads in progress are stopped when the
   * process exits, or once they are up.
   */
  async #untilInterrupted(work: Promise<Target>): Promise<Target> {
    if (this.#caller !== undefined) return await unlessAborted(work, this.signal, late => late.stop());
    const exit = () => void this.#leave();
    this.signal.addEventListener('abort', exit);
    try {
      return await work;
    } finally {
      this.signal.removeEventListener('abort', exit);
    }
  }

  /** Ends the process of a command. */
  async #leave(): Promise<never> {
    if (removeEmptyFolders(this.#folders)) this.#onExit?.(this.resultsFolder);
    try {
      await this.#agents?.end();
    } finally {
      process.exit(130);
    }
  }
}

/** Announces a stand-in or an unverified server on standard error, even with --quiet. */
export function printBanners(target: Result['target']): void {
  for (const banner of targetBanners({ target })) process.stderr.write(`${toOneLine(banner)}\n`);
}
