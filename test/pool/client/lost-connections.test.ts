import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CommandSet, KEY } from '../../../src/pool/client/batch.ts';
import {
  allClients,
  connector,
  GET,
  loopback,
  openConnection,
  SET,
  sendBatch,
  until,
} from '../../support/connections.ts';
import { startProxy } from '../../support/proxy.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

const size = 10;
const writes = Array.from({ length: size }, (_, key) => [SET, key] as const);
const okBytes = '+OK\r\n'.length;

describe.each(allClients)('%s', client => {
  test.each([
    { kind: 'end', replies: 0, extraBytes: 0, code: 'CONNECTION_CLOSED' },
    { kind: 'end', replies: 4, extraBytes: 0, code: 'CONNECTION_CLOSED' },
    { kind: 'end', replies: 4, extraBytes: 3, code: 'CONNECTION_CLOSED' },
    { kind: 'end', replies: 9, extraBytes: 3, code: 'CONNECTION_CLOSED' },
    { kind: 'reset', replies: 4, extraBytes: 1, code: 'ECONNRESET' },
  ] as const)(
    '$kind after $replies replies and $extraBytes bytes: the rest fails with $code',
    async fault => {
      const proxy = await startProxy(server.port);
      const connection = await openConnection(client, loopback(proxy.port));
      await sendBatch(connection, writes);
      proxy.cutAfter(fault.replies * okBytes + fault.extraBytes, fault.kind);
      const outcome = await sendBatch(connection, writes);
      expect(outcome).toMatchObject({
        completed: fault.replies,
        misses: 0,
        failures: { [fault.code]: size - fault.replies },
      });
      expect(connection.alive).toBe(false);
      expect(connection.settled).toBe(connection.sent);
      for (let i = 0; i < 10; i++) await turn();
      expect(outcome.doneCalls()).toBe(1);
    },
  );

  test('a batch of one, lost, fails once', async () => {
    const proxy = await startProxy(server.port);
    const connection = await openConnection(client, loopback(proxy.port));
    proxy.cutAfter(1, 'reset');
    const outcome = await sendBatch(connection, [[SET, 1]]);
    expect(outcome).toMatchObject({ completed: 0, failures: { ECONNRESET: 1 } });
    expect(outcome.doneCalls()).toBe(1);
  });

  test('an idle connection that is cut is dead, and a batch on it fails', async () => {
    const proxy = await startProxy(server.port);
    const connection = await openConnection(client, loopback(proxy.port));
    proxy.cut('end');
    await until(() => !connection.alive);
    for (const operations of [writes, [[GET, 1]] as const]) {
      const outcome = await sendBatch(connection, operations);
      expect(outcome).toMatchObject({ completed: 0, failures: { CONNECTION_CLOSED: operations.length } });
      await turn();
      expect(outcome.doneCalls()).toBe(1);
    }
    expect(connection.settled).toBe(connection.sent);
    await expect(connection.ping()).rejects.toThrow();
  });

  test.each(['CONNECTION_CLOSED', 'TIMEOUT'] as const)(
    'closed as %s in mid-batch: the missing commands fail with that code, even if the server is silent',
    async code => {
      const proxy = await startProxy(server.port);
      const connection = await openConnection(client, loopback(proxy.port));
      const silenced = proxy.cutAfter(4 * okBytes, 'silence');
      const sent = sendBatch(connection, writes);
      await silenced;
      const pause = new Promise(resolve => setTimeout(resolve, 20, 'not yet'));
      expect(await Promise.race([sent, pause])).toBe('not yet');
      // After a stall its replies are read in the turns after this timer.
      for (let i = 0; i < 10; i++) await turn();
      connection.close(code);
      expect(connection.alive).toBe(false);
      let isOver = false;
      void sent.then(() => {
        isOver = true;
      });
      // Not a time, which could pass in one stall: ioredis waits two seconds by default.
      for (let turns = 0; turns < 1000 && !isOver; turns++) await turn();
      expect(isOver).toBe(true);
      const outcome = await sent;
      expect(outcome).toMatchObject({ completed: 4, failures: { [code]: 6 } });
      expect(outcome.doneCalls()).toBe(1);
    },
  );

  test('what is no reply ends the connection: every command of the batch is accounted for once', async () => {
    let replies = '';
    const { port } = await startScriptedServer((request, reply) => {
      const command = request[0]?.toUpperCase();
      if (command !== 'SET') reply('+OK\r\n');
      else if (request[1]?.endsWith('00000001')) reply(replies);
    });
    for (replies of [
      '+OK\r\n-OOM full\r\nHTTP/1.1 400 Bad Request\r\n',
      '-OOM 1\r\n-OOM 2\r\n-OOM 3\r\nrubbish',
    ]) {
      const connection = await openConnection(client, loopback(port));
      const outcome = await sendBatch(connection, [
        [SET, 1],
        [SET, 2],
        [SET, 3],
        [SET, 4],
      ]);
      const failed = Object.values(outcome.failures).reduce((sum, count) => sum + count, 0);
      expect(outcome.completed).toBeGreaterThanOrEqual(0);
      expect(outcome.completed + failed).toBe(4);
      expect(failed).toBeLessThanOrEqual(4);
      expect(Object.keys(outcome.failures).length).toBeGreaterThanOrEqual(1);
      expect(connection.alive).toBe(false);
      expect(outcome.doneCalls()).toBe(1);
    }
  });

  test('more replies than were asked for end the connection', async () => {
    const { port } = await startScriptedServer((request, reply) => {
      reply(request[0]?.toUpperCase() === 'SET' ? '+OK\r\n-ERR and\r\n-ERR more\r\n' : '+OK\r\n');
    });
    const connection = await openConnection(client, loopback(port));
    const outcome = await sendBatch(connection, [[SET, 1]]);
    const failed = Object.values(outcome.failures).reduce((sum, count) => sum + count, 0);
    expect(outcome.completed).toBeGreaterThanOrEqual(0);
    expect(outcome.completed + failed).toBe(1);
    await until(() => !connection.alive);
    expect(outcome.doneCalls()).toBe(1);
  });

  test('a command whose entries could not be acknowledged has failed, though its reply came', async () => {
    let reads = 0;
    const { port } = await startScriptedServer(([name], reply, socket) => {
      if (name !== 'XREADGROUP') reply('+OK\r\n');
      else if (reads++ === 0)
        reply('*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n0-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n');
      else socket.end();
    });
    const args = ['GROUP', 'g', 'c', 'STREAMS', KEY, '>'] as const;
    const set: CommandSet = { keyPrefix: 'k:', commands: [{ name: 'XREADGROUP', args, acknowledges: 'g' }] };
    const connection = await connector(client, loopback(port, { protocol: 2 }), 5000, { set })();
    const outcome = await sendBatch(connection, [
      [0, 1],
      [0, 2],
    ]);
    expect(outcome).toMatchObject({ completed: 0, failures: { CONNECTION_CLOSED: 2 } });
    expect(connection.settled).toBe(connection.sent);
    for (let i = 0; i < 10; i++) await turn();
    expect(outcome.doneCalls()).toBe(1);
  });
});
