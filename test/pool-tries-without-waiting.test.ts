import { expect, test } from 'vitest';
import type { Preset } from '../src/pool/presets.ts';
import { createPool } from './support/connections.ts';
import { FakeConnection } from './support/fake-connection.ts';

const connect = async () => new FakeConnection();

test('optimized: an idle, healthy connection comes at once, the last released first', async () => {
  const pool = createPool(connect, 'optimized', { max: 3, minIdle: 2 });
  expect(pool.tryAcquire()).toBeUndefined();
  await pool.warm();
  const first = pool.tryAcquire();
  const second = pool.tryAcquire();
  expect(first).toBeInstanceOf(FakeConnection);
  expect(second).toBeInstanceOf(FakeConnection);
  expect(second).not.toBe(first);
  // There is room for a third, but opening it would take time.
  expect(pool.tryAcquire()).toBeUndefined();
  expect(pool.total).toBe(2);
  if (first === undefined || second === undefined) return;
  pool.release(second);
  pool.release(first);
  expect(pool.tryAcquire()).toBe(first);
});

test.each<Preset>(['baseline', 'health-cached', 'warmed'])(
  '%s: undefined, for the mutex cannot be taken synchronously',
  async preset => {
    const pool = createPool(connect, preset, { minIdle: 2 });
    pool.release(await pool.acquire());
    expect(pool.idle).toBeGreaterThanOrEqual(1);
    expect(pool.tryAcquire()).toBeUndefined();
  },
);

test('lock-free: undefined, for a check comes first', async () => {
  const pool = createPool(connect, 'lock-free');
  pool.release(await pool.acquire());
  expect(pool.idle).toBe(1);
  expect(pool.tryAcquire()).toBeUndefined();
});

test('optimized: undefined when the idle connection must be checked again, or is dead', async () => {
  const aged = createPool(connect, 'optimized', { minIdle: 0, healthTtlMs: 30 });
  aged.release(await aged.acquire());
  await new Promise(resolve => setTimeout(resolve, 60));
  expect(aged.tryAcquire()).toBeUndefined();
  const checked = await aged.acquire();
  aged.release(checked);
  expect(aged.tryAcquire()).toBe(checked);

  const pool = createPool(connect, 'optimized', { minIdle: 0 });
  const dead = await pool.acquire();
  pool.release(dead);
  if (dead instanceof FakeConnection) dead.die();
  expect(pool.tryAcquire()).toBeUndefined();
});
