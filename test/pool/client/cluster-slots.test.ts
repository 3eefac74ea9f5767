import type { Socket } from 'node:net';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Address } from '../../../src/pool/client/address.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import { crc16, KeySlots } from '../../../src/pool/client/cluster/key-slots.ts';
import {
  mastersOf,
  readRedirect,
  readSlotRanges,
  type SlotRange,
} from '../../../src/pool/client/cluster/slot-ranges.ts';
import { Topology } from '../../../src/pool/client/cluster/topology.ts';
import { askSlots } from '../../../src/pool/client/cluster/wire-cluster.ts';
import { RespReader } from '../../../src/pool/client/resp-values.ts';
import {
  commands,
  GET,
  loopback,
  openConnection,
  rejection,
  sendBatch,
  until,
} from '../../support/connections.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { ownPort } from '../../support/ports.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { startRedis, type TestServer } from '../../support/servers.ts';

describe('reloading the slots', () => {
  const place = (port: number) => ({ host: '127.0.0.1', port });
  const all = (port: number, replicas: readonly number[] = []): SlotRange[] => [
    { first: 0, last: 16383, master: place(port), replicas: replicas.map(place) },
  ];

  /** A topology whose nodes answer as `answer` says now, and whom it has asked. */
  function topologyOf(
    answer: (port: number) => SlotRange[],
    ...seeds: number[]
  ): { topology: Topology; asked: number[] } {
    const asked: number[] = [];
    const ask = async ({ port }: Address) => {
      asked.push(port);
      return answer(port);
    };
    return {
      topology: new Topology(
        seeds.map(port => loopback(port)),
        ask,
        { readFrom: 'primary' },
      ),
      asked,
    };
  }

  const portOf = (topology: Topology, slot: number) => topology.node(topology.owner(slot)).port;

  test('a MOVED corrects its slot at once, and many together have the table asked for once', async () => {
    let master = 1;
    const { topology, asked } = topologyOf(() => all(master), 1);
    await topology.load();
    expect(portOf(topology, 5)).toBe(1);
    master = 2;
    for (let slot = 0; slot < 100; slot++) {
      topology.moved(slot, topology.indexOf(place(2)));
      expect(portOf(topology, slot)).toBe(2);
    }
    expect(portOf(topology, 200)).toBe(1);
    await until(() => portOf(topology, 200) === 2);
    expect(asked).toEqual([1, 1]);
  });

  test.each([
    ['replica', [2, 3, 2, 3]],
    ['any', [2, 3, 1, 2]],
    ['primary', [1, 1, 1, 1]],
  ] as const)('reads from "%s" alternate between those nodes, which are in use', async (readFrom, ports) => {
    const answers = [all(1, [2, 3]), all(1)];
    const topology = new Topology([loopback(1)], async () => answers.shift() ?? all(1), { readFrom });
    await topology.load();
    const readPort = () => topology.node(topology.reader(7)).port;
    expect(ports.map(() => readPort()).toSorted()).toEqual(ports.toSorted());
    const used = topology.serving().map(index => topology.node(index).port);
    expect(new Set(used)).toEqual(new Set([1, ...ports]));
    // Until the replicas of a new owner are known, it is read from itself; and so is one that has lost them all.
    topology.moved(7, topology.indexOf(place(3)));
    expect(readPort()).toBe(3);
    await until(() => portOf(topology, 7) === 1);
    expect([readPort(), readPort()]).toEqual([1, 1]);
  });

  test('a redirection during a request for the slots causes another request later', async () => {
    let asks = 0;
    const startsMs: number[] = [];
    const { topology } = topologyOf(() => {
      startsMs.push(performance.now());
      // Every answer is out of date when it comes, for a while.
      if (++asks < 4) topology.suspect();
      return all(asks);
    }, 1);
    await topology.load();
    await until(() => asks === 4);
    // Timers may come a millisecond early.
    for (const [index, startMs] of startsMs.slice(1).entries())
      expect(startMs - (startsMs[index] ?? 0)).toBeGreaterThan(95);
  });

  test('a node that does not answer is passed over, and replicas are asked, too', async () => {
    const gone = new Set<number>();
    const { topology, asked } = topologyOf(
      port => {
        if (gone.has(port)) throw new Error(`${port} is gone`);
        return gone.has(1) ? all(3) : all(1, [3]);
      },
      9,
      1,
    );
    gone.add(9);
    await topology.load();
    expect([portOf(topology, 0), asked]).toEqual([1, [9, 1]]);
    gone.add(1);
    topology.suspect();
    await until(() => portOf(topology, 0) === 3);
    expect(asked).toEqual([9, 1, 1, 3]);
  });

  test('if no node answers at first, loading rejects with the last reason, and can be tried again', async () => {
    let told = false;
    const { topology } = topologyOf(
      port => {
        if (!told) throw new Error(`${port} is gone`);
        return all(port);
      },
      1,
      2,
    );
    expect(await rejection(topology.load())).toMatchObject({ message: '2 is gone' });
    told = true;
    await topology.load();
    expect(topology.serving().map(index => topology.node(index).port)).toEqual([1]);
  });

  test('commands for a slot that no node serves go to any node, and an empty answer is none', async () => {
    const { topology } = topologyOf(
      port => (port === 1 ? [] : all(2).map(range => ({ ...range, last: 99 }))),
      1,
      2,
    );
    await topology.load();
    expect(portOf(topology, 16383)).toBe(2);
  });
});

