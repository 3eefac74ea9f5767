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

/** Time from saying when to start to that instant. It grows where that is too short. */
const minLeadMs = 30;
/** A start that was heard with less left than this was nearly missed. */
const comfortableLeadMs = 10;
const maxStarts = 4;

/** What stays the same for all turns of a run. */
interface ThreadsOfRun {
  /** How many threads each agent has. */
  readonly perAgent: number;
  /** Differs from those of other runs of the session: agents start new threads for it. */
  readonly pool: number;
  /** Where the load goes, by the address of the target. */
  readonly subjects: ReadonlyMap<Address, Subject>;
}

/**
 * The threads of a run on agents, each of which has as many. They are numbered agent by agent. The coordinator's shared
 * memory mirrors theirs, so that a run is shown and its windows begin as if they were here.
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
   * A part of a scenario lands on the same agent in every round, so that arms which are paired share their hosts; on it,
   * parts take turns on the threads. A scenario on some of the agents takes turns on those.
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
    this.#used = undefined;
    let discarded = 0;
    for (let start = 1; start <= maxStarts; start++) {
      const turn = new Turn(this.#agents, this.#partsOf(tasks, placement), shared);
      try {
        const stopped = await turn.prepare(part => this.#prepareMessage(part));
        if (stopped !== undefined) return stopped;
        const begun = await turn.go(this.#goLeadMs);
        if ('missed' in begun) {
          discarded += callsOf(begun.missed);
          this.#goLeadMs *= 2;
          continue;
        }
        if (begun.shortestLeadMs < comfortableLeadMs) this.#goLeadMs += comfortableLeadMs;
        const samples = await turn.measure(begun.releasedNs, this.#windowLeadMs, onWindow);
        this.#used = turn.use();
        return withDiscarded(samples, discarded);
      } catch (cause) {
        if (cause instanceof TurnVoided && cause.code === 'START_MISSED') this.#windowLeadMs *= 2;
        throw cause;
      } finally {
        turn.close();
      }
    }
    throw new PoolbenchError(
      'START_MISSED',
      `expected all agents to start together, but one heard of the start too late ${maxStarts} times, at last with ${this.#goLeadMs / 2} ms to go; use a control server nearer to the agents, or agents with more idle cores`,
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
      throw new Error('expected the load to go to a target that the agents have met');
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

/** Operations that the server has answered without an error. */
function callsOf(samples: readonly ThreadSample[]): number {
  return samples
    .flatMap(({ loads }) => loads)
    .reduce((sum, { completed, warmupCompleted }) => sum + completed + warmupCompleted, 0);
}

/** The server has counted what was done in starts that were missed, too: it is discarded like a warm-up. */
function withDiscarded(samples: readonly ThreadSample[], discarded: number): ThreadSample[] {
  const [first, ...others] = samples;
  const [load, ...loads] = first?.loads ?? [];
  if (first === undefined || load === undefined || discarded === 0) return [...samples];
  const warmupCompleted = load.warmupCompleted + discarded;
  return [{ ...first, loads: [{ ...load, warmupCompleted }, ...loads] }, ...others];
}
