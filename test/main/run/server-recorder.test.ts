import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerPoint, ServerSeries } from '../../../src/aggregate/stats/server-series.ts';
import { ServerRecorder } from '../../../src/main/run/server-recorder.ts';
import { connectCluster } from '../../../src/main/server/cluster-control.ts';
import { connectControl } from '../../../src/main/server/control.ts';
import { startEmbedded } from '../../../src/main/server/embedded/start.ts';
import { startCluster } from '../../support/cluster.ts';
import { loopback, until } from '../../support/connections.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { buildServerSeries } from '../../support/result-builder.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { ofTest, shareServer, startRedis } from '../../support/servers.ts';

// The timer of the recorder, and its clock, move by hand.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Moved by hand. */
const now = () => new Date();

async function controlOf(port: number, timeoutMs = 10_000) {
  const control = await connectControl(loopback(port), { timeoutMs });
  onTestFinished(() => control.close());
  return control;
}

/** The same once a second from another time on. */
function startingAt(startMs: number, series: ServerSeries): ServerSeries {
  const points = series.points.map((point, second) => {
    return { ...point, at: new Date(startMs + second * 1000).toISOString() };
  });
  return { ...series, points };
}

/** What two points of a counter differ by. */
function grown(points: readonly ServerPoint[], name: keyof Omit<ServerPoint, 'at'>): number {
  return (points.at(-1)?.[name] ?? Number.NaN) - (points[0]?.[name] ?? Number.NaN);
}

describe.each(['redis', 'valkey'] as const)('%s', kind => {
  test('what was done to the server is what it told: keys evicted and expired, hits and misses, a fork', async () => {
    const server = await shareServer(kind);
    const control = await controlOf(server.port);
    const redis = await connectObserver(server.url);
    for (let key = 0; key < 40; key++) await redis.set(`expiring:${key}`, 'x', 'PX', 1);
    await sleep(20);
    const told: (ServerPoint | null)[] = [];
    const recorder = new ServerRecorder(control, { now, show: point => told.push(point) });
    await recorder.start();
    const seen = { hits: 0, misses: 0 };
    for (let key = 0; key < 40; key++) {
      await redis.get(`expiring:${key}`);
      seen.misses++;
    }
    await redis.set('here', 'x');
    for (; seen.hits < 25; seen.hits++) await redis.get('here');
    await redis.bgsave();
    await until(async () => (await redis.info('persistence')).includes('rdb_bgsave_in_progress:0'));
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', used + 1_000_000);
    for (let key = 0; key < 300; key++) await redis.set(`large:${key}`, 'x'.repeat(10_000));
    await recorder.stop();

    const { points, asked, unanswered } = recorder.series;
    expect({ asked, unanswered, points: points.length }).toEqual({ asked: 2, unanswered: 0, points: 2 });
    expect(told).toEqual([...points, null]);
    expect(points[1]?.expiredKeys).toBe(40);
    expect(grown(points, 'keyspaceHits')).toBe(seen.hits);
    expect(grown(points, 'keyspaceMisses')).toBe(seen.misses);
    const kept = await redis.dbsize();
    expect(grown(points, 'evictedKeys')).toBe(301 - kept);
    expect(kept).toBeLessThan(150);
    expect(grown(points, 'netInputBytes')).toBeGreaterThan(3_000_000);
    expect(points[0]?.latestForkMicros).toBe(0);
    expect(points[1]?.latestForkMicros).toBe(
      Number(/latest_fork_usec:(\d+)/.exec(await redis.info('stats'))?.[1]),
    );
    expect(points[1]?.latestForkMicros).toBeGreaterThan(0);
    expect(points[1]?.connectedClients).toBe(2);
    expect(points[1]?.replicationLagBytes).toBeNull();
  });
});

test('of the embedded server, which counts little, the rest is null', async () => {
  const { port } = await ofTest(startEmbedded());
  const recorder = new ServerRecorder(await controlOf(port), { now, show: () => {} });
  await recorder.start();
  await recorder.stop();
  const { points, cost } = recorder.series;
  expect(points[1]).toMatchObject({ connectedClients: 1, evictedKeys: null, latestForkMicros: null });
  expect(points[1]?.usedMemoryBytes).toBeGreaterThan(0);
  expect(cost).toBeNull();
});