describe('slots of keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await ownPort())],
    });
  });
  afterAll(() => server?.stop());

  /** What the server says of many keys at once. */
  async function slotsOf(redis: Redis, keys: readonly string[]): Promise<unknown[]> {
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.call('CLUSTER', 'KEYSLOT', key);
    return ((await pipeline.exec()) ?? []).map(([error, slot]) => error ?? slot);
  }

  const number = fc.oneof(
    fc.nat({ max: 99_999_999 }),
    fc.constantFrom(0, 9, 10, 99, 100, 9_999, 10_000, 10_001, 1_000_000, 99_990_000, 99_999_999),
  );
  /** Braces are what makes and breaks a hash tag. */
  const prefix = fc.oneof(
    fc.string({ unit: fc.constantFrom('{', '}', 'a', 'b', ':'), maxLength: 8 }),
    fc.string({ maxLength: 20 }),
    fc.constantFrom('', 'poolbench:1:', '{tag}', '{}', '{', '{{a}}', '{}{a}', 'ä{ö}'),
  );

  test('the slot of any key number under any prefix', async () => {
    const redis = await connectObserver(server.url);
    await fc.assert(
      fc.asyncProperty(
        prefix,
        fc.array(number, { minLength: 20, maxLength: 20 }),
        async (prefix, numbers) => {
          const slots = new KeySlots(prefix);
          const keys = numbers.map(one => keyName(prefix, one));
          expect(numbers.map(one => slots.of(one))).toEqual(await slotsOf(redis, keys));
        },
      ),
      { seed: 16384, numRuns: 60 },
    );
  });

  test('the check value that is published for CRC-16/XMODEM', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
  });
});

describe('replies to CLUSTER SLOTS', () => {
  const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  const list = (...elements: string[]) => `*${elements.length}\r\n${elements.join('')}`;
  const node = (host: string, port: number, more = '') =>
    `*${more === '' ? 3 : 4}\r\n${host}:${port}\r\n${bulk('id')}${more}`;
  const reply = (text: string) => {
    const reader = new RespReader(bytes => bytes.toString(), { maxBytes: 10_000 });
    reader.push(Buffer.from(text));
    return reader.read();
  };

  test('masters and replicas of every range, in RESP2 and RESP3', () => {
    const named = (more: string) =>
      list(
        list(':0\r\n', ':5460\r\n', node(bulk('10.0.0.1'), 6379, more), node(bulk('10.0.0.4'), 6379, more)),
        list(':5461\r\n', ':16383\r\n', node(bulk('::1'), 6380, more)),
      );
    const expected = [
      {
        first: 0,
        last: 5460,
        master: { host: '10.0.0.1', port: 6379 },
        replicas: [{ host: '10.0.0.4', port: 6379 }],
      },
      { first: 5461, last: 16383, master: { host: '::1', port: 6380 }, replicas: [] },
    ];
    // Redis 7 adds what else it knows of a node: a list of pairs, or a map.
    const pairs = list(bulk('hostname'), bulk('host-1'));
    const map = `%1\r\n${bulk('hostname')}${bulk('host-1')}`;
    for (const more of ['', list(), pairs, map])
      expect(readSlotRanges(reply(named(more)), { host: 'asked' })).toEqual(expected);
  });

  test('a node that announces no host is at the host that was asked', () => {
    for (const host of ['$-1\r\n', '_\r\n', bulk('')]) {
      const ranges = readSlotRanges(reply(list(list(':0\r\n', ':16383\r\n', node(host, 7000)))), {
        host: 'asked',
      });
      expect(mastersOf(ranges)).toEqual([{ host: 'asked', port: 7000 }]);
    }
  });

  test('masters are listed once, in the order of their slots', () => {
    const range = (first: number, port: number) => ({
      first,
      last: first,
      master: { host: 'h', port },
      replicas: [],
    });
    expect(mastersOf([range(0, 1), range(1, 2), range(2, 1)])).toEqual([
      { host: 'h', port: 1 },
      { host: 'h', port: 2 },
    ]);
  });

  test.each([[null], ['OK'], [[1]], [[[0, 1]]], [[[0, 1, ['host']]]], [[['0', 1, ['host', 1]]]]])(
    'what is no answer to CLUSTER SLOTS is refused: %j',
    answer => {
      expect(() => readSlotRanges(answer, { host: 'asked' })).toThrow(/Expected the slots of a cluster/);
    },
  );

  test('redirections differ from other errors', () => {
    expect(readRedirect('MOVED 3999 127.0.0.1:6381')).toEqual({
      asking: false,
      slot: 3999,
      host: '127.0.0.1',
      port: 6381,
    });
    expect(readRedirect('ASK 0 ::1:6381')).toEqual({ asking: true, slot: 0, host: '::1', port: 6381 });
    expect(readRedirect('MOVED 1 :6381')).toMatchObject({ host: '', port: 6381 });
    for (const other of [
      'ERR MOVED 1 h:1',
      'MOVED',
      'MOVED 1',
      'CLUSTERDOWN The cluster is down',
      'MOVED x h:1',
    ])
      expect(readRedirect(other)).toBeUndefined();
  });
});

describe('endless answers', () => {
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
});
