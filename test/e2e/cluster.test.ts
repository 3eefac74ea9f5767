import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { MeasuredResult } from '../../src/aggregate/result.ts';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { resolveTarget } from '../../src/main/server/find-target.ts';
import { startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { rejection, until } from '../support/connections.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { callsOf } from '../support/observed-server.ts';
import { ownPort } from '../support/ports.ts';
import { certificates, ofTest, onFreePorts, shareServer, startRedis } from '../support/servers.ts';

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** All operations succeeded at the node that they were sent to first, and its masters have counted them. */
function expectCounted(scenarios: readonly MeasuredResult[]): void {
  for (const { rounds, id } of scenarios)
    for (const { issued, completed, failed, unfinished, misses, redirects, serverCalls } of rounds) {
      expect({ failed, unfinished, misses, redirects }, id).toEqual({
        ...{ failed: {}, unfinished: 0, misses: 0 },
        redirects: { moved: 0, ask: 0 },
      });
      expect(completed, id).toBeGreaterThan(0);
      expect([issued, serverCalls], id).toEqual([completed, completed]);
    }
}

describe('cluster is measured as one target', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ server: 'valkey' });
  });
  afterAll(() => cluster?.stop());

  const url = () => cluster.masters[1]?.url ?? '';
  const keysLeft = () => Promise.all(cluster.masters.map(({ redis }) => redis.dbsize()));

  describe('all masters of the cluster are one target', () => {
    test('every operation is counted by them, none is redirected, records that YCSB D inserts are found, and no key is left', async () => {
      const experiment = await createExperiment(url(), {
        target: { server: 'valkey', url: url(), cluster: true },
        workload: { keys: 1000, ycsb: 'D' },
        scenarios: [{ client: ['wire', 'ioredis'], pool: 'shared', workers: 6, pipeline: 10, ...calm }],
        ...{ rounds: 2, seconds: 0.3 },
      });
      const { code, stdout, stderr } = await experiment.run();
      expect(code, stderr).toBe(0);
      expect(stdout).toContain('cluster of 3 masters');
      const { target, scenarios, warnings } = await experiment.result();
      expect(target.detected).toMatchObject({ server: 'valkey', masters: 3 });
      // The observer of each master, and nothing of our own.
      expect(warnings.filter(warning => warning.startsWith('127.0.0.1:'))).toEqual(
        cluster.masters.map(({ port }) => expect.stringMatching(`^127.0.0.1:${port}: 1 `)),
      );
      expect(scenarios).toHaveLength(2);
      expectCounted(scenarios);
      const rounds = scenarios.flatMap(({ rounds }) => rounds);
      // A process without a core as a window begins or ends has no figures of the server.
      expect(rounds.some(({ cpu }) => cpu.serverCores !== null)).toBe(true);
      for (const { commands, cpu, basePingMs } of rounds) {
        expect(commands.find(({ name }) => name === 'SET')?.completed).toBeGreaterThan(0);
        const { serverCores, serverMainThreadCores } = cpu;
        if (serverCores !== null) {
          expect(serverCores).toBeGreaterThan(0);
          expect(serverMainThreadCores).toBeLessThan(serverCores);
        }
        expect(basePingMs).toBeGreaterThan(0);
      }
      expect(await keysLeft()).toEqual([0, 0, 0]);
    });

    test('connections that are cut are those of all masters, and come back', async () => {
      const experiment = await createExperiment(url(), {
        target: { server: 'any', url: url(), cluster: true },
        // Some five operations for each cut, which costs one at most.
        scenarios: [{ client: 'wire', workers: 4, cutEveryMs: 100, ...unhurried }],
        // The test stops it once everything has happened.
        seconds: 60,
      });
      const calls = (command: string) =>
        Promise.all(cluster.masters.map(({ redis }) => callsOf(redis, command)));
      for (const { redis } of cluster.masters) await redis.config('RESETSTAT');
      const running = experiment.start();
      await until(async () => {
        const cuts = await calls('client\\|kill');
        return cuts.every(count => count > 0) && sum(cuts) > 3;
      }, 20);
      const before = sum(await calls('get'));
      await until(async () => sum(await calls('get')) > before + 10, 20);
      running.kill('SIGINT');
      const { code, stderr } = await running.outcome;
      expect(code, stderr).toBe(130);
      const [round] = (await experiment.result()).scenarios[0]?.rounds ?? [];
      const failed = sum(Object.values(round?.failed ?? {}));
      expect(round?.cuts).toBeGreaterThan(3);
      expect(round?.issued).toBe((round?.completed ?? 0) + failed + (round?.unfinished ?? 0));
      expect(round?.completed).toBeGreaterThan(failed * 3);
      expect(await keysLeft()).toEqual([0, 0, 0]);
    });
  });

  describe('nodes are reached by both clients', () => {
    async function expectReached(natMap: Readonly<Record<string, string>>): Promise<void> {
      const experiment = await createExperiment(url(), {
        target: { server: 'any', url: url(), cluster: true, natMap },
        scenarios: [{ client: ['wire', 'ioredis'], workers: 4, ...unhurried }],
        seconds: 0.2,
      });
      const { code, stderr } = await experiment.run();
      expect(code, stderr).toBe(0);
      expectCounted((await experiment.result()).scenarios);
      expect(await keysLeft()).toEqual([0, 0, 0]);
    }

    /** Until the test is over. */
    async function announce(key: string, value: (port: number) => string, usual: string): Promise<void> {
      const set = (inNode: (port: number) => string) =>
        Promise.all(cluster.masters.map(({ redis, port }) => redis.config('SET', key, inNode(port))));
      onTestFinished(async () => void (await set(() => usual)));
      await set(value);
    }

    test('that announce no host', async () => {
      await announce('cluster-preferred-endpoint-type', () => 'unknown-endpoint', 'ip');
      await expectReached({});
    });

    test('that announce one which only natMap knows', async () => {
      await announce('cluster-announce-hostname', port => `no-such-${port}.invalid`, '');
      await announce('cluster-preferred-endpoint-type', () => 'hostname', 'ip');
      const slots = async () => JSON.stringify(await cluster.masters[1]?.redis.call('CLUSTER', 'SLOTS'));
      await expect.poll(slots).toMatch(/(no-such.*){3}/);
      const places = cluster.masters.map(({ port }) => [
        `no-such-${port}.invalid:${port}`,
        `127.0.0.1:${port}`,
      ]);
      await expectReached(Object.fromEntries(places));
    });
  });

  describe('what is no cluster, or not said to be one', () => {
    const find = (found: string, asCluster: boolean) =>
      rejection(
        resolveTarget({ server: 'any', url: found, cluster: asCluster, standInAllowed: true, say: () => {} }),
      );

    test('a node of a cluster, where the config does not name the cluster', async () => {
      expect(await find(url(), false)).toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(/3 masters.*target\.cluster/),
      });
    });

    test('a standalone server, if the config declares a cluster', async () => {
      const alone = await shareServer();
      expect(await find(alone.url, true)).toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(/target\.cluster/),
      });
    });

    test('a cluster that does not serve all slots', async () => {
      const starting = onFreePorts(async () =>
        startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await ownPort())] }),
      );
      const empty = await ofTest(starting);
      expect(await find(empty.url, true)).toMatchObject({
        exitCode: 3,
        message: expect.stringContaining('16384'),
      });
    });

    test('nothing is started where nothing listens', async () => {
      expect(await find('redis://127.0.0.1:1', true)).toMatchObject({
        exitCode: 3,
        message: expect.stringContaining('nothing listens there'),
      });
    });

    test.each(['redis://localhost:6379/1', 'unix:///tmp/redis.sock'])(
      '%s cannot be that of a cluster',
      async other => {
        const { configPath } = await createExperiment(other, {
          target: { server: 'redis', url: other, cluster: true },
        });
        expect(await rejection(readConfig(configPath))).toMatchObject({
          exitCode: 2,
          message: expect.stringMatching(/target\.url: .*target\.cluster/),
        });
      },
    );
  });
});

