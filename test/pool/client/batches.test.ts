import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Batch, type CommandSet, KEY } from '../../../src/pool/client/batch.ts';
import { IoredisConnection } from '../../../src/pool/client/ioredis-connection.ts';
import { encodeRequest } from '../../../src/pool/client/request-templates.ts';
import { WireConnection } from '../../../src/pool/client/wire-connection.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import {
  commands,
  GET,
  INCR,
  loopback,
  type Outcome,
  overRing,
  plainIoredis,
  plainWire,
  SET,
  sendBatch,
  until,
  usableTransports,
} from '../../support/connections.ts';
import { startProxy } from '../../support/proxy.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

const kinds = {
  wire: (port: number) => WireConnection.connector(loopback(port), commands, 5000, plainWire)(),
  'wire, stream': (port: number) =>
    WireConnection.connector(loopback(port), commands, 5000, { ...plainWire, transport: 'stream' })(),
  [overRing]: (port: number) =>
    WireConnection.connector(loopback(port), commands, 5000, { ...plainWire, transport: 'io_uring' })(),
  ioredis: (port: number) => IoredisConnection.connector(loopback(port), commands, 5000, plainIoredis)(),
  'ioredis, autopipelining': (port: number) =>
    IoredisConnection.connector(loopback(port), commands, 5000, {
      ...plainIoredis,
      autoPipelining: true,
    })(),
} satisfies Record<string, (port: number) => Promise<Connection>>;

type Operation = readonly [command: number, key: number];

async function open(kind: keyof typeof kinds, port: number): Promise<Connection> {
  const connection = await kinds[kind](port);
  onTestFinished(() => connection.close());
  return connection;
}

/** Sends all of them before the first can be answered. */
function sendAll(connection: Connection, batches: readonly (readonly Operation[])[]): Promise<Outcome[]> {
  return Promise.all(batches.map(operations => sendBatch(connection, operations)));
}

const operation = fc.constantFrom<Operation>([GET, 1], [GET, 9], [SET, 1], [INCR, 1]);
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });

/** What must become of a batch where key 1 holds text and key 9 nothing. */
function expected(operations: readonly Operation[]) {
  const errors = operations.filter(([command]) => command === INCR).length;
  const misses = operations.filter(([command, key]) => command === GET && key === 9).length;
  return { completed: operations.length - errors, misses, failures: errors === 0 ? {} : { ERR: errors } };
}

/** What a server replies to {@link operation}. */
const replies = new Map([
  [`${GET} 1`, '$9\r\nsome text\r\n'],
  [`${GET} 9`, '$-1\r\n'],
  [`${SET} 1`, '+OK\r\n'],
  [`${INCR} 1`, '-ERR value is not an integer\r\n'],
]);

/** A server that holds back its replies until a number of commands has come, and cuts them at one place. */
async function startWithholdingServer(): Promise<{
  port: number;
  expect(commands: number, cutAt: number): void;
}> {
  let awaited = 0;
  let cutAt = 0;
  let held = '';
  const { port } = await startScriptedServer(([name, key], reply) => {
    const command = ['GET', 'SET', 'INCR'].indexOf(name?.toUpperCase() ?? '');
    if (command < 0) return reply('+OK\r\n');
    held += replies.get(`${command} ${Number(key?.slice(-8))}`);
    if (--awaited > 0) return;
    const [first, second] = [held.slice(0, cutAt), held.slice(cutAt)];
    held = '';
    if (first !== '') reply(first);
    // After a pause, or the two would be one read.
    setTimeout(() => reply(second), 2);
  });
  return {
    port,
    expect(commands, at) {
      awaited = commands;
      cutAt = at;
    },
  };
}

const usable = (Object.keys(kinds) as (keyof typeof kinds)[]).filter(
  kind => kind !== overRing || usableTransports.includes('io_uring'),
);

