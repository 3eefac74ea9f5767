import { Socket } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Control, connectControl } from '../../../src/main/server/control.ts';
import { parseAddress } from '../../../src/main/server/url.ts';
import { Batch } from '../../../src/pool/client/batch.ts';
import { IoredisConnection } from '../../../src/pool/client/ioredis-connection.ts';
import type { Connect } from '../../../src/pool/connection.ts';
import { commands, GET, loopback, patient, plainIoredis, SET, sendBatch } from '../../support/connections.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

describe('lost servers', () => {
  /** Far more than a pool may send to connections that refuse it. */
  const most = 1000;
  /** It depends on the order in which the sockets close: one in three attempts shows no harm. */
  const attempts = 8;

  test('a connection on whose stream nothing can be written any more is not alive', async () => {
    const server = await shareServer();
    const address = parseAddress(server.url);
    const control = await connectControl(address, patient);
    onTestFinished(() => control.close());
    const commandSet = { keyPrefix: '', commands: [{ name: 'BLPOP', args: ['no-such-list', '0'] }] };
    const connect = IoredisConnection.connector(address, commandSet, 2000, plainIoredis);
    for (let attempt = 0; attempt < attempts; attempt++) {
      expect(await sendsAfterLoss(connect, control)).toBeLessThan(100);
    }
  });

  /** Loses eight connections in use and eight idle ones at once; what workers then send until no idle one is alive. */
  async function sendsAfterLoss(connect: Connect, control: Control): Promise<number> {
    const open = () => Promise.all(Array.from({ length: 8 }, connect));
    const [busy, idle] = [await open(), await open()];
    let sends = 0;
    const given = busy.map(
      connection =>
        new Promise<void>(resolve => {
          // As a worker does whose connection was lost: it takes one that says it is alive, at once, and again.
          const again = () => {
            const next = idle.find(({ alive, sent, settled }) => alive && sent === settled);
            if (next === undefined || ++sends >= most) resolve();
            else next.send(batch);
          };
          const batch = new Batch(1, { done: again });
          connection.send(new Batch(1, { done: again }));
        }),
    );
    // They end in one turn of the event loop, and their sockets close in a later one.
    await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await Promise.all(given);
    return sends;
  }
});

describe('auto-pipelining', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const concurrent = 20;

  /** Sends single commands in one turn; how often the client wrote to its socket, and the server read from any. */
  async function writesAndReads(autoPipelining: boolean): Promise<{ writes: number; reads: number }> {
    const connect = IoredisConnection.connector(loopback(server.port), commands, 5000, {
      ...plainIoredis,
      autoPipelining,
    });
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
});
