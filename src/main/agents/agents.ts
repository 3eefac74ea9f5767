import { randomUUID } from 'node:crypto';
import type { HostResult } from '../../aggregate/result.ts';
import { joinHosts } from '../../aggregate/stats/hosts.ts';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import { describeTool } from '../environment.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Scenario } from '../experiment/scenarios.ts';
import type { SessionAgents } from '../run/session.ts';
import type { LoadThreads } from '../run/threads.ts';
import { withTimeout } from '../server/control.ts';
import type { Target } from '../server/find-target.ts';
import { AgentThreads } from './agent-threads.ts';
import type { Coordinator } from './agent-turn.ts';
import { Worker } from './bullmq.ts';
import type { ControlClock } from './clock.ts';
import { ControlLink } from './control-link.ts';
import { type KnownAgent, listAgents, lobbyName, lockMs, removeQueue, Seats } from './lobby.ts';
import { meetTarget, subjectOf } from './meeting.ts';
import {
  type AgentMessage,
  backQueue,
  type CoordinatorMessage,
  channels,
  prefix,
  readAgentMessage,
  readBackJob,
} from './messages.ts';
import { type TurnOutcome, unpackOutcome } from './outcome.ts';
import { type Patience, usualPatience } from './patience.ts';
import { emptySeats, hostsOf, nameSeated, type Seated } from './seated.ts';

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
  /** The current run: how many threads each agent has, and the agents that took part before it was resumed. */
  #threads = 0;
  #before: readonly HostResult[] = [];
  #ended = false;

  private constructor(link: ControlLink, agents: number, patience: Patience) {
    this.#link = link;
    this.patience = patience;
    this.seated = emptySeats(agents);
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
    nameSeated(this.seated);
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

  #startWorkers(lobby: string): void {
    const connection = this.#link.redis;
    // Anyone who looks frees the seats of dead agents: BullMQ does so only while some worker runs.
    const checker = new Worker(lobby, null, {
      ...{ connection, prefix, autorun: false, lockDuration: lockMs },
      ...{ maxStalledCount: 0, stalledInterval: lockMs / 3 },
    });
    void checker.startStalledCheckTimer().catch(() => {});
    const back = new Worker(
      backQueue(this.#run),
      async job => {
        this.#hearOutcome(job.data);
      },
      { ...{ connection, prefix, concurrency: 100, skipStalledCheck: true }, runRetryDelay: 500 },
    );
    this.#workers = [checker, back];
    for (const worker of this.#workers) worker.on('error', () => {});
  }

  /** As results have them, once the threads of a run are known. */
  get hosts(): HostResult[] {
    return joinHosts(this.#before, hostsOf(this.seated, this.#threads));
  }

  async meet(target: Target): Promise<Target> {
    return await meetTarget(this, target, this.#link);
  }

  /** The threads of a run on these agents. @throws PoolbenchError USAGE for more hosts than agents */
  threads(
    scenarios: readonly Scenario[],
    targets: readonly Target[],
    before: readonly HostResult[] = [],
  ): LoadThreads {
    const agents = this.seated.length;
    const tooMany = scenarios.find(({ hosts }) => hosts > agents);
    if (tooMany !== undefined)
      throw new PoolbenchError(
        'USAGE',
        `${tooMany.id} runs on ${tooMany.hosts} hosts, but the run has ${formatPlural(agents, 'agent')}; use --agents ${tooMany.hosts}`,
      );
    const perAgent = Math.max(
      ...scenarios.map(({ threads, hosts }) => Math.ceil(threads / (hosts === 0 ? agents : hosts))),
    );
    this.#threads = perAgent;
    this.#before = before;
    nameSeated(this.seated, before);
    const subjects = new Map(targets.map(target => [target.address, subjectOf(target)]));
    return new AgentThreads(this, { perAgent, pool: ++this.#pools, subjects });
  }

  /** Gives all agents back to the lobby. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#ticker);
    // A lost control server must not delay the end of a run.
    const { endMs } = this.patience;
    await Promise.allSettled([
      withTimeout(this.#freeAgents(), endMs),
      ...this.#workers.map(worker => withTimeout(worker.close(true), endMs)),
    ]);
    await withTimeout(removeQueue(this.#link, backQueue(this.#run)), endMs).catch(() => {});
    this.#link.close();
  }

  /**
   * In an order that leaves no agent in a seat of this run. Open seats are removed first, or a freed agent would take
   * one. An agent that took one at the last moment listens before it reports: either its report finds no listener,
   * which ends its seat, or the end reaches it.
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
      if (cause instanceof PoolbenchError) throw cause;
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

  fail(code: 'AGENT_LOST' | 'AGENT_REFUSED' | 'CONTROL_LOST', message: string): PoolbenchError {
    this.#failure ??= new PoolbenchError(code, message);
    this.#wake();
    return this.#failure;
  }

  #hear(text: string): void {
    const { message } = readAgentMessage(text);
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

  #hearOutcome(data: unknown): void {
    const { message: job } = readBackJob(data);
    if (job === undefined) return;
    const agent = this.seated[job.seat];
    const onOutcome = this.#onOutcome.get(job.turn);
    if (agent === undefined || onOutcome === undefined) return;
    const { message: outcome, fault } = unpackOutcome(job.packed);
    if (fault === undefined) onOutcome(agent.seat, outcome);
    else
      this.fail(
        'AGENT_LOST',
        `expected the samples of agent ${agent.name}, but they cannot be read: ${fault}. Another program may write to the control server. ${resumable}`,
      );
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Sends heartbeats to the agents, and finds lost ones. */
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
      // After an outage of the control server, everyone gets the full time again.
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

const resumable = 'Finished rounds are kept; a run of one target, and claims, continue with --resume';

function describeOther({ name, group, version }: KnownAgent): string {
  return `${name} of group ${group} and version ${version}`;
}
