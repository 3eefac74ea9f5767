import { randomUUID } from 'node:crypto';
import type { HostResult } from '../../aggregate/result.ts';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import { describeTool } from '../environment.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import { serverCount } from '../run/server-figures.ts';
import type { SessionAgents } from '../run/session.ts';
import type { LoadThreads } from '../run/threads.ts';
import { withTimeout } from '../server/control.ts';
import type { Target } from '../server/find-target.ts';
import { AgentThreads } from './agent-threads.ts';
import type { Coordinator, Seated } from './agent-turn.ts';
import { Worker } from './bullmq.ts';
import type { ControlClock } from './clock.ts';
import { ControlLink } from './control-link.ts';
import { type KnownAgent, listAgents, lobbyName, lockMs, removeQueue, Seats } from './lobby.ts';
import {
  type AgentMessage,
  backQueue,
  type CoordinatorMessage,
  channels,
  prefix,
  readAgentMessage,
  readBackJob,
  type Subject,
} from './messages.ts';
import { type TurnOutcome, unpackOutcome } from './outcome.ts';
import { type Patience, usualPatience } from './patience.ts';
import { withoutLogin } from './rules.ts';

type Met = Extract<AgentMessage, { kind: 'met' }>;

/** What a session wants of the agents. */
interface Wanted {
  readonly url: string;
  readonly agents: number;
  readonly group: string;
  readonly waitMs: number;
  /** The name of the run, for whoever looks. */
  readonly name: string;
  readonly say: (line: string) => void;
  /** Aborted when nobody waits for them any more. */
  readonly signal: AbortSignal;
}

/** The agents of a session: enlisted in one step, held until it ends. */
export class Agents implements SessionAgents, Coordinator {
  readonly seated: readonly Seated[];
  readonly patience: Patience;
  readonly #link: ControlLink;
  readonly #run = randomUUID();
  readonly #listeners = new Set<(message: AgentMessage) => void>();
  readonly #onOutcome = new Map<number, (seat: number, outcome: TurnOutcome) => void>();
  /** Called whenever a message came. */
  #waiting: (() => void)[] = [];
  #failure: PoolbenchError | undefined;
  #seats: Seats | undefined;
  #workers: Worker[] = [];
  #ticker: NodeJS.Timeout | undefined;
  #answeredAtMs = performance.now();
  #turns = 0;
  #pools = 0;
  #threads = 0;
  #ended = false;

  private constructor(link: ControlLink, agents: number, patience: Patience) {
    this.#link = link;
    this.patience = patience;
    this.seated = Array.from({ length: agents }, (_, seat) => ({
      seat,
      host: undefined,
      name: `agent ${seat + 1}`,
      lastMessageMs: performance.now(),
      unreachedSinceMs: undefined,
      roundTripMs: null,
    }));
  }

  /**
   * Waits until so many agents have taken their seats.
   *
   * @throws PoolbenchError CONTROL_UNREACHABLE, AGENTS_MISSING, USAGE
   */
  static async enlist(wanted: Wanted, patience = usualPatience): Promise<Agents> {
    const link = await ControlLink.open(wanted.url, patience);
    const agents = new Agents(link, wanted.agents, patience);
    const abort = () => agents.fail('AGENT_LOST', 'the run was interrupted while it waited for its agents');
    wanted.signal.addEventListener('abort', abort);
    try {
      await agents.#enlist(wanted);
      return agents;
    } catch (cause) {
      await agents.end();
      throw cause;
    } finally {
      wanted.signal.removeEventListener('abort', abort);
    }
  }

