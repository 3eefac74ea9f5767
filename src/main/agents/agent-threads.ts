import type { Address } from '../../pool/client/address.ts';
import type { ThreadSample, ThreadTask } from '../../workers/contract.ts';
import type { SharedState } from '../../workers/shared-state.ts';
import { PoolbenchError } from '../errors.ts';
import type { HostUse } from '../run/host-use.ts';
import { type LoadThreads, type ThreadHosts, TurnVoided } from '../run/threads.ts';
import type { WindowStart } from '../run/window-start.ts';
import { type Coordinator, Turn, TurnPart } from './agent-turn.ts';
import type { AgentTask, Prepare, Subject } from './messages.ts';
import { withoutLogin } from './rules.ts';

/** Time between publishing the start and its instant. It grows if it was too short. */
const minLeadMs = 30;
/** A start received with less time left than this was nearly missed. */
const comfortableLeadMs = 10;
const maxStarts = 4;

/** What stays the same for all turns of a run. */
interface ThreadsOfRun {
  /** How many threads each agent has. */
  readonly perAgent: number;
  /** Unique within the session: agents start new threads for each run. */
  readonly pool: number;
  /** Where the load goes, by the address of the target. */
  readonly subjects: ReadonlyMap<Address, Subject>;
}

/**
 * The threads of a run on agents, the same number on each, numbered agent by agent. The coordinator's shared memory
 * mirrors theirs, so that the run is shown, and its windows begin, as if the threads were here.
 */
export class AgentThreads implements LoadThreads, ThreadHosts {
  readonly #agents: Coordinator;
  readonly #run: ThreadsOfRun;
  #goLeadMs = minLeadMs;
  #windowLeadMs = minLeadMs;
  #used: HostUse | undefined;

  constructor(agents: Coordinator, run: ThreadsOfRun) {
    this.#agents = agents;
    this.#run = run;
  }

  get size(): number {
    return this.#run.perAgent * this.#agents.seated.length;
  }

  get hosts(): ThreadHosts {
    return this;
  }

  /**
   * A part of a scenario is on the same agent in every round, so that paired arms share their hosts; there, parts
   * rotate over the threads. A scenario that uses only some agents rotates over them.
   */
  place(round: number, parts: number, hosts: number): number[] {
    const { perAgent } = this.#run;
    const agents = this.#agents.seated.length;
    const spread = hosts === 0 ? agents : hosts;
    const first = spread === agents ? 0 : round % agents;
    return Array.from({ length: parts }, (_, part) => {
      const agent = (first + (part % spread)) % agents;
      return agent * perAgent + ((Math.floor(part / spread) + round) % perAgent);
    });
  }

  used(): HostUse | undefined {
    return this.#used;
  }

  /**
   * Like `Threads.run`. A turn whose start reached an agent too late is repeated with more time.
   *
   * @throws ConnectRefused, or any other failure of a thread; TurnVoided; PoolbenchError START_MISSED, AGENT_LOST,
   * AGENT_REFUSED, CONTROL_LOST
   */
  async run(
    tasks: readonly ThreadTask[],
    shared: SharedState,
    onWindow: (start: WindowStart) => void,
    placement: readonly number[] = tasks.map((_, index) => index),
  ): Promise<ThreadSample[]> {
    this.#used = undefined;
    const missed: ThreadSample[] = [];
    for (let start = 1; start <= maxStarts; start++) {
      const turn = new Turn(this.#agents, this.#partsOf(tasks, placement), shared);
      try {
        const stopped = await turn.prepare(part => this.#prepareMessage(part));
        if (stopped !== undefined) return stopped;
        const begun = await turn.go(this.#goLeadMs);
        if ('missed' in begun) {
          missed.push(...begun.missed);
          this.#goLeadMs *= 2;
          continue;
        }
        if (begun.shortestLeadMs < comfortableLeadMs) this.#goLeadMs += comfortableLeadMs;
        const samples = await turn.measure(begun.releasedNs, this.#windowLeadMs, onWindow);
        this.#used = turn.use();
        return withMissed(samples, missed);
      } catch (cause) {
        if (cause instanceof TurnVoided && cause.code === 'START_MISSED') this.#windowLeadMs *= 2;
        throw cause;
      } finally {
        turn.close();
      }
    }
    throw new PoolbenchError(
      'START_MISSED',
      `expected all agents to start together, but one received the start too late ${maxStarts} times, although it was sent ${this.#goLeadMs / 2} ms ahead; use a control server nearer to the agents, or agents with more idle cores`,
    );
  }

  async close(): Promise<void> {
    // They belong to the agents, which end them when the next run begins or the session ends.
  }

  #partsOf(tasks: readonly ThreadTask[], placement: readonly number[]): TurnPart[] {
    const { perAgent } = this.#run;
    const parts = new Map<number, TurnPart>();
    for (const [index, task] of tasks.entries()) {
      const thread = placement[index] ?? index;
      const seat = Math.floor(thread / perAgent);
      const part = parts.get(seat) ?? new TurnPart(seat);
      parts.set(seat, part);
      part.tasks.push(task);
      part.placement.push(thread % perAgent);
    }
    return [...parts.values()];
  }

  #prepareMessage({ tasks, placement }: TurnPart): Omit<Prepare, 'turn'> {
    const { pool, perAgent, subjects } = this.#run;
    const [first] = tasks;
    const subject = first && subjects.get(first.address);
    if (first === undefined || subject === undefined)
      throw new Error('expected a target that the agents have connected to');
    return {
      ...{ kind: 'prepare', pool, threads: perAgent, placement },
      subject: withoutLogin(subject),
      workload: first.workload,
      tasks: tasks.map(
        ({ shared: _, address: __, cluster: ___, workload: ____, clientFile: _____, ...task }): AgentTask =>
          task,
      ),
    };
  }
}

/**
 * Operations of missed starts are treated like a warm-up, because the server has counted them. Each start inserts the
 * same records.
 */
function withMissed(samples: readonly ThreadSample[], missed: readonly ThreadSample[]): ThreadSample[] {
  if (missed.length === 0) return [...samples];
  return samples.map(sample => {
    const others = missed.filter(({ thread }) => thread === sample.thread);
    const calls = others
      .flatMap(({ loads }) => loads)
      .reduce((sum, { completed, warmupCompleted }) => sum + completed + warmupCompleted, 0);
    return {
      ...sample,
      loads: sample.loads.map((load, index) =>
        index > 0 ? load : { ...load, warmupCompleted: load.warmupCompleted + calls },
      ),
      inserted: sample.inserted.map((records, pool) =>
        Math.max(records, ...others.map(({ inserted }) => inserted[pool] ?? 0)),
      ),
    };
  });
}
