import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  beginMigration,
  endMigration,
  moveSlot,
  startCluster,
  type TestCluster,
  type TestNode,
} from './support/cluster.ts';
import { clusterClient, keysWhere, keyWhere, openClusterConnection } from './support/cluster-connections.ts';
import { clientNames, GET, SET, sendBatch } from './support/connections.ts';
import { callsOf } from './support/observed-server.ts';

let cluster: TestCluster;
let first: TestNode;
let second: TestNode;
beforeAll(async () => {
  cluster = await startCluster();
  [first, second] = cluster.masters as [TestNode, TestNode];
});
afterAll(() => cluster?.stop());
// A slot that holds keys cannot be given away.
const empty = () => Promise.all(cluster.masters.map(({ redis }) => redis.flushall()));
beforeEach(empty);

const ofFirst = (slot: number) => slot < 5000;
const seeds = () => [first.port];
const calls = (command: string) => Promise.all(cluster.masters.map(({ redis }) => callsOf(redis, command)));

describe.each(clientNames)('%s', client => {
  test('the commands of a batch go to the nodes of their keys at once', async () => {
    const { connect, redirects } = clusterClient(client, seeds());
    const connection = await openClusterConnection({ connect, redirects });
    const before = await calls('set');
    const operations = Array.from({ length: 300 }, (_, key) => [SET, key] as const);
    expect(await sendBatch(connection, operations)).toMatchObject({
      completed: 300,
      misses: 0,
      failures: {},
    });
    const reads = operations.map(([, key]) => [GET, key] as const);
    expect(await sendBatch(connection, reads)).toMatchObject({ completed: 300, misses: 0, failures: {} });
    for (const [command, key] of reads.slice(0, 20))
      expect(await sendBatch(connection, [[command, key]])).toMatchObject({ completed: 1, misses: 0 });
    const ran = (await calls('set')).map((count, node) => count - (before[node] ?? 0));
    expect(ran.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(Math.min(...ran)).toBeGreaterThan(50);
    expect(redirects).toMatchObject({ moved: 0, ask: 0 });
    expect([connection.sent, connection.settled]).toEqual([22, 22]);
  });

  test('a slot that has moved is found with one MOVED, and from then on without', async () => {
    const { connect, redirects } = clusterClient(client, seeds());
    const connection = await openClusterConnection({ connect, redirects });
    const moved = keysWhere(ofFirst, 3);
    onTestFinished(async () => {
      await empty();
      for (const { slot } of moved) await moveSlot(slot, second, first, cluster);
    });
    for (const { slot } of moved) await moveSlot(slot, first, second, cluster);
    const [one, ...others] = moved.map(({ key }) => [SET, key] as const);
    if (one === undefined) throw new Error('no key');
    expect(await sendBatch(connection, [one])).toMatchObject({ completed: 1, failures: {} });
    expect(redirects).toMatchObject({ moved: 1, ask: 0 });
    // The first MOVED has the table asked for again: the other slots come with it, if they are not used before.
    expect(await sendBatch(connection, [one, ...others, [SET, 999]])).toMatchObject({
      completed: 4,
      failures: {},
    });
    const met = redirects.moved;
    expect(met).toBeLessThanOrEqual(3);
    expect(await sendBatch(connection, [one, ...others])).toMatchObject({ completed: 3, failures: {} });
    expect(redirects.moved).toBe(met);
  });

  test('a slot that is being migrated is asked for at its destination, each time anew', async () => {
    const { connect, redirects } = clusterClient(client, seeds());
    const connection = await openClusterConnection({ connect, redirects });
    const migrated = keyWhere(slot => ofFirst(slot) && slot > 1000);
    await sendBatch(connection, [[SET, 999]]);
    await beginMigration(migrated.slot, first, second);
    onTestFinished(async () => {
      await empty();
      await endMigration(migrated.slot, first, second);
    });
    const key = migrated.key;
    expect(await sendBatch(connection, [[GET, key]])).toMatchObject({
      completed: 1,
      misses: 1,
      failures: {},
    });
    expect(
      await sendBatch(connection, [
        [SET, key],
        [GET, key],
        [SET, 999],
      ]),
    ).toMatchObject({
      completed: 3,
      failures: {},
    });
    expect(await sendBatch(connection, [[GET, key]])).toMatchObject({ completed: 1, misses: 0 });
    expect(redirects).toMatchObject({ moved: 0, ask: 4 });
  });
});
