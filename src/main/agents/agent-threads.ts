import { median } from '../../aggregate/stats/statistics.ts';
import { formatList } from '../../aggregate/text/format.ts';
import type { Address } from '../../pool/client/address.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { progressFields, type SharedState, type ThreadProgress } from '../../workers/shared-state.ts';
import { PoolbenchError } from '../errors.ts';
import { addUp, type HostUse } from '../run/host-use.ts';
import { ConnectRefused, type LoadThreads, type ThreadHosts, TurnVoided } from '../run/threads.ts';
import { maxGrowthSeconds, openWindow, type WindowStart } from '../run/window-start.ts';
import type { ControlClock } from './clock.ts';
import type { AgentTask, Down, HostInfo, Subject, TurnOutcome, Up } from './messages.ts';
import { withoutLogin } from './rules.ts';

/** Time from saying when to start to that instant. It grows where that is too short. */
const minLeadMs = 30;
/** A start that was heard with less left than this was nearly missed. */
const comfortableLeadMs = 10;
const maxStarts = 4;
/** How long after the instant the agents' word is awaited that they have heard of it. */
const hearingMs = 2000;
const repeatMs = 2000;
/** Beyond what is planned. */
const graceMs = 60_000;
/** How long agents may take to end a turn after the connection to the control server was lost. */
const cutPatienceMs = 20_000;
/** How often the stop flag of the run is looked at. */
const lookMs = 20;

/** An agent as the coordinator sees it. */
export interface Seated {
  readonly seat: number;
  host: HostInfo | undefined;
  /** Unique in the run. */
  name: string;
  /** When it was last heard of, and since when no message has reached it, on the clock of `performance.now`. */
  heardAtMs: number;
  unreachedSinceMs: number | undefined;
  roundTripMs: number | null;
}

/** What a turn needs of the agents of its session. */
export interface Coordinator {
  readonly seated: readonly Seated[];
  readonly cuts: number;
  beginTurn(onOutcome: (seat: number, outcome: TurnOutcome) => void): number;
  endTurn(turn: number): void;
  listen(listener: (message: Up) => void): () => void;
  send(seat: number | 'all', message: Down): Promise<void>;
  readClock(): Promise<ControlClock>;
  until(isTrue: () => boolean, timeoutMs: number): Promise<boolean>;
  fail(code: 'AGENT_LOST', message: string): PoolbenchError;
}

/** What one agent does in a turn. */
interface Part {
  readonly seat: number;
  readonly tasks: readonly ThreadTask[];
  /** The number of each task's thread there. */
  readonly placement: readonly number[];
}

/** Where a part of a turn stands. */
interface PartState {
  ready: boolean;
  /** Whether it does nothing, as it last said. */
  idle: boolean;
  /** Time that was left when it heard of the start, and of the window. */
  goLeadMs: number | undefined;
  windowLeadMs: number | undefined;
  outcome: TurnOutcome | undefined;
}

/**
 * The threads of a run on agents, each of which has as many. They are numbered agent by agent. The coordinator's shared
 * memory mirrors theirs, with instants on its own clock, so that a run is shown and its windows begin as if they were here.
 */
export class AgentThreads implements LoadThreads, ThreadHosts {
  readonly #agents: Coordinator;
  readonly #perAgent: number;
  readonly #pool: number;
  readonly #subjects: ReadonlyMap<Address, Subject>;
  #goLeadMs = minLeadMs;
  #windowLeadMs = minLeadMs;
  #used: HostUse | undefined;

  /**
   * @param options.pool differs from those of other runs of the session: agents start new threads for it
   * @param options.subjects where the load goes, by the address of the target
   */
  constructor(
    agents: Coordinator,
    {
      perAgent,
      pool,
      subjects,
    }: { perAgent: number; pool: number; subjects: ReadonlyMap<Address, Subject> },
  ) {
    this.#agents = agents;
    this.#perAgent = perAgent;
    this.#pool = pool;
    this.#subjects = subjects;
  }

  get size(): number {
    return this.#perAgent * this.#agents.seated.length;
  }

  get hosts(): ThreadHosts {
    return this;
  }

  /**
   * A part of a scenario lands on the same agent in every round, so that arms which are paired share their hosts; on it,
   * parts take turns on the threads. A scenario on some of the agents takes turns on those.
   */
  place(round: number, parts: number, hosts: number): number[] {
    const agents = this.#agents.seated.length;
    const spread = hosts === 0 ? agents : hosts;
    const first = spread === agents ? 0 : round % agents;
    return Array.from({ length: parts }, (_, part) => {
      const agent = (first + (part % spread)) % agents;
      return agent * this.#perAgent + ((Math.floor(part / spread) + round) % this.#perAgent);
    });
  }

