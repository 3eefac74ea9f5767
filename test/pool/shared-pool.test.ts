import { beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/pool/connection.ts';
import type { ConnectionPool } from '../../src/pool/connection-pool.ts';
import type { PoolOptions } from '../../src/pool/presets.ts';
import { SharedPool } from '../../src/pool/shared-pool.ts';
import {
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  rejection,
  SET,
  sendBatch,
  until,
} from '../support/connections.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { callsOf, connectObserver } from '../support/observed-server.ts';
import { passUntil, stopPoolTime } from '../support/pool-time.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

describe('connections of a shared pool', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

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
      expect(pool.metrics()).toMatchObject({
        acquisitions: 1000,
        immediate: 1000,
        created: 2,
        peakWaiting: 0,
      });
      expect(pool.idle).toBe(2);
    });
  });
});

describe('lost connections of a shared pool', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  /** A server of fakes that admits connects at once, when told, or not at all. */
  function fakes() {
    const made: FakeConnection[] = [];
    const pending: { admit(): void; refuse(): void }[] = [];
    const state = { holdsBack: false, refuses: false };
    const connect = () =>
      new Promise<Connection>((resolve, reject) => {
        const admit = () => {
          const connection = new FakeConnection();
          made.push(connection);
          resolve(connection);
        };
        const refuse = () => reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
        if (state.holdsBack) pending.push({ admit, refuse });
        else if (state.refuses) refuse();
        else admit();
      });
    return { made, pending, state, connect };
  }

  async function warmed(
    connect: () => Promise<Connection>,
    max: number,
    timeoutMs = 5000,
  ): Promise<ConnectionPool> {
    const pool = createPool(connect, 'shared', { max, timeoutMs });
    await pool.warm();
    return pool;
  }

  describe.each(clientNames)('%s', client => {
    test('a dead connection is not acquired, the others continue, and it is replaced in the background', async () => {
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'shared', { max: 2 });
      await pool.warm();
      const [first, second] = [await pool.acquire(), await pool.acquire()];
      first.close();
      for (let i = 0; i < 3; i++) expect(pool.tryAcquire()).toBe(second);
      expect(await sendBatch(second, [[GET, 1]])).toMatchObject({ completed: 1 });
      // Nobody releases or asks: the pool finds it by itself.
      await until(() => proxy.accepted === 3 && pool.idle === 1);
      const third = await pool.acquire();
      expect([first, second]).not.toContain(third);
      expect(await sendBatch(third, [[GET, 1]])).toMatchObject({ completed: 1 });
      pool.release(first);
      expect([pool.total, pool.idle]).toEqual([2, 0]);
      expect(pool.metrics()).toMatchObject({ created: 3, reconnects: 1 });
    });

    test('one that settles nothing with batches in flight is closed after the time limit, and all of them fail', async () => {
      const timeoutMs = 150;
      const pass = stopPoolTime();
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'shared', { max: 1, timeoutMs });
      await pool.warm();
      const connection = await pool.acquire();
      // Slow, but alive: with replies 60 ms late and one on its way at every look, it is never given up.
      const held: (() => void)[] = [];
      proxy.admission = admit => held.push(admit);
      let oldest = sendBatch(connection, [[GET, 1]]);
      for (let passedMs = 0; passedMs < 3 * timeoutMs; passedMs += 60) {
        pass(60);
        const next = sendBatch(connection, [[GET, 1]]);
        await until(() => held.length > 0);
        held.shift()?.();
        expect(await oldest).toMatchObject({ completed: 1 });
        oldest = next;
      }
      await until(() => held.length > 0);
      held.shift()?.();
      expect(await oldest).toMatchObject({ completed: 1 });
      proxy.admission = undefined;
      proxy.cut('silence');
      const sent = [1, 2, 3].map(key => sendBatch(connection, [[GET, key]]));
      expect(await passUntil(pass, () => !connection.alive)).toBeGreaterThanOrEqual(timeoutMs);
      for (const outcome of await Promise.all(sent))
        expect(outcome).toMatchObject({ completed: 0, failures: { TIMEOUT: 1 } });
      pool.release(connection);
      const next = await pool.acquire();
      expect(next).not.toBe(connection);
      expect(await sendBatch(next, [[GET, 1]])).toMatchObject({ completed: 1 });
    });

    test('a batch has its time limit from its own sending on, though others before it are answered one by one', async () => {
      const timeoutMs = 300;
      const pass = stopPoolTime();
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'shared', { max: 1, timeoutMs });
      await pool.warm();
      const connection = await pool.acquire();
      const held: (() => void)[] = [];
      proxy.admission = admit => held.push(admit);
      const startMs = performance.now();
      const took = async (key: number) => {
        const outcome = await sendBatch(connection, [[GET, key]]);
        return { outcome, ms: performance.now() - startMs };
      };
      const sent = Array.from({ length: 40 }, (_, key) => took(key));
      await until(() => held.length === sent.length);
      // The last of 40 would have its turn after 2 s.
      for (const [turn, batch] of sent.entries()) {
        if (!connection.alive) break;
        held[turn]?.();
        await batch;
        pass(50);
      }
      const batches = await Promise.all(sent);
      const late = batches.filter(({ outcome }) => outcome.failures.TIMEOUT === 1);
      expect(late.length).toBeGreaterThan(20);
      expect(batches.length - late.length).toBeGreaterThan(0);
      for (const { outcome, ms } of late) {
        expect(outcome.completed).toBe(0);
        expect(ms).toBeGreaterThanOrEqual(timeoutMs);
      }
      expect(connection.alive).toBe(false);
    });

    test('a server that is away is the error of all who wait, and found again when it is back', async () => {
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'shared', { max: 2 });
      await pool.warm();
      await proxy.refuse();
      proxy.cut('reset');
      await until(() => pool.tryAcquire() === undefined);
      const errors = await Promise.all(Array.from({ length: 10 }, () => rejection(pool.acquire())));
      for (const error of errors) expect(error.code).toBe('ECONNREFUSED');
      expect(pool.waiting).toBe(0);
      await proxy.admit();
      expect(await sendBatch(await pool.acquire(), [[GET, 1]])).toMatchObject({ completed: 1 });
      await until(() => pool.total === 2);
    });
  });

  test('a node that answers others first is closed alone, when its own oldest batch is too old', async () => {
    const timeoutMs = 250;
    const [slow, quick] = [new FakeConnection(), new FakeConnection()];
    class TwoNodes extends FakeConnection {
      override get parts() {
        return [slow, quick];
      }
    }
    const pass = stopPoolTime();
    const pool = await warmed(async () => new TwoNodes(), 1, timeoutMs);
    slow.sent = 100;
    let passedMs = 0;
    for (; slow.alive; passedMs += 20) {
      // One in flight at any time, each answered soon.
      quick.sent++;
      quick.settled = quick.sent - 1;
      slow.settled++;
      pass(20);
    }
    expect(passedMs).toBeGreaterThanOrEqual(timeoutMs);
    expect(slow.settled).toBeLessThan(100);
    expect([quick.alive, pool.total]).toEqual([true, 1]);
  });

  test('a cold pool opens no more than its maximum for any number of callers, and the first one open serves all', async () => {
    const { pending, state, connect, made } = fakes();
    state.holdsBack = true;
    const pool = createPool(connect, 'shared', { max: 2 });
    const callers = Array.from({ length: 9 }, () => pool.acquire());
    expect(pending.length).toBe(2);
    expect([pool.total, pool.waiting]).toEqual([2, 9]);
    pending[1]?.admit();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(made));
    expect(made[0]?.holders).toBe(9);
    expect(pool.metrics()).toMatchObject({ acquisitions: 9, immediate: 0, peakWaiting: 9 });
    pending[0]?.admit();
    await until(() => pool.idle === 1);
    expect((await pool.acquire()).holders).toBe(1);
  });

  test('callers fail with the last connect under way, not with an earlier one', async () => {
    const { pending, state, connect } = fakes();
    state.holdsBack = true;
    const pool = createPool(connect, 'shared', { max: 2 });
    const callers = [pool.acquire(), pool.acquire(), pool.acquire()];
    pending[0]?.refuse();
    await until(() => pool.total === 1);
    expect(pool.waiting).toBe(3);
    pending[1]?.refuse();
    for (const caller of callers) expect((await rejection(caller)).code).toBe('ECONNREFUSED');
    expect(pool.metrics()?.connectFailures).toBe(2);
  });

  test('a caller whose time is up leaves, the others stay', async () => {
    const { pending, state, connect } = fakes();
    state.holdsBack = true;
    const pool = createPool(connect, 'shared', { max: 1 });
    const [patient, hasty] = [pool.acquire(), pool.acquire({ timeout: 20 })];
    expect((await rejection(hasty)).code).toBe('ACQUIRE_TIMEOUT');
    expect(pool.waiting).toBe(1);
    pending[0]?.admit();
    expect((await patient).holders).toBe(1);
  });

  test('closing waits for the last holder of each connection, and closes each once', async () => {
    const { made, connect } = fakes();
    const pool = await warmed(connect, 2);
    const held = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    expect((await rejection(pool.acquire())).code).toBe('POOL_CLOSED');
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.metrics()).toBeUndefined();
    for (const connection of held) {
      expect([closed, connection.alive]).toEqual([false, true]);
      pool.release(connection);
      await new Promise(resolve => setImmediate(resolve));
    }
    await closing;
    expect(made.map(({ closes }) => closes)).toEqual([1, 1]);
  });

  test('closing rejects waiters, and ends after its timeout', async () => {
    const { made, pending, state, connect } = fakes();
    const pool = await warmed(connect, 1);
    await pool.acquire();
    await pool.close({ timeout: 10 });
    expect(made[0]?.closes).toBe(1);

    state.holdsBack = true;
    const cold = createPool(connect, 'shared', { max: 1 });
    const caller = rejection(cold.acquire());
    const closing = cold.close();
    expect((await caller).code).toBe('POOL_CLOSED');
    pending[0]?.admit();
    await closing;
    expect(made[1]?.closes).toBe(1);
  });
});
