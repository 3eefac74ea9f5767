import { expect, test } from 'vitest';
import type { Connection } from '../src/pool/connection.ts';
import type { Preset } from '../src/pool/presets.ts';
import { createPool, rejection, until } from './support/connections.ts';
import { FakeConnection } from './support/fake-connection.ts';

test.each<Preset>(['baseline', 'optimized'])(
  '%s: a timed-out waiter leaves the queue, the others keep their order',
  async preset => {
    const pool = createPool(async () => new FakeConnection(), preset, { max: 1, minIdle: 0 });
    const only = await pool.acquire();
    const served: string[] = [];
    const wait = async (name: string, options: { timeout?: number } = {}) => {
      const connection = await pool.acquire(options);
      served.push(name);
      pool.release(connection);
    };
    const startMs = performance.now();
    const first = wait('first');
    const timeoutsMs = [30, 60, 90];
    const late = timeoutsMs.map(timeout => rejection(wait('late', { timeout })));
    const last = wait('last', { timeout: 60_000 });
    await until(() => pool.waiting === 5);

    for (const [index, error] of (await Promise.all(late)).entries()) {
      expect(error).toMatchObject({ name: 'PoolError', code: 'ACQUIRE_TIMEOUT' });
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(timeoutsMs[index] ?? 0);
    }
    expect(pool.waiting).toBe(2);
    pool.release(only);
    await Promise.all([first, last]);
    expect(served).toEqual(['first', 'last']);
    expect([pool.total, pool.idle, pool.waiting]).toEqual([1, 1, 0]);
  },
);

test('the lock is not lost with a waiter that times out while it holds it', async () => {
  const pool = createPool(async () => new FakeConnection(), 'baseline', { max: 1 });
  const only = await pool.acquire();
  expect(await rejection(pool.acquire({ timeout: 20 }))).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  const next = pool.acquire();
  pool.release(only);
  const connection: Connection = await next;
  expect(connection).toBe(only);
});
