import { expect, test } from 'vitest';
import { mastersOf, readRedirect, readSlotRanges } from '../src/pool/client/cluster/slot-ranges.ts';
import { RespReader } from '../src/pool/client/resp-values.ts';

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
    expect(readSlotRanges(reply(named(more)), 'asked')).toEqual(expected);
});

test('a node that announces no host is at the host that was asked', () => {
  for (const host of ['$-1\r\n', '_\r\n', bulk('')]) {
    const ranges = readSlotRanges(reply(list(list(':0\r\n', ':16383\r\n', node(host, 7000)))), 'asked');
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
    expect(() => readSlotRanges(answer, 'asked')).toThrow(/Expected the slots of a cluster/);
  },
);

test('redirections are told from other errors', () => {
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
