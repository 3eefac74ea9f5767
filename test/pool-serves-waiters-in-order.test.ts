import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Preset } from '../src/pool/presets.ts';
import { connector, createPool, GET, loopback, sendBatch, until } from './support/connections.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const presets: Preset[] = ['baseline', 'lock-free', 'health-cached', 'optimized'];

test.each(presets)('%s: first come, first served', async preset => {
  const pool = createPool(connector('wire', loopback(server.port)), preset, { max: 3 });
  await pool.warm();
  const holders = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
  expect([pool.total, pool.idle, pool.waiting]).toEqual([3, 0, 0]);

  const served: number[] = [];
  const waiters = Array.from({ length: 20 }, async (_, index) => {
    const connection = await pool.acquire();
    served.push(index);
    expect(await sendBatch(connection, [[GET, index]])).toMatchObject({ completed: 1 });
    pool.release(connection);
  });
  await until(() => pool.waiting === 20);
  for (const connection of holders) pool.release(connection);
  await Promise.all(waiters);
  expect(served).toEqual(served.map((_, index) => index));
  expect(served).toHaveLength(20);
  expect([pool.total, pool.idle, pool.waiting]).toEqual([3, 3, 0]);
});

test('a queue of thousands is served in order', async () => {
  const pool = createPool(connector('wire', loopback(server.port)), 'optimized', { max: 1, minIdle: 1 });
  const first = await pool.acquire();
  const served: number[] = [];
  const waiters = Array.from({ length: 5000 }, async (_, index) => {
    const connection = await pool.acquire();
    served.push(index);
    pool.release(connection);
  });
  await until(() => pool.waiting === 5000);
  pool.release(first);
  await Promise.all(waiters);
  expect(served).toEqual(Array.from({ length: 5000 }, (_, index) => index));
});
