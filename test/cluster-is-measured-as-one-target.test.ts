import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/main/target/free-port.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ server: 'valkey' });
});
afterAll(() => cluster?.stop());

const url = () => cluster.masters[1]?.url ?? '';
const keysLeft = () => Promise.all(cluster.masters.map(({ redis }) => redis.dbsize()));

describe('all masters of the cluster are one target', () => {
  test('every operation is counted by them, none is redirected, and no key is left', async () => {
    const experiment = await createExperiment(url(), {
      target: { server: 'valkey', url: url(), cluster: true },
      scenarios: [
        { client: ['wire', 'ioredis'], pool: ['optimized', 'shared'], workers: 6, pipeline: [1, 10] },
      ],
    });
    const { code, stdout, stderr } = await experiment.run();
    expect(stderr).not.toContain('warning');
    expect(code).toBe(0);
    expect(stdout).toContain('cluster of 3 masters');
    const { target, scenarios, warnings } = await experiment.result();
    expect(target.detected).toMatchObject({ server: 'valkey', masters: 3 });
    expect(warnings).toEqual([]);
    expect(scenarios).toHaveLength(8);
    for (const { rounds, client } of scenarios) {
      const [round] = rounds;
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, redirects: { moved: 0, ask: 0 } });
      expect(round?.completed, client).toBeGreaterThan(100);
      expect(round?.completed).toBe(round?.issued);
      expect(round?.serverCalls).toBe(round?.completed);
      expect(round?.cpu.serverCores).toBeGreaterThan(0);
      expect(round?.cpu.serverMainThreadCores).toBeLessThan(round?.cpu.serverCores ?? 0);
      expect(round?.basePingMs).toBeGreaterThan(0);
    }
    expect(await keysLeft()).toEqual([0, 0, 0]);
  });

  test('connections that are cut are those of all masters, and come back', async () => {
    const experiment = await createExperiment(url(), {
      target: { server: 'any', url: url(), cluster: true },
      scenarios: [{ client: 'wire', workers: 4, cutEveryMs: 20 }],
      seconds: 0.5,
      maxFailedShare: 1,
    });
    const { code } = await experiment.run();
    expect(code).toBe(0);
    const [round] = (await experiment.result()).scenarios[0]?.rounds ?? [];
    const failed = Object.values(round?.failed ?? {}).reduce((sum, count) => sum + count, 0);
    expect(round?.cuts).toBeGreaterThan(3);
    expect(round?.issued).toBe((round?.completed ?? 0) + failed + (round?.unfinished ?? 0));
    expect(round?.completed).toBeGreaterThan(failed * 3);
    expect(await keysLeft()).toEqual([0, 0, 0]);
  });
});

describe('what is no cluster, or not said to be one', () => {
  test('a node of a cluster ends with 3 where the config does not name the cluster', async () => {
    const { code, stderr } = await (
      await createExperiment(url(), { target: { server: 'any', url: url() } })
    ).run();
    expect(stderr).toContain('a node of a cluster with 3 masters');
    expect(stderr).toContain('set target.cluster to true');
    expect(code).toBe(3);
  });

  test('a server alone ends with 3 where the config says that it is a cluster', async () => {
    const alone = await startRedis();
    try {
      const target = { server: 'redis', url: alone.url, cluster: true };
      const { code, stderr } = await (await createExperiment(alone.url, { target })).run();
      expect(stderr).toMatch(/expected a node of a cluster at \S+, as target.cluster says, but it answers/);
      expect(code).toBe(3);
    } finally {
      await alone.stop();
    }
  });

  test('a cluster that does not serve all slots ends with 3', async () => {
    const empty = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    });
    try {
      const target = { server: 'redis', url: empty.url, cluster: true };
      const { code, stderr } = await (await createExperiment(empty.url, { target })).run();
      expect(stderr).toContain('to serve all 16384 slots, but it serves 0');
      expect(code).toBe(3);
    } finally {
      await empty.stop();
    }
  });

  test('nothing is started where nothing listens', async () => {
    const target = { server: 'redis', url: 'redis://127.0.0.1:1', cluster: true };
    const { code, stderr } = await (await createExperiment(target.url, { target })).run();
    expect(stderr).toContain('nothing listens there');
    expect(code).toBe(3);
  });

  test.each(['redis://localhost:6379/1', 'unix:///tmp/redis.sock'])(
    '%s cannot be that of a cluster',
    async other => {
      const target = { server: 'redis', url: other, cluster: true };
      const { code, stderr } = await (await createExperiment(other, { target })).run();
      expect(stderr).toContain(
        'target.url: expected redis:// or rediss:// and database 0, as target.cluster is true',
      );
      expect(code).toBe(2);
    },
  );
});