  async #enlist({ agents, group, waitMs, name, say }: Wanted): Promise<void> {
    const link = this.#link;
    const run = this.#run;
    const { version } = describeTool();
    const lobby = lobbyName(group, version);
    await link.subscribe(channels.fromAll(run), text => this.#hear(text));
    this.#startWorkers(lobby);
    this.#seats = await Seats.enlist(
      link,
      lobby,
      this.seated.map(({ seat }) => ({ run, seat, seats: agents, name })),
    );
    this.#ticker = setInterval(() => void this.#tick(), this.patience.heartbeatMs);
    say(`Waiting up to ${waitMs / 1000} s for ${formatPlural(agents, 'agent')} at ${link.where}`);
    const isFull = await this.until(() => this.seated.every(({ host }) => host !== undefined), waitMs);
    if (!isFull) throw await this.#missing(group, version, waitMs);
    this.#nameSeated();
    say(`Agents: ${formatList(this.seated.map(({ name, host }) => `${name} (${host?.cores} cores)`))}\n`);
  }

  async #missing(group: string, version: string, waitMs: number): Promise<PoolbenchError> {
    const here = this.seated.filter(({ host }) => host !== undefined).length;
    const known = await listAgents(this.#link).catch(() => []);
    const others = known.filter(agent => agent.group !== group || agent.version !== version);
    const busy = known.filter(agent => !others.includes(agent) && agent.busy !== null).length - here;
    const also = [
      ...(busy > 0 ? [`${formatPlural(busy, 'agent')} of this group and version in other runs`] : []),
      ...others.map(describeOther),
    ];
    return new PoolbenchError(
      'AGENTS_MISSING',
      `expected ${formatPlural(this.seated.length, 'agent')} of group ${group} and version ${version} at ${this.#link.where}, found ${here === 0 ? 'none' : here} within ${waitMs / 1000} s` +
        `${also.length === 0 ? '' : `; also there: ${formatList(also)}`}; start more agents (poolbench agent --control URL --allow-target HOST:PORT), or wait longer (--agents-wait)`,
    );
  }

  /** Two agents can be named alike, as on one host. */
  #nameSeated(): void {
    const taken = new Map<string, number>();
    for (const each of this.seated) {
      const name = each.host?.name ?? each.name;
      const times = (taken.get(name) ?? 0) + 1;
      taken.set(name, times);
      each.name = times === 1 ? name : `${name} (${times})`;
    }
  }

  #startWorkers(lobby: string): void {
    const connection = this.#link.redis;
    // Seats of agents that died are taken back by whoever looks: BullMQ frees them only while some worker does.
    const checker = new Worker(lobby, null, {
      ...{ connection, prefix, autorun: false, lockDuration: lockMs },
      ...{ maxStalledCount: 0, stalledInterval: lockMs / 3 },
    });
    void checker.startStalledCheckTimer().catch(() => {});
    const back = new Worker(
      backQueue(this.#run),
      async job => {
        const found = readBackJob(job.data);
        const outcome = found && unpackOutcome(found.packed);
        if (outcome === undefined) return;
        this.#onOutcome.get(found?.turn ?? -1)?.(found?.seat ?? -1, outcome);
        this.#wake();
      },
      { ...{ connection, prefix, concurrency: 100, skipStalledCheck: true }, runRetryDelay: 500 },
    );
    this.#workers = [checker, back];
    for (const worker of this.#workers) worker.on('error', () => {});
  }

  /** As results have them, once the threads of a run are known. */
  get hosts(): HostResult[] {
    return this.seated.flatMap(({ host, name, roundTripMs }) =>
      host === undefined ? [] : [{ ...host, name, threads: this.#threads, roundTripMs }],
    );
  }

  /**
   * Lets every agent reach the target, before any load.
   *
   * @returns the target as the agents see it
   * @throws PoolbenchError USAGE if there is no way to it from there, or another server; TARGET_IN_USE if it is the control
   *   server; AGENT_REFUSED, AGENT_LOST
   */
  async meet(target: Target): Promise<Target> {
    const { control } = target;
    if (target.standIn)
      throw new PoolbenchError(
        'USAGE',
        `expected ${target.declared.server} at ${target.declared.url}, because agents do not load a stand-in, found ${target.detected.server}; start the server, or set target.server to any`,
      );
    if (control.address.path !== undefined)
      throw new PoolbenchError(
        'USAGE',
        `expected a target at host:port, because agents can be on other machines, found the unix socket ${control.address.path}; use a redis:// URL`,
      );
    const life = (await serverCount(control)).life ?? null;
    if (this.#link.life !== undefined && life?.split(' ').includes(this.#link.life))
      throw new PoolbenchError(
        'TARGET_IN_USE',
        `expected a target that is not the control server, found ${this.#link.where} as both: the traffic of the agents would be in the figures; use another server for --control`,
      );
    const met = await this.#askToMeet(withoutLogin(subjectOf(target)));
    for (const { seat, life: found, roundTripMs } of met) {
      const agent = this.seated[seat];
      if (agent === undefined) continue;
      agent.roundTripMs = roundTripMs;
      if (life === null || found === null || life === found) continue;
      throw new PoolbenchError(
        'USAGE',
        `expected all agents to reach the same server at ${target.declared.url}, but agent ${agent.name} reaches another one there (its run id differs); use an address that leads to the same server from every machine`,
      );
    }
    return { ...target, local: met.some(({ local }) => local) };
  }

  /** The threads of a run on these agents. @throws PoolbenchError USAGE for more hosts than agents, or silent cuts */
  threads(scenarios: readonly Scenario[], targets: readonly Target[]): LoadThreads {
    const agents = this.seated.length;
    const tooMany = scenarios.find(({ hosts }) => hosts > agents);
    if (tooMany !== undefined)
      throw new PoolbenchError(
        'USAGE',
        `${tooMany.id} runs on ${tooMany.hosts} hosts, but the run has ${formatPlural(agents, 'agent')}; use --agents ${tooMany.hosts}`,
      );
    const silent = scenarios.find(({ cut, cutEveryMs }) => cut === 'silent' && cutEveryMs > 0);
    if (silent !== undefined)
      throw new PoolbenchError(
        'USAGE',
        `${silent.id} has silent cuts, which need a proxy that agents cannot reach; use "cut": "close", or leave out --agents`,
      );
    const perAgent = Math.max(
      ...scenarios.map(({ threads, hosts }) => Math.ceil(threads / (hosts === 0 ? agents : hosts))),
    );
    this.#threads = perAgent;
    const subjects = new Map(targets.map(target => [target.address, subjectOf(target)]));
    return new AgentThreads(this, { perAgent, pool: ++this.#pools, subjects });
  }

  /** Gives all agents back to the lobby. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#ticker);
    // A control server that is gone must not hold up the end of a run.
    const { endMs } = this.patience;
    await Promise.allSettled([
      withTimeout(this.#freeAgents(), endMs),
      ...this.#workers.map(worker => withTimeout(worker.close(true), endMs)),
    ]);
    await withTimeout(removeQueue(this.#link, backQueue(this.#run)), endMs).catch(() => {});
    this.#link.close();
  }

  /**
   * In an order that leaves no agent in a seat of this run. Open seats go first, or an agent that is freed would take one.
   * An agent that took one at the last moment listens before it reports: either its report finds no listener, which ends
   * its seat, or the end reaches it.
   */
  async #freeAgents(): Promise<void> {
    await this.#seats?.close();
    await this.#link.unsubscribe([channels.fromAll(this.#run)]);
    const leaving: CoordinatorMessage = { kind: 'end' };
    await this.#link.publish(channels.toAll(this.#run), leaving);
  }

  beginTurn(onOutcome: (seat: number, outcome: TurnOutcome) => void): number {
    const turn = ++this.#turns;
    this.#onOutcome.set(turn, onOutcome);
    return turn;
  }

  endTurn(turn: number): void {
    this.#onOutcome.delete(turn);
  }

  listen(listener: (message: AgentMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async send(seat: number | 'all', message: CoordinatorMessage): Promise<void> {
    const channel = seat === 'all' ? channels.toAll(this.#run) : channels.toSeat(this.#run, seat);
    await this.#link.publish(channel, message, this.patience.controlMs).catch(cause => {
      throw this.#failure ?? this.#controlLost(cause);
    });
  }

  async readClock(): Promise<ControlClock> {
    return await this.#link.readClock(this.patience.controlMs).catch(cause => {
      throw this.#failure ?? this.#controlLost(cause);
    });
  }

  get cuts(): number {
    return this.#link.cuts;
  }

  async until(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (isTrue()) return true;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.min(leftMs, 50));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Asks every agent to reach a target, again where no answer comes. @returns the answers, in the order of the seats */
  async #askToMeet(subject: Subject): Promise<Met[]> {
    const answers = new Map<number, Met>();
    const stop = this.listen(message => {
      if (message.kind === 'met') answers.set(message.seat, message);
    });
    const silent = () => this.seated.filter(({ seat }) => !answers.has(seat));
    const { graceMs, answerMs } = this.patience;
    try {
      const endMs = performance.now() + graceMs;
      while (performance.now() < endMs) {
        for (const { seat } of silent()) await this.send(seat, { kind: 'meet', subject });
        if (await this.until(() => silent().length === 0, answerMs))
          return [...answers.values()].toSorted((a, b) => a.seat - b.seat);
      }
    } finally {
      stop();
    }
    const names = formatList(silent().map(({ name }) => name));
    throw this.fail(
      'AGENT_LOST',
      `expected ${names} to reach the target within ${graceMs / 1000} s, but got no answer; see the log of the agent`,
    );
  }

  fail(code: 'AGENT_LOST' | 'AGENT_REFUSED' | 'CONTROL_LOST', message: string): PoolbenchError {
    this.#failure ??= new PoolbenchError(code, message);
    this.#wake();
    return this.#failure;
  }

  #hear(text: string): void {
    const message = readAgentMessage(text);
    const agent = message && this.seated[message.seat];
    if (message === undefined || agent === undefined) return;
    agent.lastMessageMs = performance.now();
    if (message.kind === 'seated') agent.host ??= message.host;
    if (message.kind === 'refused')
      this.fail('AGENT_REFUSED', `agent ${agent.name} refused: ${message.reason}`);
    if (message.kind === 'left')
      this.fail(
        'AGENT_LOST',
        `expected agent ${agent.name} to stay until the end of the run, but it left: ${message.reason}. ${resumable}`,
      );
    for (const listener of this.#listeners) listener(message);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Shows every agent that the run goes on, and finds those that are lost. */
  async #tick(): Promise<void> {
    const { silentMs, unreachedMs, controlMs } = this.patience;
    const heartbeat: CoordinatorMessage = { kind: 'heartbeat' };
    const sent = this.seated.map(async agent => {
      const receivers = await this.#link.publish(channels.toSeat(this.#run, agent.seat), heartbeat);
      this.#answeredAtMs = performance.now();
      if (agent.host === undefined) return;
      agent.unreachedSinceMs = receivers > 0 ? undefined : (agent.unreachedSinceMs ?? performance.now());
    });
    void Promise.allSettled(sent);
    const now = performance.now();
    if (now - this.#answeredAtMs > controlMs) {
      this.#controlLost(undefined);
      return;
    }
    const { workingSinceMs } = this.#link;
    if (workingSinceMs === undefined) return;
    for (const { name, host, lastMessageMs, unreachedSinceMs = now } of this.seated) {
      if (host === undefined) continue;
      // After an outage of the control server everybody has as long again.
      const silent = now - Math.max(lastMessageMs, workingSinceMs);
      const unreached = now - Math.max(unreachedSinceMs, workingSinceMs);
      if (silent <= silentMs && unreached <= unreachedMs) continue;
      const found =
        unreached > unreachedMs
          ? 'its connection to the control server has ended'
          : `it has sent no heartbeat for ${Math.round(silent / 1000)} s`;
      this.fail(
        'AGENT_LOST',
        `expected agent ${name} to stay until the end of the run, but ${found}; check its log and its machine. ${resumable}`,
      );
    }
  }

  #controlLost(cause: unknown): PoolbenchError {
    const why = cause === undefined ? '' : ` (${asError(cause).message})`;
    return this.fail(
      'CONTROL_LOST',
      `expected the control server at ${this.#link.where} to answer until the end of the run, but it stopped answering${why}; start it again. ${resumable}`,
    );
  }
}

const resumable = 'Finished rounds are kept; a run of one target continues with --resume';

function subjectOf({ address, control }: Target): Subject {
  // As it was declared: a host name may be another IP address on another machine.
  const { host, port } = control.address.sentinel === undefined ? control.address : address;
  return {
    address: { ...address, host, port },
    ...(control.cluster === undefined ? {} : { cluster: control.cluster }),
  };
}

function describeOther({ name, group, version }: KnownAgent): string {
  return `${name} of group ${group} and version ${version}`;
}
