import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { identify } from '../src/main/server/identify.ts';
import { commandCalls, parseInfo, serverCpu } from '../src/main/server/info.ts';

async function answers(name: string): Promise<{ info: Map<string, string>; hello: Map<string, string> }> {
  const read = (kind: string): Promise<string> =>
    readFile(new URL(`fixtures/${name}.${kind}.txt`, import.meta.url), 'utf8');
  const hello = new Map<string, string>();
  for (const line of (await read('hello3')).split('\n')) {
    const [key = '', value = ''] = line.split(' ');
    hello.set(key, value);
  }
  return { info: parseInfo(await read('info')), hello };
}

test.each([
  ['redis-7.0.15', 'redis', '7.0.15'],
  ['valkey-8.0.1', 'valkey', '8.0.1'],
  ['dragonfly-1.40.1', 'dragonfly', '1.40.1'],
])('%s is told by INFO, by HELLO, and by both', async (fixture, server, version) => {
  const { info, hello } = await answers(fixture);
  expect(identify(info)).toMatchObject({ server, version });
  expect(identify(new Map(), hello)).toMatchObject({ server, version });
  expect(identify(info, hello)).toMatchObject({ server, version });
});

test('what matters to a plan is read, whatever a server calls it', async () => {
  const redis = await answers('redis-7.0.15');
  expect(
    identify(
      redis.info,
      redis.hello,
      new Map([
        ['io-threads', '4'],
        ['save', '3600 1'],
      ]),
    ),
  ).toEqual({
    server: 'redis',
    version: '7.0.15',
    threads: 4,
    persistence: ['snapshots (save 3600 1)'],
    maxClients: 10_000,
    connectedClients: 1,
    maxMemoryBytes: 0,
    usedMemoryBytes: 6_125_048,
    maxMemoryPolicy: 'noeviction',
    role: 'master',
    cluster: false,
  });
  const dragonfly = await answers('dragonfly-1.40.1');
  expect(identify(dragonfly.info, dragonfly.hello)).toMatchObject({
    threads: 2,
    persistence: null,
    maxClients: 64_000,
    maxMemoryBytes: 19_905_278_771,
  });
});

test('a server that names itself otherwise is not taken for Redis', () => {
  expect(identify(parseInfo('redis_version:7.4.0\r\nserver_name:other'))).toMatchObject({
    server: 'unknown',
  });
  expect(identify(parseInfo('redis_version:7.2.5\r\ngarnet_version:1.0'))).toMatchObject({
    server: 'unknown',
  });
  expect(identify(new Map())).toMatchObject({ server: 'unknown', version: 'unknown', maxClients: null });
  expect(identify(parseInfo('redis_version:7.0.0\r\nrole:slave\r\naof_enabled:1'))).toMatchObject({
    role: 'replica',
    persistence: ['append-only file'],
  });
});

test('CPU seconds are those of user and system, null where INFO does not tell', async () => {
  const { info } = await answers('redis-7.0.15');
  expect(serverCpu(info).all).toBeCloseTo(110.259359 + 86.205147, 6);
  expect(serverCpu(info).mainThread).toBeCloseTo(110.251494 + 86.205596, 6);
  expect(serverCpu(parseInfo('used_cpu_sys:1\r\nused_cpu_user:2'))).toEqual({ all: 3, mainThread: null });
  expect(serverCpu(new Map())).toEqual({ all: null, mainThread: null });
});

test('commands are counted without case, null where the server keeps no count', () => {
  const stats = parseInfo(
    '# Commandstats\r\ncmdstat_GET:calls=7,usec=3\r\ncmdstat_set:calls=5,usec=9,usec_per_call=1.80\r\ncmdstat_config|get:calls=2,usec=1',
  );
  expect(commandCalls(stats, ['get', 'SET'])).toBe(12);
  expect(commandCalls(stats, ['mget'])).toBe(0);
  expect(commandCalls(parseInfo('# Commandstats'), ['get'])).toBeNull();
});
