import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { MeasuredResult } from '../../src/aggregate/result.ts';
import { connectBehindSentinel } from '../../src/pool/client/cluster/sentinel-nodes.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { clusterClient, keysWhere, openClusterConnection } from '../support/cluster-connections.ts';
import { clientNames, commands, connector, GET, loopback, SET, sendBatch } from '../support/connections.ts';
import { calm, createExperiment } from '../support/experiment.ts';
import { callsOf, connectObserver } from '../support/observed-server.ts';
import { masterName, startReplicated, startSentinels, untilAllIsKnown } from '../support/sentinels.ts';

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

/** What the servers have run together. */
async function calls(servers: readonly Redis[], command: string): Promise<number> {
  return sum(await Promise.all(servers.map(redis => callsOf(redis, command))));
}

/** The books of a scenario whose half are reads: what the servers have counted is what was completed. */
function expectReads({ id, rounds, readFrom }: MeasuredResult): void {
  const [round] = rounds;
  expect(round, id).toMatchObject({ failed: {}, unfinished: 0, misses: 0 });
  expect(round?.completed, id).toBeGreaterThan(0);
  expect(round?.serverCalls, id).toBe(round?.completed);
  if (readFrom === 'primary') {
    expect(round?.readCalls, id).toBeUndefined();
    return;
  }
  const { all = 0, ofReplicas = 0 } = round?.readCalls ?? {};
  expect(all, id).toBeGreaterThan(0);
  if (readFrom === 'replica') expect(ofReplicas, id).toBe(all);
  // Half of them, within four standard deviations: a busy machine may leave few reads.
  else expect(Math.abs(ofReplicas - all / 2), id).toBeLessThan(2 * Math.sqrt(all));
}

describe('a cluster with replicas', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ server: 'valkey', withReplicas: true });
  });
  afterAll(() => cluster?.stop());

  const of = (nodes: TestCluster['nodes']) => nodes.map(({ redis }) => redis);

  describe.each(clientNames)('%s', client => {
    const some = expect.toSatisfy(count => count > 0 && count < 30);
    test.each([
      ['replica', [30, 0, 30]],
      ['any', [some, some, 30]],
      ['primary', [0, 30, 30]],
    ] as const)('reads from "%s", and writes to primaries, in one batch', async (readFrom, expected) => {
      const ports = [cluster.replicas[0]?.port ?? 0];
      const connection = await openClusterConnection(clusterClient(client, ports, 5000, readFrom));
      const keys = keysWhere(() => true, 30).map(({ key }) => key);
      const count = async () => [
        await calls(of(cluster.replicas), 'get'),
        await calls(of(cluster.masters), 'get'),
        await calls(of(cluster.masters), 'set'),
      ];
      const before = await count();
      const operations = keys.flatMap(key => [[SET, key] as const, [GET, key] as const]);
      expect(await sendBatch(connection, operations)).toMatchObject({ completed: 60, failures: {} });
      await connection.ping();
      expect((await count()).map((calls, index) => calls - (before[index] ?? 0))).toEqual(expected);
      await Promise.all(of(cluster.masters).map(redis => redis.flushall()));
    });
  });

  test('the servers count what replicas have read, and every operation once', async () => {
    const url = cluster.masters[0]?.url ?? '';
    const experiment = await createExperiment(url, {
      target: { server: 'valkey', url, cluster: true },
      scenarios: [
        { client: 'wire', readFrom: ['replica', 'primary'], workers: 6, ...calm },
        { client: 'ioredis', readFrom: 'any', workers: 6, pipeline: 5, ...calm },
      ],
      seconds: 0.3,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const { scenarios, warnings } = await experiment.result();
    expect(scenarios).toHaveLength(3);
    for (const scenario of scenarios) {
      expectReads(scenario);
      expect(scenario.rounds[0]?.redirects, scenario.id).toEqual({ moved: 0, ask: 0 });
    }
    expect(warnings.filter(line => /not applied/.test(line))).toEqual([]);
    const report = await readFile(join(await experiment.resultsFolder(), 'report.md'), 'utf8');
    expect(report).toMatch(/reads by replicas/);
    expect(report).toMatch(/\(100 %\)/);
    expect(await Promise.all(of(cluster.masters).map(redis => redis.dbsize()))).toEqual([0, 0, 0]);
  });
});

describe('a replica behind a Sentinel', () => {
  test('is read from by both clients, in batches, and alone; a master that is gone leaves the reads', {
    timeout: 60_000,
  }, async () => {
    const { master, replica } = await startReplicated();
    const sentinels = await startSentinels(master.port);
    await untilAllIsKnown(sentinels);
    const target = { server: 'redis', url: sentinels.url, sentinel: { master: masterName } };
    const experiment = await createExperiment('', {
      target,
      scenarios: [
        { client: 'wire', readFrom: 'any', workers: 6, pipeline: 5, ...calm },
        { client: 'ioredis', readFrom: 'replica', workers: 6, ...calm },
      ],
      seconds: 0.3,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const { scenarios } = await experiment.result();
    expect(scenarios).toHaveLength(2);
    for (const scenario of scenarios) expectReads(scenario);

    const [atMaster, atReplica] = await Promise.all([
      connectObserver(master.url),
      connectObserver(replica.url),
    ]);
    expect(await atMaster.dbsize()).toBe(0);
    const address = loopback(Number(sentinels.places[0]?.split(':')[1]), {
      sentinel: { master: masterName, others: [] },
    });
    const connections = await Promise.all(
      clientNames.map(async client => {
        const open = connectBehindSentinel(address, commands, 5000, {
          readFrom: 'replica',
          connectNode: (node, set) => connector(client, node, 5000, { set }),
        });
        const connection = await open();
        onTestFinished(() => connection.close());
        return connection;
      }),
    );
    const before = await callsOf(atReplica, 'get');
    await master.stop();
    const batch = [[GET, 1] as const, [SET, 1] as const, [GET, 2] as const];
    const outcomes = await Promise.all(connections.map(connection => sendBatch(connection, batch)));
    // The Sentinel has not noticed: nothing takes the writes.
    for (const { completed, failures } of outcomes)
      expect([completed, sum(Object.values(failures))]).toEqual([2, 1]);
    expect((await callsOf(atReplica, 'get')) - before).toBe(4);
  });
});
