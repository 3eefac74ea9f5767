import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import type { ConnectionPool } from '../../src/pool/connection-pool.ts';
import type { Preset } from '../../src/pool/presets.ts';
import {
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  patient,
  rejection,
  sendBatch,
  until,
} from '../support/connections.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { passUntil, stopPoolTime } from '../support/pool-time.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

describe('health checks', () => {
  let server: TestServer;
  let control: Control;

  beforeAll(async () => {
    server = await shareServer();
    control = await connectControl(loopback(server.port), patient);
  });

  afterAll(() => control?.close());

  async function pingsOfTheServer(): Promise<number> {
    const line = (await control.info('commandstats')).get('cmdstat_ping') ?? 'calls=0';
    return Number(/calls=(\d+)/.exec(line)?.[1]);
  }

  async function use(pool: ConnectionPool, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const connection = pool.tryAcquire() ?? (await pool.acquire());
      await sendBatch(connection, [[GET, i]]);
      pool.release(connection);
    }
  }

  const times = 200;

  test.each<Preset>(['baseline', 'lock-free', 'warmed'])('%s: a check at every acquisition', async preset => {
    const pool = createPool(connector('wire', loopback(server.port)), preset);
    await use(pool, 1);
    pool.resetMetrics();
    await use(pool, times);
    expect(pool.metrics()).toMatchObject({
      acquisitions: times,
      immediate: 0,
      healthChecksRun: times,
      healthChecksSkipped: 0,
    });
    expect(pool.metrics()?.healthCheckMs).toBeGreaterThan(0);
  });

  test.each<Preset>(['health-cached', 'optimized'])('%s: none while a reply vouches', async preset => {
    const pool = createPool(connector('wire', loopback(server.port)), preset, { healthTtlMs: 60_000 });
    await use(pool, 1);
    pool.resetMetrics();
    await use(pool, times);
    expect(pool.metrics()).toMatchObject({
      acquisitions: times,
      immediate: preset === 'optimized' ? times : 0,
      healthChecksRun: 0,
      healthChecksSkipped: times,
    });
  });

  test.each<Preset>(['health-cached', 'optimized'])(
    '%s: one when the last reply is too old',
    async preset => {
      const pool = createPool(connector('wire', loopback(server.port)), preset, {
        ...{ max: 1, minIdle: 0, probe: 'ping', healthTtlMs: 50 },
      });
      await use(pool, 1);
      pool.resetMetrics();
      const before = await pingsOfTheServer();
      for (let i = 0; i < 3; i++) {
        await sleep(100);
        await use(pool, 1);
      }
      expect(pool.metrics()).toMatchObject({ healthChecksRun: 3, healthChecksSkipped: 0 });
      expect((await pingsOfTheServer()) - before).toBe(3);
    },
  );

  test('replies refresh what vouches for a connection: in steady use there is never a check', async () => {
    const pass = stopPoolTime();
    const pool = createPool(connector('wire', loopback(server.port)), 'health-cached', { healthTtlMs: 300 });
    await use(pool, 1);
    pool.resetMetrics();
    for (let passedMs = 0; passedMs < 600; passedMs += 10) {
      pass(10);
      await use(pool, 1);
    }
    expect(pool.metrics()?.healthChecksRun).toBe(0);
  });

  test.each([
    { probe: 'ping', pings: times },
    { probe: 'poll', pings: 0 },
  ] as const)('the probe $probe costs $pings round trips', async ({ probe, pings }) => {
    for (const client of ['wire', 'ioredis'] as const) {
      const pool = createPool(connector(client, loopback(server.port)), 'baseline', { probe });
      await use(pool, 1);
      const before = await pingsOfTheServer();
      await use(pool, times);
      expect((await pingsOfTheServer()) - before).toBe(pings);
    }
  });
});