describe('cluster that fails over under load keeps its books', () => {
  /** Names of connections: of a scenario, and of the population beside it, whose keys have the next free prefix. */
  const loads = ['poolbench:1', 'poolbench:1.1'];
  const [killed, handedOver] = [16383, 0];

  /** Older than this, in seconds, a connection is not of the warm-up of the threads, which lasts 0.2 s: it is measured. */
  const measuredAge = 2;

  /** Whether each load has connections of that age to the node over which it reads. A node that does not answer has none. */
  async function areAllReadingFrom({ redis }: TestNode, minAge = 0): Promise<boolean> {
    const list = String(await redis.client('LIST').catch(() => '')).split('\n');
    const isReading = (line: string) =>
      / cmd=get /.test(line) && Number(/ age=(\d+)/.exec(line)?.[1]) >= minAge;
    return loads.every(name => list.some(line => line.includes(` name=${name} `) && isReading(line)));
  }

  /** Resolves when another node than `before` serves the slot, and each load has found it. */
  async function taken(cluster: TestCluster, slot: number, before: TestNode): Promise<void> {
    // Nodes differ for a while in who serves: one that has just been found may be another's past.
    await until(async () => {
      const { master } = await cluster.servingOf(slot);
      return master !== before && (await areAllReadingFrom(master));
    }, 20);
  }

  test('one master is killed, another hands over, and every operation of both clients is accounted for', {
    timeout: 60_000,
  }, async () => {
    // A cluster of its own: what is left of it has too few nodes for another try.
    const cluster = await ofTest(startCluster({ withReplicas: true, nodeTimeoutMs: 500 }));
    const living = new Set(cluster.nodes);
    const url = cluster.masters[0]?.url ?? '';
    const load = { workers: 8, ...calm };
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, cluster: true },
      scenarios: [{ ...load, client: 'wire', pipeline: 4, beside: 'other' }],
      populations: [{ ...load, name: 'other', client: 'ioredis' }],
      seed: 1,
      // The test stops it once everything has happened.
      seconds: 60,
      timeoutMs: 4000,
      // Meanwhile a third of the keys has no master, or all have none.
      maxFailedShare: 1,
    });
    const run = experiment.start();
    let { master: victim } = await cluster.servingOf(killed);
    await until(async () => {
      victim = (await cluster.servingOf(killed)).master;
      return await areAllReadingFrom(victim, measuredAge);
    }, 50);
    victim.signal('SIGKILL');
    living.delete(victim);
    await taken(cluster, killed, victim);

    const { master: old, replica } = await cluster.servingOf(handedOver);
    if (replica === undefined) throw new Error('no replica to hand over to');
    await replica.redis.call('CLUSTER', 'FAILOVER');
    await taken(cluster, handedOver, old);
    run.kill('SIGINT');
    const { code, stderr } = await run.outcome;
    expect(stderr).toContain('a master of the cluster');
    expect(stderr).not.toContain('could not be removed');
    expect(code).toBe(130);

    const [measured] = (await experiment.result()).scenarios[0]?.rounds ?? [];
    if (measured === undefined) throw new Error('nothing was measured');
    expect(measured.populations).toHaveLength(1);
    for (const round of [measured, ...(measured.populations ?? [])]) {
      const failed = sum(Object.values(round.failed));
      expect(round.issued).toBe(round.completed + failed + round.unfinished);
      expect(round.unfinished).toBe(0);
      // Until a replica has taken over, a third of the keys has no master.
      expect(failed).toBeGreaterThan(0);
      expect(round.completed).toBeGreaterThan(0);
      expect(round.redirects?.moved).toBeGreaterThan(0);
      expect(round.serverCalls).toBeNull();
    }
    expect(measured.cpu.serverCores).toBeNull();
    const left = await Promise.all([...living].map(({ redis }) => redis.dbsize()));
    expect(left).toEqual(left.map(() => 0));
  });
});

describe('cluster is reached with login and tls', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ password: 's3cret', tls: true });
  });
  afterAll(() => cluster?.stop());

  test('all nodes are spoken to as the one in the URL: in TLS, with its login', async () => {
    const url = `rediss://:s3cret@localhost:${cluster.masters[0]?.tlsPort}`;
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, cluster: true, tls: { ca: certificates.ca } },
      scenarios: [{ client: ['wire', 'ioredis'], workers: 4, pipeline: 4, ...calm }],
      seconds: 0.3,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    expectCounted((await experiment.result()).scenarios);
    for (const { redis } of cluster.masters) expect(await callsOf(redis, 'set')).toBeGreaterThan(0);
    const left = await Promise.all(cluster.masters.map(({ redis }) => redis.dbsize()));
    expect(left).toEqual([0, 0, 0]);
  });
});
