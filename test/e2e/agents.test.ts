import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { lobbyName, writeBadge } from '../../src/main/agents/lobby.ts';
import { describeTool } from '../../src/main/environment.ts';
import {
  expectExact,
  expectFree,
  keysOfRuns,
  roundsOf,
  spawnAgent,
  startAgent,
  startAgents,
  type TestAgent,
} from '../support/agents.ts';
import { startCluster } from '../support/cluster.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { createSuites } from '../support/ledger.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ownPort } from '../support/ports.ts';
import {
  certificates,
  ofTest,
  onFreePorts,
  shareServer,
  startRedis,
  startRedisWithTls,
  type TestServer,
  tlsArguments,
} from '../support/servers.ts';

/** As a user of the control server needs it. */
const controlRules = '~poolbench:* &poolbench:* +@all -@admin -@dangerous +info +client|list +client|setname';

/** A Valkey, which may be one, too; that of the test of TLS is a Redis. */
let control: TestServer;
let target: TestServer;
/** One that the agents in the group default may not load. */
let other: TestServer;
/** Four, in the group default. */
let agents: readonly TestAgent[];
/** Of a run on so many of them. */
const on = (count: number, ...args: readonly string[]) => [
  ...['--agents', String(count), '--control', control.url],
  ...args,
];

beforeAll(async () => {
  [control, target, other] = await Promise.all([shareServer('valkey'), shareServer(), startRedis()]);
  agents = await startAgents(4, control.url, [target.url]);
});

afterAll(async () => {
  await Promise.all(agents.map(agent => agent.stop()));
  await other.stop();
});

