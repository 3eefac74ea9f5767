import { mergeHistograms } from '../../aggregate/stats/merge-histograms.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { nowNs } from '../../pool/clock.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import { SharedState } from '../../workers/shared-state.ts';
import { asError } from '../errors.ts';
import { CpuMeter } from '../run/cpu-meter.ts';
import type { HostUse } from '../run/host-use.ts';
import { baseRoundTripMs, serverCount } from '../run/server-figures.ts';
import { ConnectRefused, ThreadEnded, ThreadHung, Threads } from '../run/threads.ts';
import { connectCluster } from '../server/cluster-control.ts';
import { connectControl, withTimeout } from '../server/control.ts';
import { isLocal } from '../server/find-target.ts';
import { withoutSecrets } from '../server/url.ts';
import { keptNowhere, Queue, shortStreams } from './bullmq.ts';
import type { ControlClock } from './clock.ts';
import type { ControlLink } from './control-link.ts';
import { removeQueue } from './lobby.ts';
import {
  type AgentMessage,
  type BackJob,
  backQueue,
  type CoordinatorMessage,
  channels,
  cutReason,
  type HostInfo,
  type Phase,
  type Prepare,
  prefix,
  readCoordinatorMessage,
  type SeatJob,
  type Subject,
} from './messages.ts';
import { packOutcome, type TurnOutcome } from './outcome.ts';
import type { Patience } from './patience.ts';
import { expectWithinLimits, Refusal, type Rules, withLogin } from './rules.ts';
import { reportThreads } from './thread-reports.ts';

/** Instants further away are invalid, because threads that wait for one cannot be stopped. */
const maxLeadMs = 10_000;
const sendTimeoutMs = 30_000;
const connectTimeoutMs = 5000;

interface SeatOptions {
  readonly job: SeatJob;
  readonly rules: Rules;
  readonly host: HostInfo;
  readonly patience: Patience;
}

/** What an agent has reached, for a run. */
interface Reached {
  readonly subject: Subject;
  readonly local: boolean;
  readonly localAddress: string | undefined;
}

/** A turn on this agent. */
interface Turn {
  readonly number: number;
  readonly tasks: readonly ThreadTask[];
  readonly shared: SharedState;
  readonly clock: ControlClock;
  readonly meter: CpuMeter;
  readonly ended: Promise<void>;
}

/** An agent's seat in one run: it carries out the coordinator's messages within the agent's rules. */
export class Seat {
  readonly #link: ControlLink;
  readonly #job: SeatJob;
  readonly #rules: Rules;
  readonly #host: HostInfo;
  readonly #patience: Patience;
  readonly #back: Queue;
  readonly #met = new Map<string, Reached>();
  #threads: { readonly pool: number; readonly threads: Threads } | undefined;
  #turn: Turn | undefined;
  /** The number of the current or last turn. */
  #number = 0;
  #phase: Phase = 'idle';
  /** The number of the last turn that was stopped, perhaps while it was being prepared. */
  #stopped = 0;
  #lastMessageMs = performance.now();
  #over: string | undefined;
  #refusal: string | undefined;
  #hasLoaded = false;
  #wake: () => void = () => {};

