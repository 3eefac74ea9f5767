import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { lobbyName } from '../../src/main/agents/lobby.ts';
import { describeTool } from '../../src/main/environment.ts';
import {
  expectExact,
  expectFree,
  keysOfRuns,
  testPatience as patience,
  roundsOf,
  shortenPatience,
  spawnAgent,
  startAgent,
  startAgents,
} from '../support/agents.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver, processId } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, startRedis, type TestServer } from '../support/servers.ts';

const scenario = { client: 'wire', workers: 4, ...unhurried };
const long = { scenarios: [{ ...scenario, pools: 2 }], rounds: 40, seconds: 0.2 };
/** For one agent: each thread takes as long to start as a test. */
const longAlone = { ...long, scenarios: [scenario] };

let target: TestServer;
beforeAll(async () => {
  target = await startRedis();
});
afterAll(() => target.stop());
beforeEach(shortenPatience);

describe('agent that is lost ends the run', () => {
  let control: TestServer;
  let groups = 0;

  beforeAll(async () => {
    control = await startRedis();
  });
  afterAll(() => control.stop());

  /** A group of the test's own at the control server of all. */
  function makeGroup(group = `group-${++groups}`) {
    return {
      /** In this process. */
      start: (name: string) => ofTest(startAgent(control.url, [target.url], { name, group, patience })),
      on: (agents: number) => ['--agents', String(agents), '--group', group, '--control', control.url],
      expectFree: () => expectFree(control.url, group),
      waiting: `poolbench:${lobbyName(group, describeTool().version)}:wait`,
    };
  }

  describe('in a process of its own', () => {
    const group = 'processes';
    let other: Awaited<ReturnType<typeof spawnAgent>>;
    beforeAll(async () => {
      other = await spawnAgent(control.url, [target.url], { name: 'b', group });
    });
    afterAll(() => other.stop());

    test('stopped (SIGSTOP): it is lost, leaves when it goes on, and is free again', async () => {
      const { start, on, expectFree } = makeGroup(group);
      await start('a');
      const experiment = await createExperiment(target.url, long);
      const running = experiment.start(on(2));
      await running.said('round 2/40');
      other.process.kill('SIGSTOP');
      const outcome = await running.outcome;
      expect(outcome.code, outcome.stderr).toBe(1);
      expect(outcome.stderr).toMatch(/expected agent b .* it has sent no heartbeat/);
      other.process.kill('SIGCONT');
      await other.said('left: seat');
      await expectFree();
    });

    test('killed in a round: what was measured is kept, and the run can be resumed with another', async () => {
      const { start, on } = makeGroup(group);
      await start('a');
      const experiment = await createExperiment(target.url, { ...long, rounds: 4 });
      const running = experiment.start(on(2));
      await running.said('round 3/4');
      other.process.kill('SIGKILL');
      const outcome = await running.outcome;
      expect(outcome.code, outcome.stderr).toBe(1);
      expect(outcome.stderr).toMatch(/expected agent b to stay until the end of the run/);
      expect(outcome.stderr).toMatch(/and claims, continue with --resume/);
      const left = await experiment.result();
      expect(left.complete).toBe(false);
      const kept = roundsOf(left);
      expect(kept.length).toBeGreaterThanOrEqual(2);
      for (const round of kept) expectExact(round);
      expect(await (await connectObserver(target.url)).dbsize()).toBe(0);

      await start('c');
      const alone = await runPoolbench(['run', '--resume', await experiment.resultsFolder()]);
      expect(alone.code, alone.stderr).toBe(2);
      expect(alone.stderr).toMatch(/expected the agents of the run, 2 × .*, found none/);
      const resumed = await runPoolbench(['run', '--resume', await experiment.resultsFolder(), ...on(2)]);
      expect(resumed.code, resumed.stderr).toBe(0);
      const whole = await experiment.result();
      expect(whole.complete).toBe(true);
      expect(roundsOf(whole)).toHaveLength(4);
      expect(roundsOf(whole).slice(0, kept.length)).toEqual(kept);
      // All that took part, with what each did.
      const there = whole.hosts?.map(({ name, left }) => [name, left ?? false]).toSorted();
      expect(there).toEqual([
        ['a', false],
        ['b', true],
        ['c', false],
      ]);
    });
  });

  test('told to end in a run: it leaves, and so does the run', async () => {
    const { start, on } = makeGroup();
    const agent = await start('a');
    const experiment = await createExperiment(target.url, longAlone);
    const running = experiment.start(on(1));
    await running.said('round 2/40');
    await agent.stop();
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/agent a .* it was stopped/);
  });

  test('interrupted while it waits for agents: it ends with 130, and nothing is left', async () => {
    const { start, on, expectFree, waiting } = makeGroup();
    const agent = await start('a');
    const running = (await createExperiment(target.url)).start(on(2), { ownProcess: true });
    await Promise.all([running.said('Waiting up to'), agent.said('taken: seat')]);
    running.kill('SIGINT');
    expect((await running.outcome).code).toBe(130);
    expect(await keysOfRuns(control.url)).toEqual([]);
    expect(await (await connectObserver(control.url)).llen(waiting)).toBe(0);
    await expectFree();
  });

  test('interrupted once: what was measured is kept, and the agents are free', async () => {
    const { start, on, expectFree } = makeGroup();
    await start('a');
    const experiment = await createExperiment(target.url, longAlone);
    const running = experiment.start(on(1));
    await running.said('round 2/40');
    running.kill('SIGINT');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(130);
    expect(roundsOf(await experiment.result()).length).toBeGreaterThan(0);
    await expectFree();
  });

  test.each(['killed', 'interrupted twice'])(
    'a coordinator that is %s frees its agents within 20 s, and nothing is left',
    async how => {
      const { start, on, expectFree } = makeGroup();
      const redis = await connectObserver(target.url);
      // Neither removes its keys.
      onTestFinished(async () => void (await redis.flushall()));
      const agent = await start('a');
      const experiment = await createExperiment(target.url, { ...longAlone, timeoutMs: 3000 });
      const running = experiment.start(on(1), { ownProcess: true });
      await running.said('round 2/40');
      if (how === 'killed') running.kill('SIGKILL');
      else {
        // The first waits for what is in flight.
        const pid = await processId(redis);
        process.kill(pid, 'SIGSTOP');
        onTestFinished(() => void process.kill(pid, 'SIGCONT'));
        await sleep(100);
        running.kill('SIGINT');
        await running.said('stopping');
        await sleep(500);
        running.kill('SIGINT');
      }
      const { code, signal } = await running.outcome;
      expect({ code, signal }).toEqual(
        how === 'killed' ? { code: null, signal: 'SIGKILL' } : { code: 130, signal: null },
      );
      const before = Date.now();
      await agent.said('its coordinator sends no heartbeat');
      expect(Date.now() - before).toBeLessThan(20_000);
      expect(await keysOfRuns(control.url)).toEqual([]);
      await expectFree();
    },
  );
});

