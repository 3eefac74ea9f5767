import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { openRing } from '../../../src/pool/client/ring-socket.ts';
import { ringNames } from '../../support/connections.ts';

const connections = 12;
/** What each connection gets first, so that the system widens its buffers. */
const warmBytes = 8 << 20;

/**
 * A server in a thread of its own: when told, while the client's thread waits, it sends each connection more than 32 of the
 * ring's buffers, and all of them more than the ring has, and resets them.
 */
const server = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const sockets = [];
  const listening = createServer(socket => {
    sockets.push(socket.on('error', () => {}));
    socket.write(Buffer.alloc(workerData));
  }).listen(0, '127.0.0.1', () => parentPort.postMessage(listening.address().port));
  parentPort.once('message', done => {
    for (const socket of sockets) socket.write(Buffer.alloc(1 << 20));
    setTimeout(() => {
      for (const socket of sockets) socket.resetAndDestroy();
      setTimeout(() => {
        Atomics.store(done, 0, 1);
        Atomics.notify(done, 0);
      }, 20);
    }, 100);
  });
`;

test.runIf(ringNames.length > 0)(
  'every socket notices a reset that follows much that was not yet read',
  { repeats: 3 },
  async () => {
    const worker = new Worker(server, { eval: true, workerData: warmBytes });
    const sockets: Socket[] = [];
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    });
    const [port] = (await once(worker, 'message')) as [number];
    let received = 0;
    const take = (length: number) => {
      received += length;
      return true;
    };
    for (let index = 0; index < connections; index++) {
      const onread = { buffer: Buffer.alloc(1 << 16), callback: take };
      const socket = net.connect({ port, host: '127.0.0.1', onread });
      await once(socket, 'connect');
      sockets.push(socket.on('error', () => {}));
      openRing(socket, {
        receive: (_, from, to) => void take(to - from),
        writeFailed: error => void socket.destroy(error),
      });
    }
    await expect.poll(() => received).toBe(connections * warmBytes);
    const done = new Int32Array(new SharedArrayBuffer(4));
    worker.postMessage(done);
    Atomics.wait(done, 0, 0, 5000);
    await expect.poll(() => sockets.every(({ closed }) => closed), { timeout: 5000 }).toBe(true);
  },
);