  constructor(link: ControlLink, { job, rules, host, patience }: SeatOptions) {
    this.#link = link;
    this.#job = job;
    this.#rules = rules;
    this.#host = host;
    this.#patience = patience;
    this.#back = new Queue(backQueue(job.run), {
      ...{ connection: link.redis, prefix, skipMetasUpdate: true, streams: shortStreams },
    });
    this.#back.on('error', () => {});
  }

  /** Why it refused a request of the run; undefined: it did not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether the run reached its load. If one of its agents refuses, it does so on none. */
  get hasLoaded(): boolean {
    return this.#hasLoaded;
  }

  /** Holds the seat until the run ends or its coordinator is lost. @returns why it ended, as text */
  async hold(): Promise<string> {
    const { run, seat } = this.#job;
    const own = [channels.toAll(run), channels.toSeat(run, seat)];
    try {
      for (const channel of own)
        await this.#link.subscribe(channel, text => {
          const { message, fault } = readCoordinatorMessage(text);
          if (fault === undefined) this.#hear(message);
          else this.#refuse(new Refusal(`it cannot read a message of the run: ${fault}`));
        });
      const seated: AgentMessage = { kind: 'seated', seat, host: this.#host };
      // A seat that is left over from a coordinator that was killed.
      if ((await this.#link.publish(channels.fromAll(run), seated)) === 0) return 'its run has already ended';
      while (this.#over === undefined) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, this.#patience.heartbeatMs);
          this.#wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        this.#publishPhase();
        this.#expectCoordinator();
      }
      return this.#over;
    } finally {
      await this.#link.unsubscribe(own);
      this.#turn?.shared.stop(nowNs());
      await this.#turn?.ended;
      await this.#threads?.threads.close();
      await this.#back.close();
      // The last one to leave removes everything, because the coordinator may be lost.
      if (this.#over === coordinatorGone)
        await withTimeout(removeQueue(this.#link, backQueue(run)), this.#patience.endMs).catch(() => {});
    }
  }

  /** Ends it at once. @param reason for the coordinator, which loses this agent */
  async leave(reason: string): Promise<void> {
    this.#end(reason);
    await this.#publish({ kind: 'left', seat: this.#job.seat, reason }, this.#patience.endMs);
  }

  #end(why: string): void {
    this.#over ??= why;
    this.#turn?.shared.stop(nowNs());
    this.#wake();
  }

  #expectCoordinator(): void {
    const now = performance.now();
    const { workingSinceMs } = this.#link;
    const { silentMs, outageMs } = this.#patience;
    const silent = now - Math.max(this.#lastMessageMs, workingSinceMs ?? 0);
    if (silent > (workingSinceMs === undefined ? outageMs : silentMs)) this.#end(coordinatorGone);
  }

  /** Never rejects: a lost message is repeated, unless the coordinator is lost. */
  async #publish(message: AgentMessage, timeoutMs?: number): Promise<void> {
    await this.#link.publish(channels.fromAll(this.#job.run), message, timeoutMs).catch(() => {});
  }

  #publishPhase(): void {
    const { seat } = this.#job;
    // The first message may have been lost.
    if (this.#number === 0) void this.#publish({ kind: 'seated', seat, host: this.#host });
    void this.#publish({ kind: 'here', seat, turn: this.#number, phase: this.#phase });
  }

  #hear(message: CoordinatorMessage): void {
    this.#lastMessageMs = performance.now();
    const { seat } = this.#job;
    switch (message.kind) {
      case 'heartbeat':
        return;
      case 'end':
        this.#end('the run has ended');
        return;
      case 'meet':
        void this.#meet(message.subject).catch(error => this.#refuse(error));
        return;
      case 'prepare':
        if (message.turn <= this.#number) this.#publishPhase();
        else void this.#prepare(message);
        return;
      case 'stop':
        this.#stopped = message.turn;
        if (this.#turn?.number === message.turn) this.#turn.shared.stop(nowNs());
        return;
    }
    // All agents receive it, also those without a part of the scenario.
    if (message.kind === 'go') this.#hasLoaded = true;
    const turn = this.#turn;
    if (turn === undefined || turn.number !== message.turn) return;
    const localNs = turn.clock.toLocal(message.at);
    const leadMs = (localNs - nowNs()) / 1e6;
    if (leadMs > maxLeadMs) return;
    const { boundMicros } = turn.clock;
    void this.#publish({
      kind: 'acknowledged',
      seat,
      turn: turn.number,
      what: message.kind,
      leadMs,
      boundMicros,
    });
    const [{ warmupSeconds = 0, seconds = 0 } = {}] = turn.tasks;
    if (message.kind === 'go') {
      this.#phase = 'running';
      turn.shared.release(localNs);
    } else turn.shared.openWindow(localNs);
    if (message.kind === 'window' || warmupSeconds === 0)
      turn.meter.schedule(localNs, localNs + seconds * 1e9);
  }

  #refuse(cause: unknown): void {
    const reason = cutReason(asError(cause).message);
    this.#refusal ??= reason;
    void this.#publish({ kind: 'refused', seat: this.#job.seat, reason });
  }

  /** Reaches the target, and reports what it has found there. */
  async #meet(subject: Subject): Promise<void> {
    const { seat } = this.#job;
    const allowed = withLogin(subject, this.#rules);
    const { address, cluster } = allowed;
    const options = { timeoutMs: connectTimeoutMs };
    const control = await (cluster === undefined ? connectControl : connectCluster)(address, options).catch(
      cause => {
        throw new Refusal(
          `it cannot reach the target: ${asError(cause).message}; it takes login and certificates from its own environment (POOLBENCH_TARGET_USERNAME, POOLBENCH_TARGET_PASSWORD, POOLBENCH_TARGET_CA)`,
        );
      },
    );
    try {
      const { life = null } = await serverCount(control);
      const roundTripMs = await baseRoundTripMs(control);
      const local = isLocal(control.server);
      const { localAddress } = control;
      // As here: directly to the IP address of the server that answered.
      const reached = { ...allowed, address: control.answering };
      this.#met.set(keyOf(subject), { subject: reached, local, localAddress });
      // Before the report: the run counts the clients of the target next.
      control.close();
      await this.#publish({ kind: 'met', seat, life, roundTripMs, local });
    } finally {
      control.close();
    }
  }

  async #prepare(message: Prepare): Promise<void> {
    this.#number = message.turn;
    this.#phase = 'preparing';
    const before = this.#turn;
    before?.shared.stop(nowNs());
    await before?.ended;
    if (this.#over !== undefined) return;
    try {
      await this.#begin(message);
    } catch (cause) {
      this.#phase = 'idle';
      if (cause instanceof Refusal) this.#refuse(cause);
      else
        await this.#sendOutcome(message.turn, {
          kind: 'failed',
          why: 'other',
          message: asError(cause).message,
        });
    }
  }

  async #begin(message: Prepare): Promise<void> {
    const { turn: number, tasks } = message;
    expectWithinLimits(message, this.#rules);
    const reached = this.#met.get(keyOf(message.subject));
    if (reached === undefined)
      throw new Refusal('the run asks for load on a target that the agent has not connected to');
    const threads = await this.#threadsOf(message);
    const shared = SharedState.forThreads(tasks.length);
    const clock = await this.#link.readClock();
    const meter = new CpuMeter({
      control: { nodes: [], localAddress: reached.localAddress },
      local: reached.local,
      detected: { server: 'unknown', version: '', threads: null },
    });
    const own = tasks.map(
      (task, thread): ThreadTask => ({
        ...task,
        ...{ ...reached.subject, workload: message.workload, thread, shared: shared.buffer },
      }),
    );
    const turn: Omit<Turn, 'ended'> = { number, tasks: own, shared, clock, meter };
    const ended = this.#measure(turn, threads, message).catch(cause =>
      this.#sendOutcome(number, { kind: 'failed', why: 'other', message: asError(cause).message }),
    );
    this.#turn = { ...turn, ended };
    // It can be over while this was being prepared.
    if (this.#over !== undefined || this.#stopped === number) shared.stop(nowNs());
  }

  /** The threads of the run, which stay up for all of its turns. */
  async #threadsOf({ pool, threads }: Prepare): Promise<Threads> {
    if (this.#threads?.pool === pool) return this.#threads.threads;
    await this.#threads?.threads.close();
    const started = new Threads(threads);
    this.#threads = { pool, threads: started };
    return started;
  }

  async #measure(turn: Omit<Turn, 'ended'>, threads: Threads, { tasks, placement }: Prepare): Promise<void> {
    const { number, shared, clock, meter } = turn;
    const { seat, seats } = this.#job;
    const stopReports = reportThreads(
      { ...{ seat, seats, turn: number }, tasks: turn.tasks, shared, clock },
      report => void this.#publish(report),
    );
    const release = async (isOver: () => boolean) => {
      while (shared.ready < tasks.length && !isOver()) await new Promise(resolve => setTimeout(resolve, 1));
      if (isOver()) return;
      this.#phase = 'ready';
      this.#publishPhase();
    };
    let outcome: TurnOutcome;
    try {
      const samples = await threads.drive(turn.tasks, shared, release, placement);
      const cpu = cpuOf(await meter.stop());
      const named = samples.map(
        (sample): ThreadSample => ({ ...sample, thread: tasks[sample.thread]?.thread ?? sample.thread }),
      );
      outcome = { kind: 'done', samples: mergeHistograms(named), cpu, startLagMs: startLagMsOf(turn) };
    } catch (cause) {
      await meter.stop();
      outcome = failureOf(cause, turn.tasks);
    } finally {
      stopReports();
    }
    this.#phase = 'idle';
    // Once it is over, nobody waits for it.
    if (this.#over !== undefined) return;
    await this.#sendOutcome(number, outcome);
    this.#publishPhase();
  }

  /** A coordinator that does not get it repeats the turn, or is gone. */
  async #sendOutcome(turn: number, outcome: TurnOutcome): Promise<void> {
    const job: BackJob = { seat: this.#job.seat, turn, packed: packOutcome(outcome) };
    await withTimeout(this.#back.add('turn', job, keptNowhere), sendTimeoutMs).catch(() => {});
  }
}

