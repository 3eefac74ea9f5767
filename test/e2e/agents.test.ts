import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Result, RoundResult } from '../../src/aggregate/result.ts';
import { lobbyName, writeBadge } from '../../src/main/agents/lobby.ts';
import { describeTool } from '../../src/main/environment.ts';
import { startAgent, startAgents } from '../support/agents.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { certificates, ofTest, startRedis, startRedisWithTls, startValkey } from '../support/servers.ts';

/** As a user of the control server needs it. */
const controlRules = '~poolbench:* &poolbench:* +@all -@admin -@dangerous +info +client|list +client|setname';

async function scene(agents: number) {
  const [control, target] = await Promise.all([ofTest(startRedis()), ofTest(startRedis())]);
  const started = await startAgents(agents, control.url, [target.url]);
  return { control, target, agents: started, env: { POOLBENCH_CONTROL: control.url } };
}

function roundsOf(result: Result): RoundResult[] {
  return result.scenarios.flatMap(({ rounds }) => rounds);
}

function recorded(encoded: string): number {
  const histogram = decodeHistogram(encoded);
  const { totalCount } = histogram;
  histogram.destroy();
  return totalCount;
}

/** Every operation is accounted for, by the merged histograms and by the server. */
function expectExact(round: RoundResult): void {
  const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
  expect(round.issued).toBe(round.completed + failed + round.unfinished);
  expect(recorded(round.histograms.service)).toBe(round.completed);
  expect(recorded(round.histograms.response)).toBe(round.completed);
  expect(round.serverCalls).toBe(round.completed);
  expect(round.series.reduce((sum, second) => sum + second.completed, 0)).toBe(round.completed);
}

/** What remains on the control server once a run has ended: the lobby, which agents wait in. */
async function keysOfRuns(url: string): Promise<string[]> {
  const keys = await (await connectObserver(url)).keys('*');
  return keys.filter(key => !key.startsWith('poolbench:lobby-'));
}

