import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRing, type RingSocket } from '../../../src/pool/client/ring-socket.ts';
import { received } from '../../../src/pool/client/socket.ts';
import { ringNames } from '../../support/connections.ts';

/**
 * A server in a thread of its own, which works while the client's thread waits. It sends each connection something at once,
 * and again when told; then it resets all, or reads and reports the last bytes of each connection that has sent so many.
 */
const server = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const sockets = [];
  const listening = createServer({ pauseOnConnect: true }, socket => {
    sockets.push(socket.on('error', () => {}));
    socket.write(Buffer.alloc(workerData.warmBytes));
  }).listen(workerData.place, () => parentPort.postMessage(listening.address()));
  parentPort.once('message', ({ bytes, reads, done }) => {
    for (const socket of sockets) socket.write(Buffer.alloc(bytes));
    setTimeout(() => {
      if (reads === undefined) for (const socket of sockets) socket.resetAndDestroy();
      setTimeout(() => {
        Atomics.store(done, 0, 1);
        Atomics.notify(done, 0);
      }, 20);
      const read = socket => {
        let text = '';
        socket.on('data', bytes => {
          text += bytes;
          if (text.length === reads.bytes) parentPort.postMessage(text.slice(-reads.tail));
        });
        socket.resume();
      };
      if (reads !== undefined) setTimeout(() => sockets.forEach(read), 200);
    }, 100);
  });
`;

/** A server in a thread of its own, which reports the end of a connection. */
const endingServer = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const listening = createServer(socket => {
    socket.resume().once('end', () => {
      Atomics.store(workerData, 0, 1);
      Atomics.notify(workerData, 0);
    });
  }).listen(0, '127.0.0.1', () => parentPort.postMessage(listening.address().port));
`;

interface Orders {
  readonly bytes: number;
  readonly reads?: { readonly bytes: number; readonly tail: number };
}

interface Client {
  readonly socket: Socket;
  readonly ring: RingSocket;
  /** Of what was not sent at once. */
  received: number;
}

/** Connections to such a server. */
async function connectAll(place: net.ListenOptions, connections: number, warmBytes: number) {
  const worker = new Worker(server, { eval: true, workerData: { place, warmBytes } });
  onTestFinished(() => void worker.terminate());
  const [address] = (await once(worker, 'message')) as [string | net.AddressInfo];
  const target = typeof address === 'string' ? { path: address } : { port: address.port };
  const clients: Client[] = [];
  const listeners: ((client: Client) => void)[] = [];
  for (let index = 0; index < connections; index++) {
    const client: Client = { ...(await open(target, take)), received: -warmBytes };
    clients.push(client);
    function take(bytes: Buffer) {
      client.received += bytes.length;
      for (const listener of listeners) listener(client);
    }
  }
  await expect.poll(() => clients.every(({ received }) => received === 0)).toBe(true);
  const run = (orders: Orders) => {
    const done = new Int32Array(new SharedArrayBuffer(4));
    worker.postMessage({ ...orders, done });
    Atomics.wait(done, 0, 0, 5000);
  };
  return { target, clients, worker, run, listeners };
}

/** A connection over the ring, closed with the test. */
async function open(target: net.TcpNetConnectOpts | net.IpcNetConnectOpts, take: (bytes: Buffer) => void) {
  const socket = await connect(target);
  const ring = openRing(socket, {
    receive: (bytes, from, to) => take(bytes.subarray(from, to)),
    writeFailed: error => void socket.destroy(error),
  });
  return { socket, ring };
}

