import { expect, onTestFinished, test, vi } from 'vitest';
import { AgentThreads } from '../../../src/main/agents/agent-threads.ts';
import type { Coordinator } from '../../../src/main/agents/agent-turn.ts';
import { ControlClock } from '../../../src/main/agents/clock.ts';
import type { AgentMessage, CoordinatorMessage, Prepare } from '../../../src/main/agents/messages.ts';
import type { TurnOutcome } from '../../../src/main/agents/outcome.ts';
import { usualPatience } from '../../../src/main/agents/patience.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { addUp, type HostUse } from '../../../src/main/run/host-use.ts';
import { ConnectRefused, TurnVoided } from '../../../src/main/run/threads.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { buildTask } from '../../support/threads.ts';

const clock = new ControlClock({ offsetMicros: 1e15, boundMicros: 20 });
const cpu: HostUse['cpu'] = {
  ...{ clientCores: 0.5, machineBusyShare: 0.25, throttling: null, link: null },
  cpuSets: { machine: 4, client: { cpus: 2, busyShare: 0.5 }, both: { cpus: 2, busyShare: 0.5 } },
};

/** Agents that answer at once, unless told otherwise. */
class FakeAgents implements Coordinator {
  readonly seated;
  patience = usualPatience;
  cuts = 0;
  readonly sent: { readonly seat: number | 'all'; readonly message: CoordinatorMessage }[] = [];
  readonly #listeners = new Set<(message: AgentMessage) => void>();
  readonly #prepared = new Map<number, Prepare>();
  #onOutcome: (seat: number, outcome: TurnOutcome) => void = () => {};
  #turn = 0;
  /** What is left of the lead when an agent receives the start; by default nearly all. */
  leadLeft: (seat: number, turn: number) => number = () => 25;
  outcome: (seat: number, prepared: Prepare) => TurnOutcome = (_, { tasks }) => ({
    kind: 'done',
    samples: tasks.map(({ thread }) => ({ thread }) as never),
    ...{ cpu: cpu as never, startLagMs: 0.5 },
  });
  isReady: (seat: number) => boolean = () => true;
  onPrepared: () => void = () => {};

  constructor(agents: number) {
    this.seated = Array.from({ length: agents }, (_, seat) => ({
      ...{ seat, host: undefined, name: `agent${seat}`, lastMessageMs: 0, unreachedSinceMs: undefined },
      roundTripMs: 1 + seat,
    }));
  }