describe('dead connections', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  describe.each(clientNames)('%s', client => {
    test.each<Preset>(['baseline', 'lock-free', 'optimized'])(
      '%s: one that died in a caller’s hands is not handed out again, and who waits gets another',
      async preset => {
        const proxy = await startProxy(server.port);
        const pool = createPool(connector(client, loopback(proxy.port)), preset, { max: 1, minIdle: 0 });
        const first = await pool.acquire();
        const waiting = pool.acquire();
        await until(() => pool.waiting === 1);
        proxy.cut('reset');
        await until(() => !first.alive);
        pool.release(first);
        const second = await waiting;
        expect(second).not.toBe(first);
        expect(await sendBatch(second, [[GET, 1]])).toMatchObject({ completed: 1 });
        pool.release(second);
        expect([pool.total, pool.idle]).toEqual([1, 1]);
        expect(pool.metrics()).toMatchObject({ created: 2, reconnects: 1 });
      },
    );

    test.each<Preset>(['baseline', 'lock-free', 'health-cached', 'optimized'])(
      '%s: one that died while idle is not handed out',
      async preset => {
        const proxy = await startProxy(server.port);
        const pool = createPool(connector(client, loopback(proxy.port)), preset, { minIdle: 0 });
        const [first, second] = await Promise.all([pool.acquire(), pool.acquire()]);
        pool.release(first);
        pool.release(second);
        proxy.cut('end');
        await until(() => !first.alive && !second.alive);
        const connection = pool.tryAcquire() ?? (await pool.acquire());
        expect([first, second]).not.toContain(connection);
        expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
        pool.release(connection);
      },
    );

    test('a batch that is never answered fails with TIMEOUT, not before its time, and its connection is replaced', async () => {
      const timeoutMs = 150;
      const pass = stopPoolTime();
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'lock-free', { max: 2, timeoutMs });
      const connection = await pool.acquire();
      // The pool looks every 100 ms: what it saw of the idle connection is none of the batch's time.
      pass(180);
      const silenced = proxy.cutAfter(1, 'silence');
      const sent = sendBatch(connection, [
        [GET, 1],
        [GET, 1],
      ]);
      await silenced;
      const tookMs = await passUntil(pass, () => !connection.alive);
      const outcome = await sent;
      expect(outcome).toMatchObject({ completed: 0, failures: { TIMEOUT: 2 } });
      expect(outcome.doneCalls()).toBe(1);
      expect(tookMs).toBeGreaterThanOrEqual(timeoutMs);
      expect(connection.alive).toBe(false);
      pool.release(connection);
      const next = await pool.acquire();
      expect(next).not.toBe(connection);
      expect(await sendBatch(next, [[GET, 1]])).toMatchObject({ completed: 1 });
      pool.release(next);
    });

    test('a PING that is never answered ends with the time limit too, and does not stop the pool', async () => {
      const pass = stopPoolTime();
      const proxy = await startProxy(server.port);
      const connect = connector(client, loopback(proxy.port));
      const pool = createPool(connect, 'baseline', { probe: 'ping', max: 2, timeoutMs: 150 });
      pool.release(await pool.acquire());
      proxy.cut('silence');
      const acquiring = pool.acquire();
      await passUntil(pass, () => proxy.accepted === 2);
      const connection = await acquiring;
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
      pool.release(connection);
      expect(pool.metrics()).toMatchObject({ created: 2, reconnects: 1 });
    });

    test('a refused connect is the caller’s error, and the pool recovers when the server is back', async () => {
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'optimized', { max: 1, minIdle: 0 });
      await proxy.refuse();
      const errors = await Promise.all([rejection(pool.acquire()), rejection(pool.acquire())]);
      expect(errors.map(error => error.code)).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
      expect([pool.total, pool.waiting]).toEqual([0, 0]);
      expect(pool.metrics()?.connectFailures).toBe(2);
      await proxy.admit();
      const connection = await pool.acquire();
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
    });
  });

  test('a dead connection is no idle one from the moment it is released', async () => {
    const pool = createPool(async () => new FakeConnection(), 'optimized', { max: 1, minIdle: 0 });
    const connection = await pool.acquire();
    connection.close();
    pool.release(connection);
    expect([pool.total, pool.idle]).toEqual([0, 0]);
  });

  test('a waiter is not left behind when the connection it would have got died and nobody releases it', async () => {
    const made: FakeConnection[] = [];
    const connect = async () => {
      const connection = new FakeConnection();
      made.push(connection);
      return connection;
    };
    const pool = createPool(connect, 'lock-free', { max: 2 });
    const held = await pool.acquire();
    pool.release(await pool.acquire());
    // Both callers find the one idle connection; its check fails for the first, and the second must still be served.
    made[1]?.die();
    const [third, fourth] = [pool.acquire(), pool.acquire()];
    expect((await third).alive).toBe(true);
    pool.release(await third);
    expect((await fourth).alive).toBe(true);
    expect(await fourth).not.toBe(held);
  });
});
