import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { resolveTarget } from '../src/main/server/resolve.ts';
import { freePort } from '../src/main/server/server-process.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { rejection } from './support/connections.ts';
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
        { client: ['wire', 'ioredis'], workers: 6 },
        { client: ['wire', 'ioredis'], pool: 'shared', workers: 6, pipeline: 10 },
      ],
      seconds: 0.2,
    });
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('cluster of 3 masters');
    const { target, scenarios, warnings } = await experiment.result();
    expect(target.detected).toMatchObject({ server: 'valkey', masters: 3 });
    // The observer of each master, and nothing of our own.
    expect(warnings).toEqual(
      cluster.masters.map(({ port }) =>
        expect.stringMatching(`^127.0.0.1:${port}: 1 other client connected`),
      ),
    );
    expect(scenarios).toHaveLength(4);
    for (const { rounds, client } of scenarios) {
      const [round] = rounds;
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, redirects: { moved: 0, ask: 0 } });
      expect(round?.completed, client).toBeGreaterThan(0);
      expect(round?.completed).toBe(round?.issued);
      expect(round?.serverCalls).toBe(round?.completed);
      expect(round?.cpu.serverCores).toBeGreaterThan(0);
      expect(round?.cpu.serverMainThreadCores).toBeLessThan(round?.cpu.serverCores ?? 0);
      expect(round?.basePingMs).toBeGreaterThan(0);
    }
    expect(await keysLeft()).toEqual([0, 0, 0]);
  });

  test('records that YCSB D inserts are of all masters, are found by its reads, and are removed', async () => {
    const experiment = await createExperiment(url(), {
      target: { server: 'any', url: url(), cluster: true },
      workload: { keys: 1000, ycsb: 'D' },
      scenarios: [{ client: ['wire', 'ioredis'], workers: 4, pools: 2 }],
      seconds: 0.3,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    let inserted = 0;
    for (const { rounds } of (await experiment.result()).scenarios) {
      const [round] = rounds;
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, redirects: { moved: 0, ask: 0 } });
      expect(round?.serverCalls).toBe(round?.completed);
      inserted += round?.commands.find(({ name }) => name === 'SET')?.completed ?? 0;
    }
    expect(inserted).toBeGreaterThan(0);
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

  test('a server alone, where the config says that it is a cluster', async () => {
    const alone = await startRedis();
    onTestFinished(alone.stop);
    expect(await find(alone.url, true)).toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/target\.cluster/),
    });
  });

  test('a cluster that does not serve all slots', async () => {
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    const empty = await startRedis({ args });
    onTestFinished(empty.stop);
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
