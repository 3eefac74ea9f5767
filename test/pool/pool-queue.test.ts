import { beforeAll, describe, expect, test } from 'vitest';
import type { Connect, Connection } from '../../src/pool/connection.ts';
import type { Preset } from '../../src/pool/presets.ts';
import {
  type ClientName,
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  rejection,
  sendBatch,
  until,
} from '../support/connections.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { stopPoolTime } from '../support/pool-time.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

describe('order of waiters', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

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
});

describe('expired waiters', () => {
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
      expect(pool.waiting).toBe(5);

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
});

describe('tryAcquire', () => {
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
    const pass = stopPoolTime();
    const aged = createPool(connect, 'optimized', { minIdle: 0, healthTtlMs: 30 });
    aged.release(await aged.acquire());
    pass(60);
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
});

describe('double release', () => {
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
});

describe('connection attempts under the lock', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const connections = 8;

  /** Connects by way of a proxy that delays, and counts how many attempts are under way at once, at most. */
  async function countAttempts(client: ClientName) {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 50;
    const connect = connector(client, loopback(proxy.port));
    const attempts = { atOnce: 0, most: 0 };
    const counted: Connect = () => {
      attempts.most = Math.max(attempts.most, ++attempts.atOnce);
      return connect().finally(() => attempts.atOnce--);
    };
    return { attempts, proxy, connect: counted };
  }

  async function attemptsToConnectAll(client: ClientName, preset: Preset): Promise<number> {
    const { attempts, proxy, connect } = await countAttempts(client);
    const pool = createPool(connect, preset, { max: connections });
    await Promise.all(Array.from({ length: connections }, () => pool.acquire()));
    expect(proxy.accepted).toBe(connections);
    return attempts.most;
  }

  describe.each(clientNames)('%s', client => {
    test('baseline makes one attempt after another, lock-free all at once', async () => {
      expect(await attemptsToConnectAll(client, 'baseline')).toBe(1);
      expect(await attemptsToConnectAll(client, 'lock-free')).toBe(connections);
    });

    test('warming makes attempts in parallel, in spite of the lock', async () => {
      const { attempts, connect } = await countAttempts(client);
      const warmed = createPool(connect, 'warmed', { max: connections, minIdle: connections });
      await warmed.warm();
      expect(warmed.idle).toBe(connections);
      expect(attempts.most).toBe(connections);
    });
  });
});