test('a replica that hangs falls behind by what was written meanwhile', async () => {
  // It would wait for the replica as it ends.
  const args = ['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0'];
  const server = await ofTest(startRedis({ args }));
  const replica = await ofTest(startRedis());
  const [redis, second] = [await connectObserver(server.url), await connectObserver(replica.url)];
  await second.replicaof('127.0.0.1', server.port);
  await until(async () => (await redis.info('replication')).includes('state=online'));
  await redis.set('key', 'the first that it acknowledges');
  await until(async () => /slave0:.*state=online,offset=[1-9]/.test(await redis.info('replication')));
  const recorder = new ServerRecorder(await controlOf(server.port), { now, show: () => {} });
  await recorder.start();
  const pid = Number(/process_id:(\d+)/.exec(await second.info('server'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  try {
    await redis.set('key', 'x'.repeat(100_000));
    await recorder.stop();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const [before, after] = recorder.series.points;
  expect(before?.replicationLagBytes).toBeLessThan(1000);
  expect(after?.replicationLagBytes).toBeGreaterThan(100_000);
});

test('it asks once a second, on the connection that is there, and says what that cost by the count of the server', async () => {
  const server = await shareServer();
  const control = await controlOf(server.port);
  const redis = await connectObserver(server.url);
  const statOf = async () => {
    const [, calls, micros] =
      /cmdstat_info:calls=(\d+),usec=(\d+)/.exec(await redis.info('commandstats')) ?? [];
    return { calls: Number(calls ?? 0), micros: Number(micros ?? 0) };
  };
  const before = await statOf();
  const recorder = new ServerRecorder(control, { now, show: () => {} });
  await recorder.start();
  for (const points of [2, 3, 4]) {
    vi.advanceTimersByTime(1000);
    await until(async () => recorder.series.points.length === points);
  }
  expect(recorder.series.cost).toBeNull();
  vi.advanceTimersByTime(1000);
  await recorder.stop();
  const after = await statOf();
  const { points, asked, unanswered, everySeconds, cost } = recorder.series;
  expect({ asked, unanswered, everySeconds }).toEqual({ asked: 6, unanswered: 0, everySeconds: 1 });
  expect(points.map(({ at }) => Date.parse(at) - Date.parse(points[0]?.at ?? ''))).toEqual([
    ...[0, 1000, 2000, 3000, 4000],
  ]);
  expect(new Set(points.map(({ connectedClients }) => connectedClients))).toEqual(new Set([2]));
  // Without our first look, and the recorder's last one.
  expect(cost?.calls).toBe(after.calls - before.calls - 2);
  expect(cost?.calls).toBe(asked + 1);
  expect(cost?.micros).toBeGreaterThan(0);
  expect(cost?.micros).toBeLessThanOrEqual(after.micros - before.micros);
  expect(cost?.seconds).toBeGreaterThan(0);
});

test('a server that is gone costs points, and nothing else; its counts before and after make no cost', async () => {
  const server = await startRedis();
  const control = await controlOf(server.port);
  const told: (ServerPoint | null)[] = [];
  const recorder = new ServerRecorder(control, { now, show: point => told.push(point) });
  await recorder.start();
  await server.stop();
  vi.advanceTimersByTime(1000);
  await until(async () => recorder.series.unanswered === 1);
  expect(told.at(-1)).toBeNull();
  await ofTest(startRedis({ port: server.port }));
  vi.advanceTimersByTime(1000);
  await until(async () => recorder.series.points.length === 2);
  vi.advanceTimersByTime(1000);
  await recorder.stop();
  expect(recorder.series).toMatchObject({ asked: 5, unanswered: 1, cost: null });
  expect(recorder.series.points).toHaveLength(3);
});

test('a question that is not answered in time ends no connection, and no other is sent meanwhile', async () => {
  const connections = new Set<unknown>();
  let questions = 0;
  let answer: (() => void) | undefined;
  const { port } = await startScriptedServer(([name = ''], reply, socket) => {
    connections.add(socket);
    const info = 'used_memory:7';
    const bulk = `$${info.length}\r\n${info}\r\n`;
    if (name.toUpperCase() === 'PING') return reply('+PONG\r\n');
    if (name.toUpperCase() !== 'INFO') return reply('+OK\r\n');
    questions++;
    // The first is that for its counts, and the second is the first point.
    if (questions <= 2) return reply(bulk);
    answer = () => reply(bulk);
  });
  const timeoutMs = 1500;
  const control = await controlOf(port, timeoutMs);
  const recorder = new ServerRecorder(control, { now, show: () => {} });
  await recorder.start();
  vi.advanceTimersByTime(1000);
  await until(async () => questions === 3);
  await sleep(1.2 * timeoutMs);
  vi.advanceTimersByTime(2000);
  expect(questions).toBe(3);
  answer?.();
  await until(async () => recorder.series.points.length === 2);
  expect(recorder.series).toMatchObject({ asked: 2, unanswered: 0 });
  expect(await control.call('PING')).toBe('PONG');
  expect(connections.size).toBe(1);
});

test('a resumed run goes on with the points that it had', async () => {
  const server = await shareServer();
  const earlier = startingAt(
    Date.now() - 60_000,
    buildServerSeries([{ evictedKeys: 1 }, { evictedKeys: 2 }]),
  );
  const recorder = new ServerRecorder(await controlOf(server.port), { now, earlier, show: () => {} });
  await recorder.start();
  await recorder.stop();
  const { points, asked, cost } = recorder.series;
  expect(points.slice(0, 2)).toEqual(earlier.points);
  expect(points.length).toBeGreaterThan(2);
  expect(asked).toBe(4);
  expect(cost?.calls).toBeGreaterThan(earlier.cost?.calls ?? 0);
});

test('a resumed run keeps points although the system clock was set back before', async () => {
  const server = await ofTest(startRedis());
  const earlier = startingAt(
    Date.now() + 3_600_000,
    buildServerSeries([{ evictedKeys: 1 }, { evictedKeys: 2 }]),
  );
  const recorder = new ServerRecorder(await controlOf(server.port), { now, earlier, show: () => {} });
  await recorder.start();
  vi.advanceTimersByTime(1000);
  await until(async () => recorder.series.points.length === 4);
  await recorder.stop();
});

test('a run of many hours keeps fewer points, evenly', async () => {
  const server = await shareServer();
  const hour = Array.from({ length: 3600 }, (_, second) => ({ evictedKeys: second }));
  const earlier = startingAt(Date.now() - 3_600_000, buildServerSeries(hour));
  const control = await controlOf(server.port);
  const recorder = new ServerRecorder(control, { now, earlier, show: () => {} });
  await recorder.start();
  expect(recorder.series.everySeconds).toBe(2);
  expect(recorder.series.points).toHaveLength(1801);
  vi.advanceTimersByTime(1000);
  // Is answered after the question.
  await control.call('PING');
  await sleep(1);
  expect(recorder.series.asked).toBe(3602);
  expect(recorder.series.points).toHaveLength(1801);
  vi.advanceTimersByTime(1000);
  await until(async () => recorder.series.points.length === 1802);
  await recorder.stop();
});

test('of a cluster it is the sum over its masters', async () => {
  const cluster = await ofTest(startCluster());
  const [first] = cluster.masters;
  const control = await connectCluster(loopback(first?.port ?? 0), { timeoutMs: 10_000 });
  onTestFinished(() => control.close());
  const recorder = new ServerRecorder(control, { now, show: () => {} });
  await recorder.start();
  for (let key = 0; key < 60; key++) await control.call('GET', `key:${key}`);
  await recorder.stop();
  const { points, cost } = recorder.series;
  expect(grown(points, 'keyspaceMisses')).toBe(60);
  expect(cost?.calls).toBeGreaterThanOrEqual(3 * 3);
});
