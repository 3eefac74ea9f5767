import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../src/main/server/control.ts';
import { clientNames, connector, createPool, GET, loopback, sendBatch } from './support/connections.ts';
import { startScriptedServer } from './support/scripted-server.ts';

const cannotSave =
  '-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk\r\n';
const busy = '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n';

/** A server that answers PING as it is told to, and all else with OK. */
async function startServer(answer: string) {
  const server = { answer, port: 0 };
  const { port } = await startScriptedServer((request, reply) =>
    reply(request[0]?.toUpperCase() === 'PING' ? server.answer : '+OK\r\n'),
  );
  server.port = port;
  return server;
}

test.each(clientNames)('%s: the pool keeps a connection whose PING was refused', async client => {
  const { port } = await startServer(cannotSave);
  const pool = createPool(connector(client, loopback(port)), 'baseline', { probe: 'ping', max: 1 });
  for (let turn = 0; turn < 3; turn++) {
    const connection = await pool.acquire();
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
    pool.release(connection);
  }
  expect(pool.metrics()).toMatchObject({ created: 1, healthChecksRun: 2, reconnects: 0 });
});

test('a server that cannot save is there, from the start and later on', async () => {
  const { port } = await startServer(cannotSave);
  const control = await connectControl(loopback(port), { timeoutMs: 2000 });
  onTestFinished(() => control.close());
  expect(await control.alive()).toBe(true);
});

test('one that is busy is not, and its words are the reason', async () => {
  const server = await startServer('+PONG\r\n');
  const control = await connectControl(loopback(server.port), { timeoutMs: 2000 });
  onTestFinished(() => control.close());
  expect([await control.alive(), control.shutOut]).toEqual([true, undefined]);
  server.answer = busy;
  expect([await control.alive(), control.shutOut]).toEqual([false, expect.stringMatching(/^BUSY Redis/)]);
  server.answer = '+PONG\r\n';
  expect([await control.alive(), control.shutOut]).toEqual([true, undefined]);
});
