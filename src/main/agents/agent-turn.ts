import { median } from '../../aggregate/stats/statistics.ts';
import { formatList } from '../../aggregate/text/format.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { PoolbenchError } from '../errors.ts';
import { addUp, type HostUse } from '../run/host-use.ts';
import { ConnectRefused, TurnVoided } from '../run/threads.ts';
import { maxGrowthSeconds, openWindow, type WindowStart } from '../run/window-start.ts';
import type { ControlClock } from './clock.ts';
import type { AgentMessage, CoordinatorMessage, Prepare } from './messages.ts';
import type { TurnOutcome } from './outcome.ts';
import type { Patience } from './patience.ts';
import type { Seated } from './seated.ts';
import { mirrorThreads } from './thread-reports.ts';

/** How often the stop flag of the run is looked at. */
const lookMs = 20;

/** What a turn needs of the agents of its session. */
export interface Coordinator {
  readonly seated: readonly Seated[];
  readonly patience: Patience;
  /** How often the connection to the control server was lost. */
  readonly cuts: number;
  /** The number of a new turn. `onOutcome` is called with how it ended on each agent. */
  beginTurn(onOutcome: (seat: number, outcome: TurnOutcome) => void): number;
  endTurn(turn: number): void;
  /** @returns what ends it */
  listen(listener: (message: AgentMessage) => void): () => void;
  /** @throws PoolbenchError AGENT_LOST, CONTROL_LOST */
  send(seat: number | 'all', message: CoordinatorMessage): Promise<void>;
  readClock(): Promise<ControlClock>;
  /**
   * Waits until the received messages meet a condition.
   *
   * @returns whether they do, after at most this time
   * @throws PoolbenchError AGENT_LOST, AGENT_REFUSED, CONTROL_LOST
   */
  until(isTrue: () => boolean, timeoutMs: number): Promise<boolean>;
  fail(code: 'AGENT_LOST', message: string): PoolbenchError;
}

/** What one agent does in a turn, and how far it is. */
export class TurnPart {
  readonly seat: number;
  readonly tasks: ThreadTask[] = [];
  /** The number of each task's thread there. */
  readonly placement: number[] = [];
  ready = false;
  /** Whether it does nothing, by its last message. */
  idle = false;
  /** Time that was left when it received the start, and the window. */
  goLeadMs: number | undefined;
  windowLeadMs: number | undefined;
  /** Of its clock. */
  boundMicros = 0;
  outcome: TurnOutcome | undefined;

  constructor(seat: number) {
    this.seat = seat;
  }
}

/** One attempt to run the tasks of a scenario on agents: prepare, go, window, samples. */
export class Turn {
  readonly #agents: Coordinator;
  readonly #parts: readonly TurnPart[];
  readonly #shared: SharedState;
  readonly #number: number;
  readonly #cuts: number;
  readonly #unlisten: () => void;
  #clock: ControlClock | undefined;
  #closed = false;