describe('control server that is lost', () => {
  test('restarted without its data: every round is complete', async () => {
    let control = await startRedis();
    onTestFinished(() => control.stop());
    const { port } = control;
    for (const agent of await startAgents(2, control.url, [target.url], { patience }))
      onTestFinished(() => agent.stop());
    const experiment = await createExperiment(target.url, { ...long, rounds: 4 });
    const running = experiment.start(['--agents', '2', '--control', control.url]);
    await running.said('round 2/4');
    await control.stop();
    await sleep(500);
    control = await startRedis({ port });
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(0);
    const rounds = roundsOf(await experiment.result());
    expect(rounds).toHaveLength(4);
    for (const round of rounds) expectExact(round);
  });

  test('silent for longer than an agent may be: the run goes on; gone for good: it ends with 1, and keeps what was measured', async () => {
    const control = await startRedis();
    onTestFinished(() => control.stop());
    const pid = await processId(await connectObserver(control.url));
    await ofTest(startAgent(control.url, [target.url], { patience }));
    const experiment = await createExperiment(target.url, longAlone);
    const running = experiment.start(['--agents', '1', '--control', control.url]);
    await running.said('round 2/40');
    process.kill(pid, 'SIGSTOP');
    await sleep(1.1 * patience.silentMs);
    process.kill(pid, 'SIGCONT');
    await running.said('round 4/40');
    await control.stop();
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/expected the control server/);
    const rounds = roundsOf(await experiment.result());
    expect(rounds.length).toBeGreaterThanOrEqual(3);
    for (const round of rounds) expectExact(round);
  });
});