describe('load runs on agents as it does here', () => {
  test.each([1, 2, 4])(
    '%i agents: what all of them did adds up to what the server counted, in a closed and an open loop',
    async count => {
      const { control, target, env } = await scene(count);
      const experiment = await createExperiment(target.url, {
        scenarios: [
          { client: 'wire', workers: 8, pools: 4 },
          { client: 'ioredis', workers: 8, pools: 4, arrival: { kind: 'constant', rate: 800 } },
        ],
        ...{ rounds: 2, seconds: 0.25, warmupSeconds: 0.1 },
      });
      const outcome = await experiment.run(['--agents', String(count)], { env });
      expect(outcome.code, outcome.stderr).toBe(0);
      const result = await experiment.result();
      expect(result.complete).toBe(true);
      expect(result.hosts?.map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c', 'd'].slice(0, count));
      for (const round of roundsOf(result)) {
        expectExact(round);
        expect(round.completed).toBeGreaterThan(0);
        expect(round.hosts).toHaveLength(count);
        expect(round.hosts?.reduce((sum, { threads }) => sum + threads, 0)).toBe(4);
        expect(new Set(round.cpu.threads.map(({ thread }) => thread)).size).toBe(4);
        for (const host of round.hosts ?? []) {
          expect(host.leadMs).toBeGreaterThanOrEqual(0);
          expect(host.clockBoundMs).toBeGreaterThan(0);
          expect(host.clockBoundMs).toBeLessThan(50);
        }
      }
      // Exact to the operation: 4 pools have a quarter of the schedule each.
      for (const round of result.scenarios[1]?.rounds ?? []) expect(round.openLoop?.offered).toBe(200);
      expect(outcome.stdout).toMatch(/lead ms/);
      expect(await (await connectObserver(target.url)).dbsize()).toBe(0);
      expect(await keysOfRuns(control.url)).toEqual([]);
    },
  );

  test('more hosts is a question like more pools, and a part of a scenario stays on its agent', async () => {
    const { target, env } = await scene(2);
    const experiment = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, hosts: [1, 2], ...unhurried }],
      ...{ rounds: 3, seconds: 0.2 },
    });
    const outcome = await experiment.run(['--agents', '2'], { env });
    expect(outcome.code, outcome.stderr).toBe(0);
    const { scenarios } = await experiment.result();
    const arms = scenarios.filter(({ control }) => control !== true);
    expect(arms.map(({ hosts }) => hosts)).toEqual([1, 2]);
    expect(arms.map(({ id }) => id)).toEqual([
      expect.stringMatching(/1host$/),
      expect.stringMatching(/2hosts$/),
    ]);
    const [one, two] = arms.map(({ rounds }) =>
      rounds.map(({ hosts = [] }) => hosts.map(({ name, threads }) => `${name}${threads}`)),
    );
    expect(one?.every(([only, ...others]) => /^[ab]2$/.test(only ?? '') && others.length === 0)).toBe(true);
    // Each of them in turn.
    expect(new Set(one?.flat()).size).toBe(2);
    for (const hosts of two ?? []) expect(hosts.toSorted()).toEqual(['a1', 'b1']);
  });

  test('versus, search and a Valkey as control server', async () => {
    const [control, target, other] = await Promise.all([
      ofTest(startValkey()),
      ofTest(startRedis()),
      ofTest(startValkey()),
    ]);
    await Promise.all(['a', 'b'].map(name => startAgent(control.url, [target.url, other.url], { name })));
    const env = { POOLBENCH_CONTROL: control.url };
    const scenarios = [{ client: 'wire', workers: 4, pools: 2, ...unhurried }];
    const [first, second] = [
      await createExperiment(target.url, { name: 'first', scenarios, seconds: 0.2 }),
      await createExperiment(other.url, {
        ...{ name: 'second', scenarios, seconds: 0.2 },
        target: { server: 'valkey', url: other.url },
      }),
    ];
    const out = ['--out', first.folder];
    const versus = await runPoolbench(
      ['versus', first.configPath, second.configPath, ...out, '--agents', '2'],
      { env },
    );
    expect(versus.code, versus.stderr).toBe(0);

    const searched = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 8, pools: 2, arrival: { kind: 'poisson', rate: 600 } }],
      ...{ seconds: 0.2, search: { responseP99Ms: 10_000, completedShare: 0.1, precision: 1 } },
    });
    const search = await searched.run(['--agents', '2'], { command: 'search', env } as never);
    expect(search.code, search.stderr).toBe(0);
  });

  test('the control server may have TLS and an ACL; login and certificates of the target come from the agent', async () => {
    const control = await ofTest(startRedis());
    const target = await ofTest(startRedisWithTls({ args: ['--requirepass', 'secret'] }));
    const admin = await connectObserver(control.url);
    await admin.call('ACL', 'SETUSER', 'bench', 'on', '>pw', ...controlRules.split(' '));
    const url = control.url.replace('//', '//bench:pw@');
    const env = { POOLBENCH_TARGET_PASSWORD: 'secret', POOLBENCH_TARGET_CA: certificates.ca };
    const agent = await startAgent(url, [target.url], { env });
    const withLogin = target.url.replace('//', '//:secret@');
    const experiment = await createExperiment(target.url, {
      target: { server: 'redis', url: withLogin, tls: { ca: certificates.ca } },
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      seconds: 0.2,
    });
    const outcome = await experiment.run(['--agents', '1'], { env: { POOLBENCH_CONTROL: url } });
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const round of roundsOf(await experiment.result())) expectExact(round);
    expect(agent.output() + outcome.stderr + outcome.stdout).not.toContain('secret');
    expect(agent.output() + outcome.stderr + outcome.stdout).not.toContain('pw@');
  });
});

