import type { Result } from '../../aggregate/result.ts';
import { toOneLine } from '../../aggregate/text/format.ts';
import { targetBanners } from '../../aggregate/text/target-words.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { onInterrupt } from '../interrupt.ts';
import { Progress } from '../live/progress.ts';
import { mayStartServer, type Options, type SessionOption } from '../options.ts';
import type { Target } from '../server/find-target.ts';
import { describeFoundTarget, findTarget, shownTarget } from '../server/find-target.ts';
import { printOutput } from '../terminal.ts';
import { createPartFolders, createResultsFolder, removeEmptyFolders } from './results/results-folder.ts';
import type { LoadThreads } from './threads.ts';

/** Options of every command that loads a server. */
export type SessionFlags = Options<SessionOption | 'url' | 'start'>;

/** Agents on which the threads of a session run, in the place of this process. */
export interface SessionAgents {
  /** As results have them. */
  readonly hosts: NonNullable<Result['hosts']>;
  /** Lets them reach a target. @returns the target as they see it */
  meet(target: Target): Promise<Target>;
  /** The threads of one run on them. */
  threads(scenarios: readonly Scenario[], targets: readonly Target[]): LoadThreads;
  end(): Promise<void>;
}

/**
 * Waits for agents. It rejects, with nothing left behind, if it is aborted.
 *
 * @param say is given what it waits for, as text
 */
export type Enlist = (say: (line: string) => void, signal: AbortSignal) => Promise<SessionAgents>;

interface SessionOptions {
  /** Part of the name of the results folder, which is made in the folder of `--out`. */
  readonly name: string;
  /** The results folder of an earlier command that is resumed. */
  readonly folder?: string | undefined;
  /** Folders that are made in the results folder. */
  readonly parts?: readonly string[];
  /** Is called when an interrupt ends the process before the load and the folder has results in it. */
  readonly onExit?: (folder: string) => void;
  /** How it comes to its agents; undefined: the load runs here. */
  readonly enlist?: Enlist | undefined;
}

/**
 * What all commands that load a server have: progress, an interrupt, a results folder, targets. It ends in the order
 * that leaves nothing behind: the terminal as it was, servers that were started stopped, no empty folder.
 */
export class Session {
  readonly startedAt = new Date();
  readonly progress: Progress;
  readonly #flags: SessionFlags;
  readonly #interrupt = new AbortController();
  readonly #forgetInterrupt: () => void;
  readonly #onExit: SessionOptions['onExit'];
  readonly #targets = new Set<Target>();
  /** The results folder, then its parts. */
  #folders: readonly string[] = [];
  #agents: SessionAgents | undefined;

  private constructor(progress: Progress, flags: SessionFlags, { onExit }: SessionOptions) {
    this.progress = progress;
    this.#flags = flags;
    this.#onExit = onExit;
    this.#forgetInterrupt = onInterrupt(
      () => this.#interrupt.abort(),
      line => progress.say(line),
    );
  }

  /**
   * Runs a command's work in a session of its own, which ends with it.
   *
   * @returns what the work resolves to: an exit code
   * @throws PoolbenchError USAGE, METRICS_NOT_SERVED, RESULTS_NOT_WRITABLE; as `work`
   */
  static async run(
    flags: SessionFlags,
    options: SessionOptions,
    work: (session: Session) => Promise<number>,
  ): Promise<number> {
    const session = new Session(await Progress.open(process.stderr, flags), flags, options);
    try {
      await session.#makeFolders(options);
      await session.#enlist(options);
      return session.interrupted ? 130 : await work(session);
    } finally {
      await session.progress.close();
      await session.#agents?.end();
      await Promise.allSettled([...session.#targets].map(target => target.stop()));
      removeEmptyFolders(session.#folders);
      session.#forgetInterrupt();
    }
  }

  /** Aborted when the user wants to stop. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Undefined: the load runs in this process. */
  get agents(): SessionAgents | undefined {
    return this.#agents;
  }

  get interrupted(): boolean {
    return this.signal.aborted;
  }

  /** Whether to load a database that holds keys of others, too. */
  get force(): boolean {
    return this.#flags.force === true;
  }

  /** Where the results go. */
  get folder(): string {
    return this.#folders[0] ?? '.';
  }

  /** The parts of the results folder, in the order of the options. */
  get parts(): readonly string[] {
    return this.#folders.slice(1);
  }

  /**
   * Finds the target of an experiment, or starts it, and describes it. It is stopped when the session ends. There is
   * nothing to keep yet, so an interrupt meanwhile ends the process.
   *
   * @param options.side its name, if there are several
   * @param options.isNamed whether a URL names the server, by default whether `--url` does: then none is started
   * @param options.onFreePort keeps a server that is started off the ports of the others' URLs
   * @throws PoolbenchError as `resolveTarget`
   */
  async openTarget(
    experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
    {
      side = '',
      onFreePort = false,
      ...named
    }: { readonly side?: string; readonly onFreePort?: boolean; readonly isNamed?: boolean } = {},
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
    const target = (await this.#untilInterrupted(Promise.resolve(this.#agents?.meet(found)))) ?? found;
    printBanners(target);
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

  /** Prints what was found on standard output, as JSON or rendered. JSON has no banners, so they are printed once more. */
  print(found: unknown, render: (colour: boolean) => string): void {
    const { json } = this.#flags;
    this.progress.say('');
    printOutput(found, { json, render });
    if (json) for (const target of this.#targets) printBanners(target);
  }

  async #enlist({ enlist }: SessionOptions): Promise<void> {
    try {
      this.#agents = await enlist?.(line => this.progress.say(line), this.signal);
    } catch (cause) {
      if (!this.interrupted) throw cause;
    }
  }

  async #makeFolders({ name, folder, parts = [] }: SessionOptions): Promise<void> {
    const own = folder ?? (await createResultsFolder(this.#flags.out ?? 'results', name, this.startedAt));
    this.#folders = [own];
    this.#folders = [own, ...(await createPartFolders(own, parts))];
  }

  /** Lets an interrupt end the process at once. What is being started or fetched is stopped as the process exits. */
  async #untilInterrupted<T>(work: Promise<T>): Promise<T> {
    const exit = () => {
      if (removeEmptyFolders(this.#folders)) this.#onExit?.(this.folder);
      void Promise.resolve(this.#agents?.end()).finally(() => process.exit(130));
    };
    this.signal.addEventListener('abort', exit);
    try {
      return await work;
    } finally {
      this.signal.removeEventListener('abort', exit);
    }
  }
}

/** Announces a stand-in, or a server that nobody has verified, on standard error, even with --quiet. */
export function printBanners(target: Result['target']): void {
  for (const banner of targetBanners({ target })) process.stderr.write(`${toOneLine(banner)}\n`);
}
