import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientNames, GET, INCR, loopback, openConnection, SET, sendBatch } from './support/connections.ts';
import { startProxy } from './support/proxy.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

describe.each(clientNames)('%s', client => {
  // Each client starts with databases of its own, empty ones.
  const database = client === 'wire' ? 1 : 2;

  test('completed, misses and errors of a batch are told apart', async () => {
    const connection = await openConnection(client, loopback(server.port, { database }));
    const sentBefore = connection.sent;
    const outcome = await sendBatch(connection, [
      [SET, 1],
      [GET, 1],
      [INCR, 1],
      [GET, 2],
      [INCR, 1],
      [GET, 99_999_999],
      [INCR, 3],
    ]);
    expect(outcome).toMatchObject({ completed: 5, misses: 2, failures: { ERR: 2 } });

    // What one batch came to is no part of the next.
    const later = await sendBatch(connection, [
      [GET, 1],
      [GET, 2],
    ]);
    expect(later).toMatchObject({ completed: 2, misses: 1, failures: {} });
    expect([outcome.doneCalls(), later.doneCalls()]).toEqual([1, 1]);
    expect(connection.sent - sentBefore).toBe(2);
    expect(connection.settled).toBe(connection.sent);
    expect(connection.alive).toBe(true);
  });

  test('a batch of one counts like any other', async () => {
    const connection = await openConnection(client, loopback(server.port, { database: database + 2 }));
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, misses: 1, failures: {} });
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ completed: 1, misses: 0, failures: {} });
    expect(await sendBatch(connection, [[INCR, 1]])).toMatchObject({ completed: 0, failures: { ERR: 1 } });
  });

  test('replies in single bytes, and batches of thousands, count the same', async () => {
    const proxy = await startProxy(server.port);
    const connection = await openConnection(client, loopback(proxy.port, { database: database + 4 }));
    await sendBatch(connection, [[SET, 1]]);
    const many = Array.from({ length: 5000 }, (_, index) => [index % 3, index % 2] as const);
    const wholes = await sendBatch(connection, many);
    proxy.fragmentBytes = 1;
    const few = [...many.slice(0, 40)];
    const fragments = await sendBatch(connection, few);
    expect(wholes.completed + (wholes.failures.ERR ?? 0)).toBe(5000);
    expect(wholes.failures.ERR).toBeGreaterThan(1000);
    expect(fragments).toEqual({ ...(await replay(few)), doneCalls: expect.any(Function) });

    async function replay(operations: typeof few) {
      proxy.fragmentBytes = Number.POSITIVE_INFINITY;
      const { doneCalls: _, ...outcome } = await sendBatch(connection, operations);
      return outcome;
    }
  });

  test('PING is answered, and an error to it rejects with the text', async () => {
    const connection = await openConnection(client, loopback(server.port));
    await connection.ping();
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });

    const { port } = await startScriptedServer((request, reply) => {
      reply(request[0]?.toUpperCase() === 'PING' ? '-LOADING the data set\r\n' : '+OK\r\n');
    });
    const loading = await openConnection(client, loopback(port));
    await expect(loading.ping()).rejects.toThrow('LOADING the data set');
    expect(loading.alive).toBe(true);
  });

  test.each([
    ['-OOM command not allowed\r\n', 'OOM'],
    ["-READONLY You can't write against a read only replica.\r\n", 'READONLY'],
    ['-ERR\r\n', 'ERR'],
  ])('an error reply counts under its first word: %j', async (error, code) => {
    const { port } = await startScriptedServer((request, reply) => {
      const command = request[0]?.toUpperCase();
      reply(command === 'SET' ? error : command === 'GET' ? '$-1\r\n' : '+OK\r\n');
    });
    const connection = await openConnection(client, loopback(port));
    const outcome = await sendBatch(connection, [
      [GET, 1],
      [SET, 1],
      [GET, 1],
    ]);
    expect(outcome).toMatchObject({ completed: 2, misses: 2, failures: { [code]: 1 } });
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ completed: 0, failures: { [code]: 1 } });
  });
});