describe('load runs on agents as it does here', () => {
  test('on 1, 2 and 4 hosts all operations add up to what the server counted, a part of a scenario stays on its agent, and records that grow are removed', async () => {
    const open = { client: 'wire', arrival: { kind: 'burst', rate: 800, size: 20 } };
    const experiment = await createExperiment(target.url, {
      scenarios: [
        // No agent needs a second thread.
        { ...open, workers: 4, hosts: 1 },
        { ...open, workers: 4, pools: 2, hosts: 2 },
        { ...open, workers: 4, pools: 4, hosts: 4 },
      ],
      workload: { keys: 2000, ycsb: 'D' },
      // After a warm-up, a thread without a core would begin its window late, and have less of the schedule.
      ...{ rounds: 2, seconds: 0.1, warmupSeconds: 0 },
    });
    const outcome = await experiment.run(on(4));
    expect(outcome.code, outcome.stderr).toBe(0);
    const result = await experiment.result();
    expect(result.complete).toBe(true);
    expect(result.hosts?.map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    let inserted = 0;
    for (const { hosts, pools, rounds } of result.scenarios)
      for (const round of rounds) {
        expectExact(round);
        inserted += round.commands.find(({ name }) => name === 'SET')?.completed ?? 0;
        expect(round.completed).toBeGreaterThan(0);
        const there = round.hosts ?? [];
        expect(there.map(({ threads }) => threads)).toEqual(Array(hosts).fill(pools / Number(hosts)));
        expect(new Set(round.cpu.threads.map(({ thread }) => thread)).size).toBe(pools);
        // Exact to the operation: each pool has an equal part of the schedule.
        expect(round.openLoop?.offered).toBe(80);
        for (const host of there) {
          expect(host.leadMs).toBeGreaterThanOrEqual(0);
          expect(host.startLagMs).toBeLessThan(1000);
          expect(host.clockBoundMs).toBeGreaterThan(0);
          expect(host.clockBoundMs).toBeLessThan(50);
        }
      }
    expect(inserted).toBeGreaterThan(0);
    const arms = result.scenarios;
    expect(arms.map(({ hosts }) => hosts)).toEqual([1, 2, 4]);
    expect(arms[0]?.id).toMatch(/1host$/);
    expect(arms[1]?.id).toMatch(/2hosts$/);
    // Each of them in turn.
    const names = arms[0]?.rounds.flatMap(({ hosts = [] }) => hosts.map(({ name }) => name));
    expect(new Set(names).size).toBe(2);
    expect(outcome.stdout).toMatch(/start lag ms/);
    expect(await (await connectObserver(target.url)).dbsize()).toBe(0);
    expect(await keysOfRuns(control.url)).toEqual([]);
  });

  test('versus and search', async () => {
    await ofTest(startAgent(control.url, [target.url, other.url], { group: 'sides' }));
    const args = on(1, '--group', 'sides');
    const [first, second] = [
      await createExperiment(target.url, { name: 'first' }),
      await createExperiment(other.url, { name: 'second' }),
    ];
    const out = ['--out', first.folder];
    const versus = await runPoolbench(['versus', first.configPath, second.configPath, ...out, ...args]);
    expect(versus.code, versus.stderr).toBe(0);

    const searched = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, arrival: { kind: 'poisson', rate: 1000 } }],
      // No server answers so fast, and no lower rate can be judged.
      ...{ seconds: 0.1, search: { responseP99Ms: 0.001 } },
    });
    const search = await searched.start([...args, '--json'], { command: 'search' }).outcome;
    expect(search.code, search.stderr).toBe(0);
    expect(JSON.parse(search.stdout).hosts).toHaveLength(1);
  });

  test('claims keeps its agents from one suite to the next', async () => {
    const taken = () => agents.flatMap(agent => agent.output().match(/taken: /g) ?? []).length;
    const before = taken();
    const suites = await createSuites({ C1: 'first', C2: 'second' });
    const outcome = await suites.run([target.url, ...on(1)]);
    expect(outcome.code, outcome.stderr).toBe(0);
    const ledger = await suites.ledger();
    expect(ledger.complete).toBe(true);
    expect(ledger.hosts).toHaveLength(1);
    expect(taken()).toBe(before + 1);

    // What is measured later must be measured by such agents, too.
    const resumed = await suites.run([target.url, '--resume', await suites.ledgerFolder()]);
    expect(resumed.code, resumed.stderr).toBe(2);
    expect(resumed.stderr).toMatch(/expected the agents of the ledger, 1 × .*, found none/);
  });

  test('every kind of scenario is exact on two agents, and connections are cut', async () => {
    const common = { workers: 4, pools: 2, client: 'wire' };
    const experiment = await createExperiment(target.url, {
      scenarios: [
        { ...common, pipeline: 5, connects: 'jittered', burst: true, minIdleShare: 0.5, ...calm },
        { ...common, pool: 'shared', probe: 'ping', arrival: { kind: 'poisson', rate: 50 } },
        { ...common, client: 'ioredis', autoPipelining: true, poolsPerThread: 2, ...calm },
        // In a closed loop.
        { ...common, batch: { pool: 'separate', workers: 2, pipeline: 10 } },
        { ...common, cutEveryMs: 50, ...unhurried },
      ],
      workload: { keys: 300, valueBytes: { kind: 'range', from: 8, to: 64 }, hitShare: 0.9 },
      ...{ seconds: 0.2, maxFailedShare: 1 },
    });
    const outcome = await experiment.run(on(2));
    expect(outcome.code, outcome.stderr).toBe(0);
    const result = await experiment.result();
    expect(result.scenarios).toHaveLength(5);
    for (const { cutEveryMs, rounds } of result.scenarios)
      for (const round of rounds) {
        if (cutEveryMs === 0) expectExact(round);
        else expect(round.cuts).toBeGreaterThan(0);
      }
    expect(await (await connectObserver(target.url)).dbsize()).toBe(0);
  });

  test('a cluster is loaded by an agent, if all of its nodes are allowed', async () => {
    const cluster = await ofTest(startCluster());
    const nodes = cluster.nodes.map(({ url }) => url);
    const [url = ''] = nodes;
    await ofTest(startAgent(control.url, nodes, { group: 'cluster' }));
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, cluster: true },
      scenarios: [{ client: ['wire', 'ioredis'], workers: 4, ...calm }],
      seconds: 0.3,
    });
    const outcome = await experiment.run(on(1, '--group', 'cluster'));
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const round of roundsOf(await experiment.result())) expectExact(round);

    await ofTest(startAgent(control.url, [url], { group: 'node' }));
    const refused = await experiment.run(on(1, '--group', 'node'));
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/--allow-target/);
  });

  test('the control server may have TLS and an ACL; login and certificates of the target come from the agent, which ends when it is told to', async () => {
    let tlsPort = 0;
    const starting = onFreePorts(async () => {
      tlsPort = await ownPort();
      return await startRedis({ args: tlsArguments(tlsPort) });
    });
    const control = await ofTest(starting);
    const target = await ofTest(startRedisWithTls({ args: ['--requirepass', 'secret'] }));
    const admin = await connectObserver(control.url);
    await admin.call('ACL', 'SETUSER', 'bench', 'on', '>pw', ...controlRules.split(' '));
    const ca = certificates.ca;
    const env = { POOLBENCH_TARGET_PASSWORD: 'secret', POOLBENCH_TARGET_CA: ca, NODE_EXTRA_CA_CERTS: ca };
    const inTls = `rediss://bench:pw@localhost:${tlsPort}`;
    const agent = await ofTest(spawnAgent(inTls, [target.url], { env }));
    const withLogin = target.url.replace('//', '//:secret@');
    const experiment = await createExperiment(target.url, {
      target: { server: 'redis', url: withLogin, tls: { ca } },
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      seconds: 0.2,
    });
    // Only a process that starts with them trusts more authorities: this one speaks no TLS to the control server.
    const plain = control.url.replace('//', '//bench:pw@');
    const outcome = await experiment.run(['--agents', '1'], { env: { POOLBENCH_CONTROL: plain } });
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const round of roundsOf(await experiment.result())) expectExact(round);
    const said = agent.output() + outcome.stderr + outcome.stdout;
    expect(said).not.toContain('secret');
    expect(said).not.toContain('pw@');
    agent.process.kill('SIGTERM');
    expect(await agent.ended).toBe(130);
  });
});