  beginTurn(onOutcome: (seat: number, outcome: TurnOutcome) => void): number {
    this.#onOutcome = onOutcome;
    this.#prepared.clear();
    return ++this.#turn;
  }
  endTurn(): void {}
  listen(listener: (message: AgentMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async readClock(): Promise<ControlClock> {
    return clock;
  }
  async until(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = performance.now() + Math.min(timeoutMs, 50);
    while (!isTrue() && performance.now() < endMs) await new Promise(resolve => setTimeout(resolve, 1));
    return isTrue();
  }
  fail(code: 'AGENT_LOST', message: string): PoolbenchError {
    return new PoolbenchError(code, message);
  }

  async send(seat: number | 'all', message: CoordinatorMessage): Promise<void> {
    this.sent.push({ seat, message });
    const say = (answer: AgentMessage) => {
      for (const listener of this.#listeners) listener(answer);
    };
    const turn = this.#turn;
    if (message.kind === 'prepare' && seat !== 'all') {
      this.#prepared.set(seat, message);
      say({ kind: 'here', seat, turn, phase: this.isReady(seat) ? 'ready' : 'preparing' });
      this.onPrepared();
    }
    for (const [seat, prepared] of this.#prepared) {
      if (message.kind === 'go') {
        const leadMs = this.leadLeft(seat, turn);
        say({ kind: 'acknowledged', seat, turn, what: 'go', leadMs, boundMicros: 20 });
        if (leadMs >= 0) this.#onOutcome(seat, this.outcome(seat, prepared));
      } else if (message.kind === 'stop') {
        this.#onOutcome(seat, this.outcome(seat, prepared));
        say({ kind: 'here', seat, turn, phase: 'idle' });
      }
    }
  }
}

function run(agents: FakeAgents, { threads = 3, perAgent = 2, timeoutMs = 1000 } = {}) {
  const shared = SharedState.forThreads(threads);
  const tasks = Array.from({ length: threads }, (_, thread) =>
    buildTask(6379, shared, { timeoutMs }, thread),
  );
  const address = { ...buildTask(6379, shared).address };
  const own = tasks.map(task => ({ ...task, address }));
  const made = new AgentThreads(agents, { perAgent, pool: 1, subjects: new Map([[address, { address }]]) });
  const windows: number[] = [];
  const running = made.run(own, shared, ({ startNs }) => windows.push(startNs), made.place(0, threads, 0));
  return { made, running, windows, shared };
}

const prepared = (agents: FakeAgents) =>
  agents.sent.flatMap(({ seat, message }) => (message.kind === 'prepare' ? [{ seat, ...message }] : []));

test('each agent gets its part of the tasks without login and memory, and samples come in the order of the tasks', async () => {
  const agents = new FakeAgents(2);
  const before = nowNs();
  const { made, running, windows } = run(agents);
  expect((await running).map(({ thread }) => thread)).toEqual([0, 1, 2]);
  expect(prepared(agents).map(({ seat, tasks }) => [seat, tasks.map(({ thread }) => thread)])).toEqual([
    [0, [0, 2]],
    [1, [1]],
  ]);
  const [first] = prepared(agents);
  expect(first?.tasks[0]).not.toHaveProperty('shared');
  expect(first?.tasks[0]).not.toHaveProperty('address');
  expect(first?.placement).toEqual([0, 1]);
  const go = agents.sent.find(({ message }) => message.kind === 'go')?.message;
  const at = go?.kind === 'go' ? clock.toLocal(go.at) : 0;
  expect((at - before) / 1e6).toBeGreaterThanOrEqual(29);
  expect(windows[0]).toBeCloseTo(at, -3);
  const used = made.used();
  expect(
    used?.hosts.map(({ name, threads, leadMs, clockBoundMs, startLagMs }) => [
      ...[name, threads, leadMs],
      ...[clockBoundMs, startLagMs],
    ]),
  ).toEqual([
    ['agent0', 2, 25, 0.02, 0.5],
    ['agent1', 1, 25, 0.02, 0.5],
  ]);
  expect(used?.basePingMs).toBe(1.5);
  expect(used?.cpu.clientCores).toBe(1);
});

test('a start that was received too late is repeated with twice the lead; after the fourth the run ends', async () => {
  const agents = new FakeAgents(2);
  agents.leadLeft = (seat, turn) => (seat === 1 && turn < 3 ? -1 : 20);
  const loads = [{ completed: 3, warmupCompleted: 1 }];
  agents.outcome = (_, { turn, tasks }) => ({
    kind: 'done',
    samples: tasks.map(({ thread }) => ({ thread, loads, inserted: [turn === 1 ? 9 : 5] }) as never),
    ...{ cpu: cpu as never, startLagMs: 0 },
  });
  const samples = await run(agents).running;
  // What was done in two starts that were missed, the server has counted, too.
  expect(samples.map(({ loads }) => loads[0]?.warmupCompleted)).toEqual([9, 9, 9]);
  // And the records of the first are still there.
  expect(samples.map(({ inserted }) => inserted)).toEqual([[9], [9], [9]]);
  expect(prepared(agents).map(({ turn }) => turn)).toEqual([1, 1, 2, 2, 3, 3]);
  expect(agents.sent.filter(({ message }) => message.kind === 'stop')).toHaveLength(2);

  agents.leadLeft = () => -1;
  const { running } = run(agents);
  await expect(running).rejects.toMatchObject({ code: 'START_MISSED' });
});

test('a refused connection ends the turn on every agent', async () => {
  const agents = new FakeAgents(2);
  agents.outcome = seat =>
    seat === 1
      ? { kind: 'failed', why: 'connect', message: 'ECONNREFUSED' }
      : { kind: 'done', samples: [], cpu: null, startLagMs: 0 };
  const { running } = run(agents);
  await expect(running).rejects.toThrow(ConnectRefused);
  await expect(running).rejects.toThrow(/agent1: ECONNREFUSED/);
});

test('an agent that is not ready in time is lost, though its heartbeat comes', async () => {
  // In real time, a single stall of a busy machine could be longer than all of it.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const agents = new FakeAgents(2);
  agents.patience = { ...usualPatience, graceMs: 60, answerMs: 5 };
  agents.isReady = seat => seat !== 1;
  const { running } = run(agents, { timeoutMs: 10 });
  const lost = expect(running).rejects.toMatchObject({ code: 'AGENT_LOST' });
  await vi.advanceTimersByTimeAsync(1000);
  await lost;
  await expect(running).rejects.toThrow(/agent1 to connect/);
  // It was asked more than once: a message may be lost.
  expect(prepared(agents).filter(({ seat }) => seat === 1).length).toBeGreaterThan(1);
  expect(prepared(agents).filter(({ seat }) => seat === 0)).toHaveLength(1);
});

test('a turn of which messages may be lost is voided', async () => {
  const agents = new FakeAgents(2);
  agents.onPrepared = () => {
    agents.cuts = 1;
  };
  const { running } = run(agents);
  await expect(running).rejects.toThrow(TurnVoided);
  await expect(running).rejects.toMatchObject({ code: 'CONTROL_LOST' });
});

test('a part stays on its agent, parts of an agent take turns on its threads, and fewer hosts take turns', () => {
  const { made } = run(new FakeAgents(2), { threads: 4 });
  // Two threads on each of two agents: 0 and 1, 2 and 3.
  expect(made.place(1, 4, 0)).toEqual([1, 3, 0, 2]);
  expect(made.place(2, 4, 0)).toEqual([0, 2, 1, 3]);
  expect(made.place(1, 1, 0)).toEqual([1]);
  expect(made.place(1, 2, 1)).toEqual([3, 2]);
  expect(made.place(2, 2, 1)).toEqual([0, 1]);
});

test('hosts add up: cores are summed, and busy machines weighted by their CPUs', () => {
  const busy = {
    ...cpu,
    machineBusyShare: 1,
    cpuSets: { machine: 12, client: { cpus: 12, busyShare: 1 }, both: { cpus: 12, busyShare: 1 } },
  };
  expect(addUp([cpu, busy])).toMatchObject({
    ...{ clientCores: 1, machineBusyShare: (0.25 * 4 + 12) / 16 },
    cpuSets: { machine: 16, client: { cpus: 14, busyShare: (1 + 12) / 14 } },
    throttling: null,
  });
  expect(addUp([cpu, { ...cpu, machineBusyShare: null, cpuSets: null }])).toMatchObject({
    ...{ machineBusyShare: null, cpuSets: null },
  });
});
