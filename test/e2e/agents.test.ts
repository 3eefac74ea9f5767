import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { lobbyName, writeBadge } from '../../src/main/agents/lobby.ts';
import { describeTool } from '../../src/main/environment.ts';
import { expectExact, keysOfRuns, roundsOf, startAgent, startScene } from '../support/agents.ts';
import { startCluster } from '../support/cluster.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { createSuites } from '../support/ledger.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { certificates, ofTest, startRedis, startRedisWithTls, startValkey } from '../support/servers.ts';

/** As a user of the control server needs it. */
const controlRules = '~poolbench:* &poolbench:* +@all -@admin -@dangerous +info +client|list +client|setname';

describe('load runs on agents as it does here', () => {
  test.each([1, 2, 4])(
    '%i agents: what all of them did adds up to what the server counted, in a closed and an open loop',
    async count => {
      const { control, target, env } = await startScene(count);
      const experiment = await createExperiment(target.url, {
        scenarios: [
          { client: 'wire', workers: 8, pools: 4 },
          { client: 'ioredis', workers: 8, pools: 4, arrival: { kind: 'constant', rate: 800 } },
        ],
        // After a warm-up, a thread without a core would begin its window late, and have less of the schedule.
        ...{ rounds: 2, seconds: 0.25, warmupSeconds: 0 },
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
    const { target, env } = await startScene(2);
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

  test('claims keeps its agents from one suite to the next', async () => {
    const { control, target, agents } = await startScene(2);
    const suites = await createSuites({ C1: 'first', C2: 'second' });
    await suites.write('second', { scenarios: [{ client: 'wire', workers: 4, pools: 4, ...unhurried }] });
    const outcome = await suites.run([target.url, '--agents', '2', '--control', control.url]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect((await suites.ledger()).complete).toBe(true);
    for (const agent of agents) expect(agent.output().match(/taken: /g)).toHaveLength(1);
  });

  test('every kind of scenario is exact on two agents', async () => {
    const { target, env } = await startScene(2);
    const common = { workers: 6, pools: 3, client: 'wire' };
    const calm = { arrival: { kind: 'burst', rate: 1000, size: 40 } };
    const experiment = await createExperiment(target.url, {
      scenarios: [
        { ...common, client: ['wire', 'ioredis'], pipeline: 5, ...calm },
        { ...common, pool: ['baseline', 'shared'], probe: 'ping', ...calm },
        { ...common, client: 'ioredis', autoPipelining: true, poolsPerThread: 2, ...calm },
        { ...common, batch: { pool: 'separate', workers: 3, pipeline: 10 } },
        { ...common, connects: 'jittered', burst: true, minIdleShare: 0.5, ...calm },
        { ...common, arrival: { kind: 'poisson', rate: [200, 400], order: 'upAndDown' } },
      ],
      workload: { keys: 300, valueBytes: { kind: 'range', from: 8, to: 64 }, hitShare: 0.9 },
      ...{ seconds: 0.3, warmupSeconds: 0.1 },
    });
    const outcome = await experiment.run(['--agents', '2'], { env });
    expect(outcome.code, outcome.stderr).toBe(0);
    const result = await experiment.result();
    expect(result.scenarios.length).toBeGreaterThanOrEqual(9);
    for (const round of roundsOf(result)) expectExact(round);
    expect(await (await connectObserver(target.url)).dbsize()).toBe(0);
  });

  test('records that grow are counted and removed, and connections are cut, as without agents', async () => {
    const { target, env } = await startScene(2);
    const ycsb = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, arrival: { kind: 'constant', rate: 400 } }],
      ...{ workload: { keys: 2000, ycsb: 'D' }, rounds: 2, seconds: 0.3 },
    });
    const grown = await ycsb.run(['--agents', '2'], { env });
    expect(grown.code, grown.stderr).toBe(0);
    for (const round of roundsOf(await ycsb.result())) expectExact(round);
    expect(await (await connectObserver(target.url)).dbsize()).toBe(0);

    const cut = await createExperiment(target.url, {
      scenarios: [{ client: 'wire', workers: 4, pools: 2, cutEveryMs: 100, ...unhurried }],
      ...{ seconds: 0.5, maxFailedShare: 1 },
    });
    const outcome = await cut.run(['--agents', '2'], { env });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(roundsOf(await cut.result())[0]?.cuts).toBeGreaterThan(0);
  });

  test('a cluster is loaded by two agents, if all of its nodes are allowed', async () => {
    const control = await ofTest(startRedis());
    const cluster = await ofTest(startCluster());
    const nodes = cluster.nodes.map(({ url }) => url);
    await Promise.all(['a', 'b'].map(name => startAgent(control.url, nodes, { name })));
    const [url = ''] = nodes;
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, cluster: true },
      scenarios: [
        { client: ['wire', 'ioredis'], workers: 4, pools: 2, arrival: { kind: 'constant', rate: 200 } },
      ],
      seconds: 0.3,
    });
    const env = { POOLBENCH_CONTROL: control.url };
    const outcome = await experiment.run(['--agents', '2'], { env });
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const round of roundsOf(await experiment.result())) expectExact(round);

    const only = await ofTest(startRedis());
    await startAgent(only.url, [url]);
    const refused = await experiment.run(['--agents', '1', '--control', only.url]);
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/--allow-target/);
  });

  test('the control server may have TLS and an ACL; login and certificates of the target come from the agent', async () => {
    const control = await ofTest(startRedisWithTls());
    const target = await ofTest(startRedisWithTls({ args: ['--requirepass', 'secret'] }));
    const tls = { ca: await readFile(certificates.ca, 'utf8') };
    const admin = await connectObserver(control.url, { tls });
    await admin.call('ACL', 'SETUSER', 'bench', 'on', '>pw', ...controlRules.split(' '));
    const url = control.url.replace('//', '//bench:pw@');
    const trust = { NODE_EXTRA_CA_CERTS: certificates.ca };
    const env = { POOLBENCH_TARGET_PASSWORD: 'secret', POOLBENCH_TARGET_CA: certificates.ca, ...trust };
    const agent = await startAgent(url, [target.url], { env });
    const withLogin = target.url.replace('//', '//:secret@');
    const experiment = await createExperiment(target.url, {
      target: { server: 'redis', url: withLogin, tls: { ca: certificates.ca } },
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      seconds: 0.2,
    });
    const outcome = await experiment.run(['--agents', '1'], { env: { POOLBENCH_CONTROL: url, ...trust } });
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const round of roundsOf(await experiment.result())) expectExact(round);
    const said = agent.output() + outcome.stderr + outcome.stdout;
    expect(said).not.toContain('secret');
    expect(said).not.toContain('pw@');
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
    const { control, target, env } = await startScene(1);
    const forbidden = await ofTest(startRedis());
    const refused = await (await createExperiment(forbidden.url)).run(['--agents', '1'], { env });
    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toMatch(/agent a refused: .*--allow-target 127\.0\.0\.1:\d+/);
    expect(await keysOfRuns(control.url)).toEqual([]);
    const allowed = await (await createExperiment(target.url)).run(['--agents', '1'], { env });
    expect(allowed.code, allowed.stderr).toBe(0);
  });

  test('the control server is no target, nor is one that only the coordinator reaches', async () => {
    const { control, target, env } = await startScene(1);
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