describe('run without its agents does not begin', () => {
  test('the message says who is there, and who is there in another version', async () => {
    const [control, target] = await Promise.all([ofTest(startRedis()), ofTest(startRedis())]);
    const other = await connectObserver(control.url);
    const lobby = Buffer.from(lobbyName('default', '0.0.1')).toString('base64');
    const badge = writeBadge({ id: 'x', name: 'old-agent', cores: 1, node: 'v20' });
    await other.client('SETNAME', `poolbench:${lobby}:w:${badge}`);
    await startAgent(control.url, [target.url]);
    const experiment = await createExperiment(target.url);
    const args = ['--agents', '2', '--agents-wait', '1s', '--control', control.url];
    const outcome = await experiment.run(args);
    expect(outcome.code, outcome.stderr).toBe(3);
    expect(outcome.stderr).toMatch(/found 1 within/);
    expect(outcome.stderr).toMatch(/old-agent of group default and version 0\.0\.1/);
    expect(await keysOfRuns(control.url)).toEqual([]);

    const listed = await runPoolbench(['agents', '--control', control.url, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { name: 'a', version: describeTool().version, group: 'default', busy: null },
      { name: 'old-agent', version: '0.0.1' },
    ]);
  });

  test('an agent refuses a target that it was not allowed, and is free again', async () => {
    const { control, target, env } = await scene(1);
    const forbidden = await ofTest(startRedis());
    const refused = await (await createExperiment(forbidden.url)).run(['--agents', '1'], { env });
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/agent a refused: .*--allow-target 127\.0\.0\.1:\d+/);
    expect(await keysOfRuns(control.url)).toEqual([]);
    const allowed = await (await createExperiment(target.url)).run(['--agents', '1'], { env });
    expect(allowed.code, allowed.stderr).toBe(0);
  });

  test('the control server is no target, nor is one that only the coordinator reaches', async () => {
    const { control, target, env } = await scene(1);
    const both = await (await createExperiment(control.url)).run(['--agents', '1'], { env });
    expect(both.code, both.stderr).toBe(3);
    expect(both.stderr).toMatch(/is not the control server/);

    const silent = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 2, cutEveryMs: 100, cut: 'silent' }],
    });
    expect((await silent.run(['--agents', '1'], { env })).code).toBe(2);

    const wide = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, hosts: 2 }],
    });
    expect((await wide.run(['--agents', '1'], { env })).code).toBe(2);
    expect((await wide.run()).code).toBe(2);
  });

  test('a control server that is not there, or refuses the login, ends it with 3', async () => {
    const control = await ofTest(startRedis({ args: ['--requirepass', 'pw'] }));
    const target = await ofTest(startRedis());
    const experiment = await createExperiment(target.url);
    const wrong = control.url.replace('//', '//:other@');
    const results = [
      await experiment.run(['--agents', '1', '--control', 'redis://127.0.0.1:1']),
      await experiment.run(['--agents', '1', '--control', wrong]),
      await runPoolbench(['agents', '--control', wrong]),
      await runPoolbench(['agent', '--allow-target', 'h:1', '--control', wrong], { ownProcess: true }),
    ];
    expect(results.map(({ code }) => code)).toEqual([3, 3, 3, 3]);
    expect(results.map(({ stderr }) => stderr).join('')).not.toContain('other');
    const without = [
      await experiment.run(['--agents', '1']),
      await experiment.run(['--control', control.url]),
      await runPoolbench(['agent', '--control', control.url]),
    ];
    expect(without.map(({ code }) => code)).toEqual([2, 2, 2]);
  });
});

describe('agent that is lost ends the run', () => {
  const long = {
    scenarios: [{ client: 'wire', workers: 4, pools: 2, ...unhurried }],
    ...{ rounds: 40, seconds: 0.3 },
  };

  test('killed in a round: what was measured is kept, and the run can be resumed with another', async () => {
    const { control, target, agents, env } = await scene(2);
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

  test('told to end: it leaves, and so does the run', async () => {
    const { target, agents, env } = await scene(1);
    const experiment = await createExperiment(target.url, long);
    const running = experiment.start(['--agents', '1'], { env, ownProcess: true });
    await running.said('round 2/40');
    agents[0]?.process.kill('SIGTERM');
    const outcome = await running.outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toMatch(/agent a .* it was told to end/);
    expect(await agents[0]?.ended).toBe(130);
  });

  test('interrupted once: what was measured is kept, and the agents are free', async () => {
    const { target, env } = await scene(1);
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
    const { control, target, agents, env } = await scene(1);
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