describe.each(usable)('%s', kind => {
  test('each gets its own replies, errors and nulls, from a real server and however they are cut', async () => {
    const proxy = await startProxy(server.port);
    const connection = await open(kind, proxy.port);
    await sendBatch(connection, [[SET, 1]]);
    await fc.assert(
      fc.asyncProperty(batches, fc.constantFrom(1, 3, 10, 100_000), async (batches, fragmentBytes) => {
        proxy.fragmentBytes = fragmentBytes;
        const outcomes = await sendAll(connection, batches);
        for (const [index, operations] of batches.entries()) {
          expect(outcomes[index]).toMatchObject(expected(operations));
          expect(outcomes[index]?.doneCalls()).toBe(1);
        }
        expect(connection.settled).toBe(connection.sent);
      }),
      { numRuns: 60 },
    );
  });

  test('they are assigned correctly wherever a read ends', async () => {
    const script: Operation[][] = [
      [[SET, 1]],
      [
        [GET, 9],
        [INCR, 1],
      ],
      [[INCR, 1]],
      [
        [GET, 1],
        [GET, 9],
        [SET, 1],
      ],
    ];
    const text = script.flat().map(([command, key]) => replies.get(`${command} ${key}`));
    const withholding = await startWithholdingServer();
    const connection = await open(kind, withholding.port);
    for (let cutAt = 0; cutAt < text.join('').length; cutAt++) {
      // With autopipelining the commands come in two parts: ioredis writes pipelines of its own apart.
      withholding.expect(script.flat().length, cutAt);
      const outcomes = await sendAll(connection, script);
      expect(outcomes).toMatchObject(script.map(expected));
    }
  });

  test('what is sent from a done gets no reply that came before it', async () => {
    const { port } = await startScriptedServer(([name, key], reply, socket) => {
      const command = name?.toUpperCase();
      if (command === 'GET') reply(key?.endsWith('1') ? '+one\r\n$-1\r\n' : '');
      else if (command === 'INCR') reply('-LATE reply\r\n');
      else if (command === 'SET') socket.write('+OK\r\n+OK\r\n');
      else reply('+OK\r\n');
    });
    const connection = await open(kind, port);
    // The replies to the first two come in one read.
    const later: Promise<Outcome>[] = [];
    const first = new Batch(1, { done: () => later.push(sendBatch(connection, [[INCR, 1]])) });
    first.ownCommands()[0] = GET;
    first.numbers[0] = 1;
    connection.send(first);
    const second = await sendBatch(connection, [[GET, 2]]);
    expect([first.completed, first.misses]).toEqual([1, 0]);
    expect(second).toMatchObject({ completed: 1, misses: 1 });
    expect(await later[0]).toMatchObject({ completed: 0, failures: { LATE: 1 } });

    // A reply too many is nobody's.
    const after: Promise<Outcome>[] = [];
    const doubled = new Batch(1, { done: () => after.push(sendBatch(connection, [[GET, 2]])) });
    doubled.ownCommands()[0] = SET;
    connection.send(doubled);
    await until(() => after.length === 1);
    expect(await after[0]).toMatchObject({ completed: 0 });
    expect(connection.alive).toBe(false);
  });

  test('a PING among them has its own reply, and a refused one the words of its own', async () => {
    const { port } = await startScriptedServer(([name], reply) => {
      const command = name?.toUpperCase();
      if (command === 'PING') reply('-LOADING the data set\r\n');
      else reply(command === 'SET' ? '-OOM full\r\n' : command === 'GET' ? '$-1\r\n' : '+OK\r\n');
    });
    const connection = await open(kind, port);
    const [before, refusal, after] = await Promise.all([
      sendBatch(connection, [
        [SET, 1],
        [GET, 1],
      ]),
      connection.ping().catch((error: Error) => error.message),
      sendBatch(connection, [
        [GET, 1],
        [SET, 1],
        [SET, 2],
      ]),
    ]);
    expect(before).toMatchObject({ completed: 1, misses: 1, failures: { OOM: 1 } });
    expect(refusal).toBe('LOADING the data set');
    expect(after).toMatchObject({ completed: 1, misses: 1, failures: { OOM: 2 } });
    expect(connection.settled).toBe(connection.sent);
  });

  test.each([
    { kind: 'end', codes: ['CONNECTION_CLOSED'] },
    // If the socket is closed before its error is read, the reset looks like an end.
    { kind: 'reset', codes: ['ECONNRESET', 'CONNECTION_CLOSED'] },
  ] as const)('lost by $kind: what was not answered fails with one of $codes, each once', async cut => {
    const proxy = await startProxy(server.port);
    const connection = await open(kind, proxy.port);
    const writes: Operation[] = [
      [SET, 1],
      [SET, 2],
      [SET, 3],
      [SET, 4],
    ];
    await sendBatch(connection, writes);
    proxy.cutAfter(6 * '+OK\r\n'.length + 2, cut.kind);
    const outcomes = await sendAll(connection, [writes, writes, writes, writes]);
    const code = cut.codes.find(code => outcomes[1]?.failures[code] !== undefined) ?? '';
    expect(outcomes.map(({ completed, failures }) => [completed, failures])).toEqual([
      [4, {}],
      [2, { [code]: 2 }],
      [0, { [code]: 4 }],
      [0, { [code]: 4 }],
    ]);
    expect(connection.alive).toBe(false);
    expect(connection.settled).toBe(connection.sent);
    for (let i = 0; i < 10; i++) await turn();
    expect(outcomes.map(outcome => outcome.doneCalls())).toEqual([1, 1, 1, 1]);
  });

  test('a worker that sends on at once when its connection is lost fails at once, and again, without end', async () => {
    const proxy = await startProxy(server.port);
    const connection = await open(kind, proxy.port);
    proxy.silent = true;
    let sends = 0;
    const stubborn = Array.from({ length: 3 }, () => {
      const batch = new Batch(1, {
        done: () => {
          if (++sends < 30) connection.send(batch);
        },
      });
      return batch;
    });
    for (const batch of stubborn) connection.send(batch);
    connection.close('TIMEOUT');
    await until(() => connection.settled === connection.sent);
    expect(sends).toBe(32);
    for (const batch of stubborn) expect(batch.failed).toBe(1);
  });

  test('what is no reply gives up what is in flight, and nothing that was done', async () => {
    const replies = ['+OK\r\n', '', 'rubbish\r\n'];
    const { port } = await startScriptedServer(([name], reply) => {
      reply(name?.toUpperCase() === 'SET' ? (replies.shift() ?? '') : '+OK\r\n');
    });
    const connection = await open(kind, port);
    const done = await sendBatch(connection, [[SET, 1]]);
    const [second, third] = await sendAll(connection, [
      [[SET, 2]],
      [
        [SET, 3],
        [SET, 4],
      ],
    ]);
    expect(done).toMatchObject({ completed: 1, failures: {} });
    expect([second, third]).toMatchObject([
      { completed: 0, failures: { PROTOCOL: 1 } },
      { completed: 0, failures: { PROTOCOL: 2 } },
    ]);
    expect(connection.alive).toBe(false);
    await turn();
    expect([done, second, third].map(outcome => outcome?.doneCalls())).toEqual([1, 1, 1]);
  });
});

