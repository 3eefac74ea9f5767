import { expect, test } from 'vitest';
import type { Preset } from '../src/pool/presets.ts';
import { createPool } from './support/connections.ts';
import { FakeConnection } from './support/fake-connection.ts';

test.each<Preset>(['baseline', 'optimized'])('%s', async preset => {
  const pool = createPool(async () => new FakeConnection(), preset, { max: 2, minIdle: 0 });
  const connection = await pool.acquire();
  pool.release(connection);
  const twice = expect.objectContaining({ name: 'PoolError', code: 'NOT_IN_USE' });
  expect(() => pool.release(connection)).toThrow(twice);
  expect(() => pool.release(new FakeConnection())).toThrow(twice);
  expect([pool.total, pool.idle]).toEqual([1, 1]);

  const [first, second] = await Promise.all([pool.acquire(), pool.acquire()]);
  expect(first).not.toBe(second);
});

test('a dead connection is released once, like any other', async () => {
  const pool = createPool(async () => new FakeConnection(), 'optimized', { max: 1, minIdle: 0 });
  const connection = await pool.acquire();
  connection.close();
  pool.release(connection);
  expect(() => pool.release(connection)).toThrow(expect.objectContaining({ code: 'NOT_IN_USE' }));
  expect(pool.total).toBe(0);
});
