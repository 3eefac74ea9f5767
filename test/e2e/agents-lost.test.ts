import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeTool } from '../../src/main/environment.ts';
import { expectExact, keysOfRuns, roundsOf, startAgent, startAgents, startScene } from '../support/agents.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver, processId } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, startRedis } from '../support/servers.ts';

describe('agent that is lost ends the run', () => {
  const long = {
    scenarios: [{ client: 'wire', workers: 4, pools: 2, ...unhurried }],
    ...{ rounds: 40, seconds: 0.3 },
  };

  test('killed in a round: what was measured is kept, and the run can be resumed with another', async () => {
    const { control, target, agents, env } = await startScene(2);
    const experiment = await createExperiment(target.url, { ...long, rounds: 8 });
    const running = experiment.start(['--agents', '2'], { env, ownProcess: true });
    await running.said('round 3/8');
    agents[1]?.process.kill('SIGKILL');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/expected agent b to take part until the end/);
    const left = await experiment.result();
    expect(left.complete).toBe(false);
    const kept = roundsOf(left);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    for (const round of kept) expectExact(round);
    expect(await (await connectObserver(target.url)).dbsize()).toBe(0);

    await startAgent(control.url, [target.url], { name: 'c' });
    const folder = await experiment.resultsFolder();
    const resumed = await runPoolbench(['run', '--resume', folder, '--agents', '2'], {
      env,
      ownProcess: true,
    });
    expect(resumed.code, resumed.stderr).toBe(0);
    const whole = await experiment.result();
    expect(whole.complete).toBe(true);
    expect(roundsOf(whole)).toHaveLength(8);
    expect(roundsOf(whole).slice(0, kept.length)).toEqual(kept);
  });

  test('stopped (SIGSTOP): it is lost, and leaves when it goes on', async () => {
    const { target, agents, env } = await startScene(2);
    const experiment = await createExperiment(target.url, long);
    const running = experiment.start(['--agents', '2'], { env, ownProcess: true });
    await running.said('round 2/40');
    agents[1]?.process.kill('SIGSTOP');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/expected agent b .* nothing was heard of it/);
    agents[1]?.process.kill('SIGCONT');
    await agents[1]?.said('left: seat');
    const next = await (await createExperiment(target.url)).run(['--agents', '2'], { env });
    expect(next.code, next.stderr).toBe(0);
  });

  test('told to end: it leaves, and so does the run', async () => {
    const { target, agents, env } = await startScene(1);
    const experiment = await createExperiment(target.url, long);
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 2/40');
    agents[0]?.process.kill('SIGTERM');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/agent a .* it was told to end/);
    expect(await agents[0]?.ended).toBe(130);
  });

  test('interrupted while it waits for agents: it ends with 130, and nothing is left', async () => {
    const { control, target, env } = await startScene(1);
    const experiment = await createExperiment(target.url);
    const running = experiment.start(['--agents', '2'], { env, ownProcess: true });
    await running.said('Waiting up to');
    await sleep(500);
    running.kill('SIGINT');
    expect((await running.outcome).code).toBe(130);
    expect(await keysOfRuns(control.url)).toEqual([]);
    const waiting = `poolbench:lobby-default-${describeTool().version}:wait`;
    expect(await (await connectObserver(control.url)).llen(waiting)).toBe(0);
    const next = await (await createExperiment(target.url)).run(['--agents', '1'], { env });
    expect(next.code, next.stderr).toBe(0);
  });

  test('interrupted once: what was measured is kept, and the agents are free', async () => {
    const { target, env } = await startScene(1);
    const experiment = await createExperiment(target.url, long);
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 2/40');
    running.kill('SIGINT');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(130);
    expect(roundsOf(await experiment.result()).length).toBeGreaterThan(0);
    const next = await (await createExperiment(target.url)).run(['--agents', '1'], { env });
    expect(next.code, next.stderr).toBe(0);
  });

  test('a coordinator that is killed frees its agents within 20 s, and nothing is left', async () => {
    const { control, target, agents, env } = await startScene(1);
    const experiment = await createExperiment(target.url, long);
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 2/40');
    running.kill('SIGKILL');
    await running.outcome;
    const before = Date.now();
    await agents[0]?.said('its coordinator has not been heard of');
    expect(Date.now() - before).toBeLessThan(20_000);
    await sleep(500);
    expect(await keysOfRuns(control.url)).toEqual([]);
  });
});

describe('control server that is lost', () => {
  test('restarted without its data: every round is complete', async () => {
    let control = await startRedis();
    onTestFinished(() => control.stop());
    const { port } = control;
    const target = await ofTest(startRedis());
    await startAgents(2, control.url, [target.url]);
    const experiment = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, ...unhurried }],
      ...{ rounds: 6, seconds: 0.4 },
    });
    const env = { POOLBENCH_CONTROL: control.url };
    const running = experiment.start(['--agents', '2'], { env, ownProcess: true });
    await running.said('round 2/6');
    await control.stop();
    await sleep(1000);
    control = await startRedis({ port });
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(0);
    const rounds = roundsOf(await experiment.result());
    expect(rounds).toHaveLength(6);
    for (const round of rounds) expectExact(round);
  });

  test('silent for 15 s: the run goes on when it answers again', async () => {
    const { control, target, env } = await startScene(1);
    const experiment = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      ...{ rounds: 4, seconds: 0.4 },
    });
    const pid = await processId(await connectObserver(control.url));
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 1/4');
    process.kill(pid, 'SIGSTOP');
    await sleep(15_000);
    process.kill(pid, 'SIGCONT');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(0);
    const rounds = roundsOf(await experiment.result());
    expect(rounds).toHaveLength(4);
    for (const round of rounds) expectExact(round);
  });

  test('gone for good: the run ends with 1, and keeps what was measured', async () => {
    const control = await startRedis();
    onTestFinished(() => control.stop());
    const target = await ofTest(startRedis());
    await startAgents(1, control.url, [target.url]);
    const experiment = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      ...{ rounds: 40, seconds: 0.2 },
    });
    const env = { POOLBENCH_CONTROL: control.url };
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 2/40');
    await control.stop();
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/expected the control server/);
    expect(roundsOf(await experiment.result()).length).toBeGreaterThan(0);
  });
});