const coordinatorGone = 'its coordinator sends no heartbeat';

function keyOf({ address, cluster }: Subject): string {
  return JSON.stringify([address, cluster ?? null]);
}

/** From the start instant of a turn until the last of its threads had begun. */
function startLagMsOf({ tasks, shared }: Pick<Turn, 'tasks' | 'shared'>): number {
  const { startNs = Number.POSITIVE_INFINITY } = shared;
  return Math.max(0, ...tasks.map(({ thread }) => (shared.begunNs(thread) - startNs) / 1e6));
}

function cpuOf(used: Awaited<ReturnType<CpuMeter['stop']>>): HostUse['cpu'] | null {
  if (used === null) return null;
  const { clientCores, machineBusyShare, cpuSets = null, throttling = null, link = null } = used;
  return { clientCores, machineBusyShare, cpuSets, throttling, link };
}

function failureOf(cause: unknown, tasks: readonly ThreadTask[]): TurnOutcome {
  const error = asError(cause);
  const [task] = tasks;
  const message = cutReason(task === undefined ? error.message : withoutSecrets(error.message, task.address));
  if (error instanceof ConnectRefused) return { kind: 'failed', why: 'connect', message };
  const isOfThread =
    error instanceof ThreadHung ||
    error instanceof ThreadEnded ||
    ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY');
  return { kind: 'failed', why: isOfThread ? 'thread' : 'other', message };
}

/** As text, for the log of the agent. */
export function describeSeat({ seat, seats, name }: SeatJob): string {
  return `seat ${seat + 1} of ${formatPlural(seats, 'agent')} in ${name}`;
}
