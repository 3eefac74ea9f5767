import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { askSlots } from '../src/pool/client/cluster/wire-cluster.ts';
import { commands, GET, loopback, openConnection, rejection, sendBatch } from './support/connections.ts';
import { startScriptedServer } from './support/scripted-server.ts';

const sentBytes = 40 << 20;
/** What a client may take of it; what the server of this test has in its own hands is a part of that. */
const keptBytes = 16 << 20;

/** Sends `first`, and then `more` over and over: as much as the client takes, and no more than that. */
function flood(socket: Socket, first: string, more: Buffer): void {
  let sent = 0;
  socket.write(first);
  const go = () => {
    while (sent < sentBytes && !socket.destroyed) {
      sent += more.length;
      if (!socket.write(more)) return;
    }
    socket.end();
  };
  socket.on('drain', go);
  go();
}

function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const chunkOf = (text: string) => Buffer.from(text.repeat(Math.ceil((64 << 10) / text.length)));

test.each([
  ['a line', '+', 'x'],
  ['an error', '-ERR ', 'x'],
  ['a number', ':', '9'],
  ['a value of 4 GiB', '$4294967295\r\n', 'x'],
  ['a list of 4 billion', '*4294967295\r\n', '+OK\r\n'],
  ['lists in lists', '*2\r\n', '*2\r\n'],
  ['pushes', '', '>1\r\n+OK\r\n'],
  ['attributes', '', '|1\r\n+a\r\n+b\r\n'],
])('%s that does not end', async (_what, first, more) => {
  const { port } = await startScriptedServer((request, reply, socket) => {
    if (request[0] === 'GET') flood(socket, first, chunkOf(more));
    else reply('+OK\r\n');
  });
  const connection = await openConnection('wire', loopback(port));
  const before = memoryInUse();
  const outcome = await sendBatch(connection, [[GET, 1]]);
  expect(memoryInUse() - before).toBeLessThan(keptBytes);
  const failures = Object.values(outcome.failures).reduce((sum, count) => sum + count, 0);
  expect([outcome.completed, failures, outcome.doneCalls()]).toEqual([0, 1, 1]);
});

test('the slots of a cluster that never come to an end are none', async () => {
  const { port } = await startScriptedServer((request, reply, socket) => {
    if (request[0] === 'CLUSTER') flood(socket, '*4294967295\r\n', chunkOf('+OK\r\n'));
    else reply('+OK\r\n');
  });
  const error = await rejection(askSlots(loopback(port), commands, 20_000));
  expect(error.code).toBe('PROTOCOL');
});

test('lists in lists beyond all measure are no slots', async () => {
  const deep = `${'*1\r\n'.repeat(100_000)}+OK\r\n`;
  const { port } = await startScriptedServer((request, reply) =>
    reply(request[0] === 'CLUSTER' ? deep : '+OK\r\n'),
  );
  expect((await rejection(askSlots(loopback(port), commands, 5000))).code).toBe('PROTOCOL');
});
