import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  beginMigration,
  endMigration,
  moveSlot,
  startCluster,
  type TestCluster,
  type TestNode,
} from '../../support/cluster.ts';
import {
  clusterClient,
  keysWhere,
  keyWhere,
  openClusterConnection,
} from '../../support/cluster-connections.ts';
import { clientNames, GET, SET, sendBatch } from '../../support/connections.ts';
import { callsOf } from '../../support/observed-server.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

describe('following', () => {
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

    test('commands for a slot that is being migrated go to its destination, each time by a redirection', async () => {
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
});

describe('maximum of hops', () => {
  const range = (first: number, last: number, port: number) =>
    `*3\r\n:${first}\r\n:${last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$2\r\nid\r\n`;

  interface Node {
    readonly port: number;
    /** How often it was asked for a key. */
    readonly asked: () => number;
  }

  /** A node that gives itself and the `other`, if there is one, half of the slots each, and answers GET as told. */
  async function startNode(
    answer: () => string,
    other: () => Node | undefined = () => undefined,
  ): Promise<Node> {
    let asked = 0;
    const node = await startScriptedServer(([command = ''], reply) => {
      switch (command.toUpperCase()) {
        case 'HELLO':
          return reply('-NOPROTO this one speaks RESP2\r\n');
        case 'CLUSTER':
          return reply(`*2\r\n${range(0, 8191, node.port)}${range(8192, 16383, other()?.port ?? node.port)}`);
        case 'GET':
          asked++;
          return reply(answer());
        default:
          return reply('+OK\r\n');
      }
    });
    return { port: node.port, asked: () => asked };
  }

  describe.each(clientNames)('%s', client => {
    test.each(['MOVED', 'ASK'])(
      'two nodes that send a command to one another: it fails with %s',
      async code => {
        const there = await startNode(
          () => `-${code} 7 127.0.0.1:${here.port}\r\n`,
          () => here,
        );
        const here: Node = await startNode(
          () => `-${code} 7 127.0.0.1:${there.port}\r\n`,
          () => there,
        );
        const clientOf = clusterClient(client, [here.port]);
        const connection = await openClusterConnection(clientOf);
        expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({
          completed: 0,
          failures: { [code]: 1 },
        });
        expect(here.asked() + there.asked()).toBe(6);
        expect(clientOf.redirects).toMatchObject(
          code === 'MOVED' ? { moved: 5, ask: 0 } : { moved: 0, ask: 5 },
        );
      },
    );

    test.each([
      'CLUSTERDOWN The cluster is down',
      'TRYAGAIN Multiple keys request during rehashing of slot',
      'CROSSSLOT Keys',
    ])('what is no redirection is not sent again: %s', async words => {
      const node = await startNode(() => `-${words}\r\n`);
      const connection = await openClusterConnection(clusterClient(client, [node.port]));
      const [code = ''] = words.split(' ');
      expect(
        await sendBatch(connection, [
          [GET, 1],
          [GET, 2],
        ]),
      ).toMatchObject({ completed: 0, failures: { [code]: 2 } });
      expect(node.asked()).toBe(2);
    });
  });

  // ioredis passes over such nodes.
  test('wire: a node that announces no host is at the host that was asked', async () => {
    const there = await startNode(() => '+value\r\n');
    const here = await startNode(() => `-MOVED 7 :${there.port}\r\n`);
    const connection = await openClusterConnection(clusterClient('wire', [here.port]));
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, failures: {} });
  });
});