  used(): HostUse {
    if (this.#used === undefined) throw new Error('expected a turn before its figures are asked for');
    return this.#used;
  }

  /**
   * As `Threads.run`. A turn whose start an agent heard too late is begun anew, with more time.
   *
   * @throws ConnectRefused, or whatever else a thread failed with; TurnVoided; PoolbenchError START_MISSED, AGENT_LOST,
   *   AGENT_REFUSED, CONTROL_LOST
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
    placement: readonly number[] = tasks.map((_, index) => index),
  ): Promise<ThreadSample[]> {
    const parts = this.#partsOf(tasks, placement);
    for (let start = 1; ; start++) {
      const samples = await this.#turn(parts, shared, onWindow);
      if (samples !== undefined) return samples;
      if (start === maxStarts)
        throw new PoolbenchError(
          'START_MISSED',
          `expected all agents to start together, but one heard of the start too late ${maxStarts} times, at last with ${this.#goLeadMs} ms to go; use a control server nearer to the agents, or agents with more idle cores`,
        );
      this.#goLeadMs *= 2;
    }
  }

  async close(): Promise<void> {
    // They belong to the agents, which end them when the next run begins or the session ends.
  }

  #partsOf(tasks: readonly ThreadTask[], placement: readonly number[]): Part[] {
    const bySeat = new Map<number, { tasks: ThreadTask[]; placement: number[] }>();
    for (const [index, task] of tasks.entries()) {
      const thread = placement[index] ?? index;
      const seat = Math.floor(thread / this.#perAgent);
      const part = bySeat.get(seat) ?? { tasks: [], placement: [] };
      part.tasks.push(task);
      part.placement.push(thread % this.#perAgent);
      bySeat.set(seat, part);
    }
    return [...bySeat].map(([seat, part]) => ({ seat, ...part }));
  }

  /** Undefined if an agent heard of the start too late. */
  async #turn(
    parts: readonly Part[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
  ): Promise<ThreadSample[] | undefined> {
    const agents = this.#agents;
    const { cuts } = agents;
    const states = new Map<number, PartState>(
      parts.map(({ seat }) => [
        seat,
        { ready: false, idle: false, goLeadMs: undefined, windowLeadMs: undefined, outcome: undefined },
      ]),
    );
    const all = (isTrue: (state: PartState) => boolean) => [...states.values()].every(isTrue);
    const some = (isTrue: (state: PartState) => boolean) => [...states.values()].some(isTrue);
    const turn = agents.beginTurn((seat, outcome) => {
      const state = states.get(seat);
      if (state !== undefined) state.outcome ??= outcome;
    });
    let clock: ControlClock | undefined;
    const boundMicros = new Map<number, number>();
    const unlisten = agents.listen(message => {
      const state = states.get(message.seat);
      const part = parts.find(({ seat }) => seat === message.seat);
      if (state === undefined || part === undefined || !('turn' in message)) return;
      if (message.kind === 'here') state.idle = message.turn !== turn || message.phase === 'idle';
      if (message.turn !== turn) return;
      if (message.kind === 'here') state.ready ||= message.phase === 'ready';
      else if (message.kind === 'heard') {
        if (message.what === 'go') state.goLeadMs ??= message.leadMs;
        else state.windowLeadMs ??= message.leadMs;
        boundMicros.set(message.seat, message.boundMicros);
      } else if (clock !== undefined) mirror(message, part, shared, clock);
    });
    let left = false;
    const isOver = () =>
      left || shared.stopNs !== undefined || some(({ outcome }) => outcome?.kind === 'failed');
    const stop = () => this.#stop(turn, states, parts);
    const isCut = () => agents.cuts !== cuts;
    try {
      await this.#prepare(turn, parts, states, () => isOver() || isCut());
      if (isCut()) return await this.#cut(turn, states);
      if (isOver()) {
        await stop();
        expectNoFailure(states, agents.seated);
        return samplesOf(states);
      }

      const now = await agents.readClock();
      clock = now;
      const releasedNs = nowNs() + this.#goLeadMs * 1e6;
      await agents.send('all', { kind: 'go', turn, at: now.toControl(releasedNs) });
      const heard = await agents.until(
        () => all(({ goLeadMs, outcome }) => goLeadMs !== undefined || outcome !== undefined) || isCut(),
        this.#goLeadMs + hearingMs,
      );
      if (isCut()) return await this.#cut(turn, states);
      if (!heard || some(({ goLeadMs = 0 }) => goLeadMs < 0)) {
        await stop();
        expectNoFailure(states, agents.seated);
        return undefined;
      }
      if (some(({ goLeadMs = 0 }) => goLeadMs < comfortableLeadMs)) this.#goLeadMs += comfortableLeadMs;

      const [first] = parts.flatMap(({ tasks }) => tasks);
      const { warmupSeconds = 0, seconds = 0, timeoutMs = 0 } = first ?? {};
      const threads = parts.reduce((sum, { tasks }) => sum + tasks.length, 0);
      shared.release(releasedNs);
      let windowDueMs = Number.POSITIVE_INFINITY;
      const opened = openWindow(
        shared,
        { releasedNs, warmupSeconds, threads, leadNs: this.#windowLeadMs * 1e6 },
        () => isOver() || isCut(),
        window => {
          onWindow(window);
          if (warmupSeconds === 0) return;
          windowDueMs = performance.now() + (window.startNs - nowNs()) / 1e6;
          void agents
            .send('all', { kind: 'window', turn, at: now.toControl(window.startNs) })
            // Whoever waits for the turn meets the failure.
            .catch(() => {});
        },
      );
      /** Whether an agent does not know when its window begins. */
      const isMissed = () =>
        performance.now() > windowDueMs + hearingMs &&
        some(({ windowLeadMs, outcome }) => windowLeadMs === undefined && outcome === undefined);
      const hasEnded = () => all(({ outcome }) => outcome !== undefined);
      const plannedMs = (Math.max(warmupSeconds, maxGrowthSeconds) + seconds) * 1000 + timeoutMs;
      const endMs = performance.now() + plannedMs + graceMs;
      const isDone = () => hasEnded() || isOver() || isCut() || isMissed();
      const untilDone = async () => {
        while (!(await agents.until(isDone, lookMs)))
          if (performance.now() > endMs) throw this.#notEnded(states, parts);
      };
      await Promise.all([opened, untilDone()]);
      // What has come is whole.
      if (isCut() && !hasEnded()) return await this.#cut(turn, states);
      const missed = isMissed();
      if (!hasEnded()) await stop();
      expectNoFailure(states, agents.seated);
      if (missed || some(({ windowLeadMs = 0 }) => windowLeadMs < 0)) {
        this.#windowLeadMs *= 2;
        throw new TurnVoided(
          'START_MISSED',
          `expected the measured window to begin on all agents at once, but one heard of it too late, at last with ${this.#windowLeadMs / 2} ms to go; use a control server nearer to the agents, or agents with more idle cores`,
        );
      }
      this.#used = this.#useOf(states, parts, boundMicros);
      return samplesOf(states);
    } finally {
      left = true;
      unlisten();
      agents.endTurn(turn);
    }
  }

  async #prepare(
    turn: number,
    parts: readonly Part[],
    states: ReadonlyMap<number, PartState>,
    isOver: () => boolean,
  ): Promise<void> {
    const agents = this.#agents;
    const isReady = () => [...states.values()].every(({ ready }) => ready) || isOver();
    const endMs = performance.now() + graceMs + (parts[0]?.tasks[0]?.timeoutMs ?? 0);
    while (performance.now() < endMs) {
      const waiting = parts.filter(({ seat }) => {
        const state = states.get(seat);
        return state !== undefined && !state.ready && state.outcome === undefined;
      });
      await Promise.all(waiting.map(part => agents.send(part.seat, this.#prepareMessage(turn, part))));
      if (await agents.until(isReady, repeatMs)) return;
    }
    const late = parts.filter(({ seat }) => states.get(seat)?.ready !== true);
    throw agents.fail(
      'AGENT_LOST',
      `expected ${formatList(this.#namesOf(late))} to connect to the target, but it was not ready after ${graceMs / 1000} s; see its log`,
    );
  }

  #prepareMessage(turn: number, { tasks, placement }: Part): Down {
    const [first] = tasks;
    const subject = first && this.#subjects.get(first.address);
    if (first === undefined || subject === undefined)
      throw new Error('expected the load to go to a target that the agents have met');
    return {
      ...{ kind: 'prepare', turn, pool: this.#pool, threads: this.#perAgent },
      subject: withoutLogin(subject),
      workload: first.workload,
      tasks: tasks.map(({ shared: _, address: __, cluster: ___, workload: ____, ...task }): AgentTask => task),
      placement,
    };
  }

  /** Ends it on every agent, and waits for that. */
  async #stop(
    turn: number,
    states: ReadonlyMap<number, PartState>,
    parts: readonly Part[],
  ): Promise<void> {
    const hasEnded = () => [...states.values()].every(({ outcome }) => outcome !== undefined);
    const endMs = performance.now() + graceMs + (parts[0]?.tasks[0]?.timeoutMs ?? 0);
    do await this.#agents.send('all', { kind: 'stop', turn });
    while (!(await this.#agents.until(hasEnded, repeatMs)) && performance.now() < endMs);
    if (!hasEnded()) throw this.#notEnded(states, parts);
  }

  #notEnded(states: ReadonlyMap<number, PartState>, parts: readonly Part[]): PoolbenchError {
    const late = parts.filter(({ seat }) => states.get(seat)?.outcome === undefined);
    return this.#agents.fail(
      'AGENT_LOST',
      `expected the samples of ${formatList(this.#namesOf(late))}, but they had not come ${graceMs / 1000} s after the end of the measurement; see its log`,
    );
  }

  #namesOf(parts: readonly Part[]): string[] {
    return parts.map(({ seat }) => this.#agents.seated[seat]?.name ?? `agent ${seat + 1}`);
  }

  /** Messages of this turn may be lost, so it is measured anew, as soon as the agents have ended it. */
  async #cut(turn: number, states: ReadonlyMap<number, PartState>): Promise<never> {
    const agents = this.#agents;
    for (const state of states.values()) state.idle = false;
    const isIdle = () => [...states.values()].every(({ idle }) => idle);
    const endMs = performance.now() + cutPatienceMs;
    do await agents.send('all', { kind: 'stop', turn });
    while (!(await agents.until(isIdle, repeatMs)) && performance.now() < endMs);
    throw new TurnVoided(
      'CONTROL_LOST',
      'expected the control server to stay connected for the time of a measurement, but the connection was lost in each attempt of one',
    );
  }

  #useOf(
    states: ReadonlyMap<number, PartState>,
    parts: readonly Part[],
    boundMicros: ReadonlyMap<number, number>,
  ): HostUse | undefined {
    const used = parts.flatMap(({ seat, tasks }) => {
      const agent = this.#agents.seated[seat];
      const { outcome, goLeadMs = 0 } = states.get(seat) ?? {};
      if (agent === undefined || outcome?.kind !== 'done' || outcome.cpu === null) return [];
      const { cpu } = outcome;
      const { clientCores, machineBusyShare } = cpu;
      const host = {
        ...{ name: agent.name, threads: tasks.length, cores: Math.max(0, clientCores), machineBusyShare },
        ...{ clockBoundMs: (boundMicros.get(seat) ?? 0) / 1000, leadMs: goLeadMs },
      };
      return [{ cpu, host, roundTripMs: agent.roundTripMs }];
    });
    if (used.length < parts.length) return undefined;
    const trips = used.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    return {
      cpu: addUp(used.map(({ cpu }) => cpu)),
      basePingMs: trips.length === 0 ? null : median(trips),
      hosts: used.map(({ host }) => host),
    };
  }
}

/** @throws ConnectRefused, or an error with the message of whatever else a thread failed with */
function expectNoFailure(states: ReadonlyMap<number, PartState>, seated: readonly Seated[]): void {
  for (const [seat, { outcome }] of states) {
    if (outcome?.kind !== 'failed') continue;
    const { why, message } = outcome;
    const text = `${seated[seat]?.name ?? 'an agent'}: ${message}`;
    if (why === 'connect') throw new ConnectRefused(text);
    if (why === 'thread')
      throw new PoolbenchError('THREAD_FAILED', `expected every thread to respond until its end, but ${text}`);
    throw new Error(text);
  }
}

/** In the order of the tasks. */
function samplesOf(states: ReadonlyMap<number, PartState>): ThreadSample[] {
  return [...states.values()]
    .flatMap(({ outcome }) => (outcome?.kind === 'done' ? outcome.samples : []))
    .toSorted((a, b) => a.thread - b.thread);
}

/** Writes what an agent reports into the coordinator's shared memory, with instants on the clock here. */
function mirror(message: Up, { tasks }: Part, shared: SharedState, clock: ControlClock): void {
  const local = (micros: number) => (micros === 0 ? 0 : clock.toLocal(micros));
  if (message.kind === 'growth') {
    for (const [index, [looked, allConnected, grown]] of message.threads.entries()) {
      const thread = tasks[index]?.thread;
      if (thread === undefined) continue;
      shared.publishGrowth(thread, { lookedNs: local(looked), allConnected, grownNs: local(grown) });
    }
  }
  if (message.kind === 'progress') {
    for (const [index, figures] of message.threads.entries()) {
      const thread = tasks[index]?.thread;
      if (thread === undefined) continue;
      const values = progressFields.map((field, place) => [field, figures[place] ?? Number.NaN]);
      const progress = Object.fromEntries(values) as Record<keyof ThreadProgress, number>;
      shared.publish(thread, { ...progress, atNs: local(progress.atNs) });
      shared.publishFailures(thread, message.failures[index] ?? {});
    }
  }
}