test('wire: requests that the socket still holds are not written over by the next ones', async () => {
  const value = 'v'.repeat(4096);
  const long: CommandSet = { keyPrefix: 'k:', commands: [{ name: 'SET', args: [KEY, value] }] };
  const size = 600;
  const sizes = [size, size, 1, size, 1, 1, size, size];
  const request = (key: number) => encodeRequest(['SET', `k:${String(key).padStart(8, '0')}`, value]);
  const asked = Buffer.concat(
    sizes.flatMap((size, batch) => Array.from({ length: size }, (_, i) => request(batch * size + i))),
  );
  const { port, accepted } = await startDeafServer();
  const connection = await WireConnection.connector(loopback(port), long, 5000, plainWire)();
  onTestFinished(() => connection.close());
  const sent = sizes.map(
    (size, index) =>
      new Promise<Batch>(resolve => {
        const batch = new Batch(size, { done: () => resolve(batch) });
        for (let i = 0; i < size; i++) batch.numbers[i] = index * size + i;
        connection.send(batch);
      }),
  );
  const socket = await accepted;
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.resume();
  socket.on('data', chunk => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes === asked.length) socket.write('+OK\r\n'.repeat(sizes.reduce((sum, size) => sum + size)));
  });
  for (const batch of await Promise.all(sent)) expect(batch.completed).toBe(batch.size);
  expect(Buffer.concat(chunks).equals(asked)).toBe(true);
});

/** A server that answers one login and then reads nothing until somebody listens to its socket. */
async function startDeafServer(): Promise<{ port: number; accepted: Promise<Socket> }> {
  const server = createServer();
  const accepted = once(server, 'connection').then(async ([socket]: Socket[]) => {
    const deaf = socket as Socket;
    onTestFinished(() => {
      deaf.destroy();
    });
    await once(deaf, 'data');
    deaf.pause();
    deaf.write('+OK\r\n');
    return deaf;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, accepted };
}