  /** @param shared mirrors what the threads of the agents share, with instants on the clock here */
  constructor(agents: Coordinator, parts: readonly TurnPart[], shared: SharedState) {
    this.#agents = agents;
    this.#parts = parts;
    this.#shared = shared;
    this.#cuts = agents.cuts;
    const bySeat = new Map(parts.map(part => [part.seat, part]));
    this.#number = agents.beginTurn((seat, outcome) => {
      const part = bySeat.get(seat);
      if (part !== undefined) part.outcome ??= outcome;
    });
    this.#unlisten = agents.listen(message => {
      const part = bySeat.get(message.seat);
      if (part !== undefined) this.#hear(part, message);
    });
  }

  /** Forgets the turn. Its late messages are ignored. */
  close(): void {
    this.#closed = true;
    this.#unlisten();
    this.#agents.endTurn(this.#number);
  }

  /**
   * Lets every agent connect and warm its pools.
   *
   * @param message the message to each agent, without the number of the turn
   * @returns the samples if the run was stopped meanwhile
   * @throws ConnectRefused, or any other failure of a thread; TurnVoided
   */
  async prepare(message: (part: TurnPart) => Omit<Prepare, 'turn'>): Promise<ThreadSample[] | undefined> {
    const isReady = () => this.#parts.every(({ ready }) => ready) || this.#isOver() || this.#isCut();
    const endMs = this.#latestMs(0);
    for (;;) {
      const waiting = this.#parts.filter(({ ready, outcome }) => !ready && outcome === undefined);
      await Promise.all(
        waiting.map(part => this.#agents.send(part.seat, { ...message(part), turn: this.#number })),
      );
      if (await this.#agents.until(isReady, this.#patience.answerMs)) break;
      if (performance.now() > endMs) throw this.#late(waiting, 'to connect to the target');
    }
    if (this.#isCut()) return await this.#voidCut();
    return this.#isOver() ? await this.#stopAll() : undefined;
  }

  /**
   * Starts all agents at one instant.
   *
   * @returns that instant, on the clock here, and the time that was left when the last agent received it. If it was too
   * late for one of them, it has ended on all, and has samples of those that began.
   * @throws TurnVoided; PoolbenchError AGENT_LOST, CONTROL_LOST
   */
  async go(
    leadMs: number,
  ): Promise<
    | { readonly releasedNs: number; readonly shortestLeadMs: number }
    | { readonly missed: readonly ThreadSample[] }
  > {
    const clock = await this.#agents.readClock();
    this.#clock = clock;
    const releasedNs = nowNs() + leadMs * 1e6;
    await this.#agents.send('all', { kind: 'go', turn: this.#number, at: clock.toControl(releasedNs) });
    const hasReceived = ({ goLeadMs, outcome }: TurnPart) => goLeadMs !== undefined || outcome !== undefined;
    const received = await this.#agents.until(
      () => this.#parts.every(hasReceived) || this.#isCut(),
      leadMs + this.#patience.answerMs,
    );
    if (this.#isCut()) return await this.#voidCut();
    const shortestLeadMs = Math.min(...this.#parts.map(({ goLeadMs = leadMs }) => goLeadMs));
    if (received && shortestLeadMs >= 0) return { releasedNs, shortestLeadMs };
    return { missed: await this.#stopAll() };
  }

  /**
   * Opens the measured window when all pools have grown, and waits for the samples.
   *
   * @returns the samples, in the order of the tasks
   * @throws ConnectRefused, or any other failure of a thread; TurnVoided, also if an agent received the window too late
   */
  async measure(
    releasedNs: number,
    leadMs: number,
    onWindow: (start: WindowStart) => void,
  ): Promise<ThreadSample[]> {
    const { warmupSeconds = 0, seconds = 0, timeoutMs = 0 } = this.#task ?? {};
    const threads = this.#parts.reduce((sum, { tasks }) => sum + tasks.length, 0);
    let dueMs = Number.POSITIVE_INFINITY;
    this.#shared.release(releasedNs);
    const opened = openWindow(
      this.#shared,
      { releasedNs, warmupSeconds, threads, leadNs: leadMs * 1e6 },
      () => this.#isOver() || this.#isCut(),
      window => {
        onWindow(window);
        // Without a warm-up it begins with the load.
        if (warmupSeconds === 0) return;
        dueMs = performance.now() + (window.startNs - nowNs()) / 1e6;
        void this.#sendWindow(window.startNs);
      },
    );
    const isMissed = () =>
      performance.now() > dueMs + this.#patience.answerMs &&
      this.#parts.some(({ windowLeadMs, outcome }) => windowLeadMs === undefined && outcome === undefined);
    const endMs = this.#latestMs((Math.max(warmupSeconds, maxGrowthSeconds) + seconds) * 1000 + timeoutMs);
    const isDone = () => this.#hasEnded() || this.#isOver() || this.#isCut() || isMissed();
    const untilDone = async () => {
      while (!(await this.#agents.until(isDone, lookMs)))
        if (performance.now() > endMs) throw this.#late(this.#running, 'to return its samples');
    };
    await Promise.all([opened, untilDone()]);
    // What has come is whole, whatever was lost since.
    if (this.#isCut() && !this.#hasEnded()) return await this.#voidCut();
    const missed = isMissed() || this.#parts.some(({ windowLeadMs = 0 }) => windowLeadMs < 0);
    const samples = await this.#stopAll();
    if (!missed) return samples;
    throw new TurnVoided(
      'START_MISSED',
      `expected the measured window to begin on all agents at once, but one received its start too late, although it was sent ${leadMs} ms ahead; use a control server nearer to the agents, or agents with more idle cores`,
    );
  }

  /** What its hosts used; undefined if one of them has measured nothing. */
  use(): HostUse | undefined {
    const used = this.#parts.flatMap(({ seat, tasks, outcome, goLeadMs = 0, boundMicros }) => {
      const agent = this.#agents.seated[seat];
      if (agent === undefined || outcome?.kind !== 'done' || outcome.cpu === null) return [];
      const { cpu, startLagMs } = outcome;
      const { clientCores, machineBusyShare } = cpu;
      const host = {
        ...{ name: agent.name, threads: tasks.length, cores: Math.max(0, clientCores), machineBusyShare },
        ...{ clockBoundMs: boundMicros / 1000, leadMs: goLeadMs, startLagMs },
      };
      return [{ cpu, host, roundTripMs: agent.roundTripMs }];
    });
    if (used.length < this.#parts.length) return undefined;
    const trips = used.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    return {
      cpu: addUp(used.map(({ cpu }) => cpu)),
      basePingMs: trips.length === 0 ? null : median(trips),
      hosts: used.map(({ host }) => host),
    };
  }

  #hear(part: TurnPart, message: AgentMessage): void {
    if (message.kind === 'here') part.idle = message.turn !== this.#number || message.phase === 'idle';
    if (!('turn' in message) || message.turn !== this.#number) return;
    if (message.kind === 'here') part.ready ||= message.phase === 'ready';
    else if (message.kind === 'acknowledged') {
      part.boundMicros = message.boundMicros;
      if (message.what === 'go') part.goLeadMs ??= message.leadMs;
      else part.windowLeadMs ??= message.leadMs;
    } else if (this.#clock !== undefined) mirrorThreads(message, part.tasks, this.#shared, this.#clock);
  }

  async #sendWindow(startNs: number): Promise<void> {
    if (this.#clock === undefined) return;
    const at = this.#clock.toControl(startNs);
    // Whoever waits for the samples meets the failure.
    await this.#agents.send('all', { kind: 'window', turn: this.#number, at }).catch(() => {});
  }

  get #patience(): Patience {
    return this.#agents.patience;
  }

  /** All tasks of a scenario have the same times. */
  get #task(): ThreadTask | undefined {
    return this.#parts[0]?.tasks[0];
  }

  get #running(): TurnPart[] {
    return this.#parts.filter(({ outcome }) => outcome === undefined);
  }

  #hasEnded(): boolean {
    return this.#running.length === 0;
  }

  #isOver(): boolean {
    const hasFailed = this.#parts.some(({ outcome }) => outcome?.kind === 'failed');
    return this.#closed || hasFailed || this.#shared.stopNs !== undefined;
  }

  /** Whether messages of this turn may be lost. */
  #isCut(): boolean {
    return this.#agents.cuts !== this.#cuts;
  }

  #latestMs(plannedMs: number): number {
    return performance.now() + plannedMs + this.#patience.graceMs + (this.#task?.timeoutMs ?? 0);
  }

  /** Ends it where it has not ended. @returns the samples @throws ConnectRefused, or any other failure of a thread */
  async #stopAll(): Promise<ThreadSample[]> {
    const endMs = this.#latestMs(0);
    while (!this.#hasEnded()) {
      await this.#agents.send('all', { kind: 'stop', turn: this.#number });
      if (await this.#agents.until(() => this.#hasEnded(), this.#patience.answerMs)) break;
      if (performance.now() > endMs) throw this.#late(this.#running, 'to return its samples');
    }
    for (const part of this.#parts) expectNoFailure(part, this.#nameOf(part));
    return this.#parts
      .flatMap(({ outcome }) => (outcome?.kind === 'done' ? outcome.samples : []))
      .toSorted((a, b) => a.thread - b.thread);
  }

  /** It is measured again as soon as the agents have ended it. */
  async #voidCut(): Promise<never> {
    for (const part of this.#parts) part.idle = false;
    const isIdle = () => this.#parts.every(({ idle }) => idle);
    const { controlMs, answerMs } = this.#patience;
    const endMs = performance.now() + controlMs;
    do await this.#agents.send('all', { kind: 'stop', turn: this.#number });
    while (!(await this.#agents.until(isIdle, answerMs)) && performance.now() < endMs);
    throw new TurnVoided(
      'CONTROL_LOST',
      'expected the connection to the control server to last for one measurement, but it was lost in every attempt; check the control server and the network',
    );
  }

  #late(parts: readonly TurnPart[], what: string): PoolbenchError {
    const names = formatList(parts.map(part => this.#nameOf(part)));
    return this.#agents.fail(
      'AGENT_LOST',
      `expected ${names} ${what}, but that was ${this.#patience.graceMs / 1000} s overdue; see the log of the agent`,
    );
  }

  #nameOf({ seat }: TurnPart): string {
    return this.#agents.seated[seat]?.name ?? `agent ${seat + 1}`;
  }
}

/** @throws ConnectRefused, or an error with the message of a thread's failure */
function expectNoFailure({ outcome }: TurnPart, name: string): void {
  if (outcome?.kind !== 'failed') return;
  const { why, message } = outcome;
  const text = `${name}: ${message}`;
  if (why === 'connect') throw new ConnectRefused(text);
  if (why === 'thread')
    throw new PoolbenchError(
      'THREAD_FAILED',
      `expected every thread to respond until the end of the measurement, but ${text}`,
    );
  throw new Error(text);
}
