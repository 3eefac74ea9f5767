import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../src/pool/connection.ts';
import type { PoolOptions } from '../src/pool/presets.ts';
import { SharedPool } from '../src/pool/shared-pool.ts';
import {
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  SET,
  sendBatch,
  until,
} from './support/connections.ts';
import { FakeConnection } from './support/fake-connection.ts';
import { callsOf, connectObserver } from './support/observed-server.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const shared = (changes: Partial<PoolOptions>) =>
  createPool(async () => new FakeConnection(), 'shared', changes);

function take(connection: Connection | undefined): Connection {
  if (connection === undefined) throw new Error('expected a connection without waiting');
  return connection;
}

test('warming opens all connections, whatever minIdle is', async () => {
  const pool = shared({ max: 4, minIdle: 0 });
  expect(pool).toBeInstanceOf(SharedPool);
  await pool.warm();
  expect([pool.total, pool.idle, pool.waiting]).toEqual([4, 4, 0]);
  expect(pool.metrics()?.created).toBe(4);
});

test('more callers than connections hold them at once, evenly, and nobody waits', async () => {
  const pool = shared({ max: 3 });
  await pool.warm();
  const held = Array.from({ length: 30 }, () => take(pool.tryAcquire()));
  const holders = [...new Set(held)].map(connection => connection.holders);
  expect(holders).toEqual([10, 10, 10]);
  expect([pool.total, pool.idle, pool.waiting]).toEqual([3, 0, 0]);
  expect(pool.metrics()).toMatchObject({ acquisitions: 30, immediate: 30, lockWaits: 0, created: 3 });
  for (const connection of held) pool.release(connection);
  expect(pool.idle).toBe(3);
});

test('the least held connection is next', async () => {
  const pool = shared({ max: 3 });
  await pool.warm();
  const held = Array.from({ length: 6 }, () => take(pool.tryAcquire()));
  const freed = take(held[1]);
  pool.release(freed);
  expect(pool.tryAcquire()).toBe(freed);
  pool.release(freed);
  expect(await pool.acquire()).toBe(freed);
});

test('callers who wait for a check spread over the connections, too', async () => {
  const pool = shared({ max: 4, healthTtlMs: 0 });
  await pool.warm();
  expect(pool.tryAcquire()).toBeUndefined();
  const held = await Promise.all(Array.from({ length: 8 }, () => pool.acquire()));
  expect([...new Set(held)].map(({ holders }) => holders)).toEqual([2, 2, 2, 2]);
  expect(pool.metrics()).toMatchObject({ healthChecksRun: 8, healthChecksSkipped: 0 });
});

test('a release too many is refused, one for each holder is not', async () => {
  const pool = shared({ max: 1 });
  await pool.warm();
  const connection = take(pool.tryAcquire());
  expect(take(pool.tryAcquire())).toBe(connection);
  pool.release(connection);
  pool.release(connection);
  expect(() => pool.release(connection)).toThrow(expect.objectContaining({ code: 'NOT_IN_USE' }));
});

test('utilization counts connections with something in flight', async () => {
  const pool = shared({ max: 3, timeoutMs: 60_000 });
  await pool.warm();
  const busy = take(pool.tryAcquire());
  busy.sent += 2;
  pool.resetMetrics();
  await until(() => (pool.metrics()?.utilization.length ?? 0) > 0);
  expect(pool.metrics()?.utilization[0]).toMatchObject({ active: 1, idle: 2, waiting: 0, total: 3 });
  busy.settled += 2;
  pool.resetMetrics();
  await until(() => (pool.metrics()?.utilization.length ?? 0) > 0);
  expect(pool.metrics()?.utilization[0]).toMatchObject({ active: 0, idle: 3 });
});

describe.each(clientNames)('%s', client => {
  test('twenty workers on two connections: each gets its own replies, and the server saw every command', async () => {
    const pool = createPool(connector(client, loopback(server.port)), 'shared', { max: 2 });
    await pool.warm();
    const observer = await connectObserver(server.url);
    const before = await callsOf(observer, 'get');
    let mostInFlight = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, worker) => {
        for (let turn = 0; turn < 50; turn++) {
          const connection = pool.tryAcquire() ?? (await pool.acquire());
          const outcome = sendBatch(connection, [
            [SET, worker],
            [GET, worker],
            [GET, 1000 + worker],
          ]);
          mostInFlight = Math.max(mostInFlight, connection.sent - connection.settled);
          expect(await outcome).toMatchObject({ completed: 3, misses: 1, failures: {} });
          pool.release(connection);
        }
      }),
    );
    expect(mostInFlight).toBe(10);
    expect((await callsOf(observer, 'get')) - before).toBe(20 * 50 * 2);
    expect(pool.metrics()).toMatchObject({ acquisitions: 1000, immediate: 1000, created: 2, peakWaiting: 0 });
    expect(pool.idle).toBe(2);
  });
});