async function connect(target: net.TcpNetConnectOpts | net.IpcNetConnectOpts): Promise<Socket> {
  const socket = net.connect({ ...target, onread: { buffer: received, callback: () => true } });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

/** A server in this thread. */
async function listen(onConnection: (socket: Socket) => void): Promise<{ port: number }> {
  const listening = net.createServer(onConnection).listen(0, '127.0.0.1');
  onTestFinished(() => void listening.close());
  await once(listening, 'listening');
  return { port: (listening.address() as net.AddressInfo).port };
}

describe.runIf(ringNames.length > 0)('a socket over io_uring', () => {
  // More than 32 of the ring's buffers for each connection, and for all of them more than it has. What comes before makes
  // the system widen its buffers.
  test('notices a reset that follows much that was not yet read', { repeats: 3 }, async () => {
    const { clients, run } = await connectAll({ port: 0, host: '127.0.0.1' }, 12, 8 << 20);
    run({ bytes: 1 << 20 });
    const allClosed = () => clients.every(({ socket }) => socket.closed);
    await expect.poll(allClosed).toBe(true);
  });

  // The ring has no buffers for some. Their receives are armed again in the turn of a send for which the full socket has no
  // room, and the kernel completes these receives first.
  test('sends nothing ahead of what a send has left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const place = { path: join(folder, 'socket') };
    const { target, clients, worker, run, listeners } = await connectAll(place, 40, 1);
    const filling = Buffer.alloc(await roomOf(target), 'a');
    const [first, second] = ['b'.repeat(8192), 'after'];
    const senders = new Set<Client>();
    const answered = new Set<Client>();
    for (const { ring } of clients) expect(ring.write(filling)).toBe(true);
    listeners.push(client => {
      if (senders.size === 0) {
        for (const other of clients) if (other.received === 0) senders.add(other);
        for (const { ring } of senders) ring.write(Buffer.from(first));
      } else if (senders.has(client) && !answered.has(client)) {
        answered.add(client);
        client.ring.write(Buffer.from(second));
      }
    });
    const tail = first.length + second.length;
    run({ bytes: 500_000, reads: { bytes: filling.length + tail, tail } });
    const texts: string[] = [];
    worker.on('message', text => texts.push(text));
    await expect.poll(() => texts.length > 0 && texts.length === senders.size).toBe(true);
    expect(texts.every(text => text === first + second)).toBe(true);
  });

  test('sends what is written in one turn in order, whatever its size', async () => {
    const sizes = [10, 16_384, 1, 3000, 16_385, 5, 5, 3_000_000, 7, 20_000, 16_000, 500];
    const chunks: Buffer[][] = [];
    const server = await listen(socket => {
      const own: Buffer[] = [];
      chunks.push(own);
      socket.on('error', () => {}).on('data', bytes => own.push(bytes));
    });
    const clients = await Promise.all(
      ['A', 'B', 'C'].map(async name => ({ name, ...(await open(server, () => {})) })),
    );
    const expected = new Map<string, string>();
    for (const turn of [0, 1]) {
      for (const [index, size] of sizes.entries())
        for (const { name, ring } of clients) {
          const text = `${name}${turn}:${index} `.padEnd(size, '.');
          expected.set(name, (expected.get(name) ?? '') + text);
          const bytes = Buffer.from(text);
          // What is free is overwritten by the next.
          if (ring.write(bytes)) bytes.fill('!');
        }
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    const total = [...expected.values()].reduce((sum, text) => sum + text.length, 0);
    const bytes = () => chunks.flat().reduce((sum, { length }) => sum + length, 0);
    await expect.poll(bytes).toBe(total);
    const texts = new Set(chunks.map(own => String(Buffer.concat(own))));
    expect(clients.every(({ name }) => texts.has(expected.get(name) ?? ''))).toBe(true);
  });

  test('receives nothing once it is destroyed, and leaves its slot to the next', async () => {
    const server = await listen(socket => void socket.on('error', () => {}).write(Buffer.alloc(200_000)));
    const slots = new Set<number>();
    for (let turn = 0; turn < 20; turn++) {
      let calls = 0;
      const { socket, ring } = await open(server, () => {
        calls++;
        socket.destroy();
      });
      slots.add(ring.slot);
      await expect.poll(() => socket.closed, { interval: 1 }).toBe(true);
      expect(ring.write(Buffer.from('too late'))).toBe(true);
      expect(calls).toBe(1);
    }
    expect(slots.size).toBeLessThan(5);
  });

  test('ends its connection when it is destroyed, and not when the kernel lets go of the file', async () => {
    const ended = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(endingServer, { eval: true, workerData: ended });
    onTestFinished(() => void worker.terminate());
    const [port] = (await once(worker, 'message')) as [number];
    const { socket } = await open({ port, host: '127.0.0.1' }, () => {});
    // The kernel receives for it by then.
    await new Promise(resolve => setTimeout(resolve, 20));
    socket.destroy();
    // The thread takes no turn, so nothing is cancelled yet.
    expect(Atomics.wait(ended, 0, 0, 5000)).not.toBe('timed-out');
  });

  test('is refused if it is closed already', async () => {
    const socket = await connect(await listen(() => {}));
    socket.destroy();
    expect(() => openRing(socket, { receive() {}, writeFailed() {} })).toThrow();
  });
});

/** Bytes that a unix socket takes while its peer reads nothing. */
async function roomOf(target: net.TcpNetConnectOpts | net.IpcNetConnectOpts): Promise<number> {
  const socket = await connect(target);
  const much = Buffer.alloc(1 << 20);
  socket.write(much);
  const { _handle } = socket as unknown as { _handle: { readonly writeQueueSize: number } };
  const room = much.length - _handle.writeQueueSize;
  socket.destroy();
  return room;
}