describe('run without its agents does not begin', () => {
  test('the message says who is there, and who is there in another version', async () => {
    const other = await connectObserver(control.url);
    const lobby = Buffer.from(lobbyName('few', '0.0.1')).toString('base64');
    const badge = writeBadge({ id: 'x', name: 'old-agent', cores: 1, node: 'v20' });
    await other.client('SETNAME', `poolbench:${lobby}:w:${badge}`);
    await ofTest(startAgent(control.url, [target.url], { name: 'only', group: 'few' }));
    const experiment = await createExperiment(target.url);
    const outcome = await experiment.run(on(2, '--group', 'few', '--agents-wait', '1s'));
    expect(outcome.code, outcome.stderr).toBe(3);
    expect(outcome.stderr).toMatch(/found 1 within/);
    expect(outcome.stderr).toMatch(/old-agent of group few and version 0\.0\.1/);
    expect(await keysOfRuns(control.url)).toEqual([]);

    // The one that was found hears of the end a moment later.
    await expectFree(control.url, 'few');
    const listed = await runPoolbench(['agents', '--control', control.url, '--json']);
    const { version } = describeTool();
    const found: Record<string, unknown>[] = JSON.parse(listed.stdout);
    expect(found.map(({ name, group, version, busy }) => [name, group, version, busy])).toEqual([
      ...['a', 'b', 'c', 'd'].map(name => [name, 'default', version, null]),
      ['old-agent', 'few', '0.0.1', null],
      ['only', 'few', version, null],
    ]);
  });

  test('agents of a run that found too few of them are free at once, and none takes a seat that stayed open', async () => {
    const group = 'two';
    const two = await startAgents(2, control.url, [target.url], { group });
    for (const agent of two) onTestFinished(() => agent.stop());
    const experiment = await createExperiment(target.url);
    // With so many open seats, some are still open when the first agent is free.
    const outcome = await experiment.run(on(200, '--group', group, '--agents-wait', '1s'));
    expect(outcome.code, outcome.stderr).toBe(3);
    await expectFree(control.url, group);
    for (const agent of two) expect(agent.output().match(/taken: /g)).toHaveLength(1);
    expect(await keysOfRuns(control.url)).toEqual([]);
  });

  test('an agent refuses a target that it was not allowed, and is free again', async () => {
    const refused = await (await createExperiment(other.url)).run(on(1));
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/agent [abcd] refused: .*--allow-target 127\.0\.0\.1:\d+/);
    expect(await keysOfRuns(control.url)).toEqual([]);
    await expectFree(control.url, 'default');
  });

  test('an agent refuses a message that it cannot read, with the reason', async () => {
    const [observer, other] = [await connectObserver(control.url), await connectObserver(control.url)];
    await observer.psubscribe('poolbench:run:*');
    observer.on('pmessage', (_, channel) => {
      if (/:run:[\da-f-]{36}:0$/.test(channel)) void other.publish(channel, '{"kind":"stop","turn":-1}');
    });
    const refused = await (await createExperiment(target.url)).run(on(1));
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/agent [abcd] refused: .*: turn: expected a whole number .*, found -1/);
    observer.disconnect();
    await expectFree(control.url, 'default');
  });

  test('an agent that refuses logs why, and the run does not count for --runs, on no agent', async () => {
    const group = 'once';
    const options = { group, runs: 1 };
    const strict = await ofTest(startAgent(control.url, [target.url], { ...options, name: 'strict' }));
    const both = [target.url, other.url];
    const lax = await ofTest(startAgent(control.url, both, { ...options, name: 'lax' }));
    const refused = await (await createExperiment(other.url)).run(on(2, '--group', group));
    expect(refused.code, refused.stderr).toBe(3);
    await strict.said('refused: seat ');
    expect(strict.output()).toMatch(/refused: seat \d of 2 agents in .*: it may load only .*--allow-target/);
    expect(strict.output()).not.toMatch(/left: /);
    await lax.said('the run has ended');

    // One thread: one of them has no part in it, but has been in the run.
    const scenarios = [{ client: 'wire', workers: 4, pools: 1, ...unhurried }];
    const experiment = await createExperiment(target.url, { scenarios, seconds: 0.2 });
    const outcome = await experiment.run(on(2, '--group', group));
    expect(outcome.code, outcome.stderr).toBe(0);
    await Promise.all([strict.ended, lax.ended]);
  });

  test('a client that agents do not have is refused before the run waits for them', async () => {
    // Nobody listens there: it is not even asked.
    const args = ['--agents', '1', '--control', 'redis://127.0.0.1:1'];
    const experiment = await createExperiment(target.url, {
      scenarios: [
        { client: ['wire', 'node-redis'], workers: 2, arrival: { kind: 'constant', rate: 100 } },
        { client: 'iovalkey', workers: 2, arrival: { kind: 'constant', rate: 100 } },
      ],
    });
    const run = await experiment.run(args);
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toMatch(
      /found node-redis(, | and )iovalkey; leave out --agents, or use ioredis or wire/,
    );
    const searched = await createExperiment(target.url, {
      scenarios: [{ client: 'iovalkey', workers: 2, arrival: { kind: 'constant', rate: 2000 } }],
      search: { responseP99Ms: 5 },
    });
    const search = await searched.start(args, { command: 'search' }).outcome;
    expect(search.code, search.stderr).toBe(2);
    expect(search.stderr).toMatch(/leave out --agents/);
  });

  test('the control server is no target, nor is one that only the coordinator reaches', async () => {
    const same = { target: { server: 'any', url: control.url } };
    const both = await (await createExperiment('', same)).run(on(1));
    expect(both.code, both.stderr).toBe(3);
    expect(both.stderr).toMatch(/is not the control server/);

    const silent = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 2, cutEveryMs: 100, cut: 'silent' }],
    });
    expect((await silent.run(on(1))).code).toBe(2);

    const wide = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, hosts: 2 }],
    });
    expect((await wide.run(on(1))).code).toBe(2);
    expect((await wide.run()).code).toBe(2);
  });

  test('a control server that is not there, or refuses the login, ends it with 3', async () => {
    const experiment = await createExperiment(target.url);
    const wrong = control.url.replace('//', '//nobody:other@');
    const results = [
      await experiment.run(['--agents', '1', '--control', 'redis://127.0.0.1:1']),
      await experiment.run(['--agents', '1', '--control', wrong]),
      await runPoolbench(['agents', '--control', wrong]),
      await runPoolbench(['agent', '--allow-target', 'h:1', '--control', wrong]),
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
