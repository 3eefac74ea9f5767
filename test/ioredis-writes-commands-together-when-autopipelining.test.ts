import { Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { IoredisConnection } from '../src/pool/client/ioredis-connection.ts';
import { commands, GET, loopback, SET, sendBatch } from './support/connections.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const concurrent = 20;

/** Sends single commands in one turn; how often the client wrote to its socket, and the server read from any. */
async function writesAndReads(autoPipelining: boolean): Promise<{ writes: number; reads: number }> {
  const connect = IoredisConnection.connector(loopback(server.port), commands, 5000, { autoPipelining });
  const connection = await connect();
  onTestFinished(() => connection.close());
  const observer = await connectObserver(server.url);
  const readsSoFar = async () =>
    Number(/total_reads_processed:(\d+)/.exec(await observer.info('stats'))?.[1]);
  await sendBatch(connection, [[SET, 1]]);
  const readsBefore = await readsSoFar();
  const write = vi.spyOn(Socket.prototype, 'write');
  const outcomes = await Promise.all(
    Array.from({ length: concurrent }, (_, index) => sendBatch(connection, [[GET, 1 + (index % 2)]])),
  );
  const writes = write.mock.calls.length;
  write.mockRestore();
  for (const [index, outcome] of outcomes.entries())
    expect(outcome).toMatchObject({ completed: 1, misses: index % 2, failures: {} });
  // The second look is a read of its own.
  return { writes, reads: (await readsSoFar()) - readsBefore - 1 };
}

test('commands of one turn leave in one write and reach the server in one read', async () => {
  expect(await writesAndReads(true)).toEqual({ writes: 1, reads: 1 });
});

test('unless asked for, each command is a write of its own', async () => {
  expect((await writesAndReads(false)).writes).toBe(concurrent);
});
