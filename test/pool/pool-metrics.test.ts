import { beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionPool } from '../../src/pool/connection-pool.ts';
import type { PoolSnapshot } from '../../src/pool/metrics.ts';
import { type Preset, presets } from '../../src/pool/presets.ts';
import {
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  sendBatch,
  until,
} from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

/** Workers that each send this many batches, all of which must be answered. */
async function load(pool: ConnectionPool, workers: number, turns: number): Promise<void> {
  let completed = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let turn = 0; turn < turns; turn++) {
        const connection = pool.tryAcquire() ?? (await pool.acquire());
        const outcome = await sendBatch(connection, [[GET, turn]]);
        completed += outcome.completed;
        pool.release(connection);
      }
    }),
  );
  expect(completed).toBe(workers * turns);
}

describe('counters', () => {
  test.each<{ preset: Preset; locks: boolean }>([
    { preset: 'baseline', locks: true },
    { preset: 'health-cached', locks: true },
    { preset: 'warmed', locks: true },
    { preset: 'lock-free', locks: false },
    { preset: 'optimized', locks: false },
  ])('$preset under contention waits for the lock: $locks', async ({ preset, locks }) => {
    const pool = createPool(connector('wire', loopback(server.port)), preset, { max: 20 });
    await load(pool, 10, 50);
    const { lockWaits, lockWaitMs, acquisitions, peakWaiting } = pool.metrics() ?? {};
    expect(acquisitions).toBe(500);
    if (locks) {
      expect(lockWaits).toBeGreaterThan(10);
      expect(lockWaitMs).toBeGreaterThan(0);
      expect(peakWaiting).toBe(9);
    } else {
      expect([lockWaits, lockWaitMs, peakWaiting]).toEqual([0, 0, 0]);
    }
  });

  test.each<Preset>(['baseline', 'optimized'])('%s: a single caller waits for nobody', async preset => {
    // Maintenance opens none beside the caller's, however long it takes.
    const pool = createPool(connector('wire', loopback(server.port)), preset, { minIdle: 0 });
    await load(pool, 1, 20);
    expect(pool.metrics()).toMatchObject({ acquisitions: 20, lockWaits: 0, peakWaiting: 0, created: 1 });
  });

  test('metrics that are off are undefined, and the pool works all the same', async () => {
    for (const preset of ['baseline', 'optimized'] as const) {
      const pool = createPool(connector('wire', loopback(server.port)), preset, { metrics: false });
      await pool.warm();
      await load(pool, 8, 20);
      expect(pool.metrics()).toBeUndefined();
      pool.resetMetrics();
      await pool.close();
    }
  });

  test('waits and connection attempts are timed, and a reset starts again', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 30;
    const pool = createPool(connector('wire', loopback(proxy.port)), 'lock-free', { max: 1 });
    const first = await pool.acquire();
    const waiting = pool.acquire();
    await new Promise(resolve => setTimeout(resolve, 40));
    pool.release(first);
    pool.release(await waiting);

    const read = (encoded: string) => {
      const histogram = decodeHistogram(encoded);
      const { totalCount, minNonZeroValue, maxValue } = histogram;
      histogram.destroy();
      return { totalCount, minMs: minNonZeroValue / 1e6, maxMs: maxValue / 1e6 };
    };
    const snapshot = pool.metrics();
    if (snapshot === undefined) throw new Error('expected metrics');
    expect(snapshot).toMatchObject({ acquisitions: 2, immediate: 0, created: 1, peakWaiting: 1 });
    const connectTime = read(snapshot.connectTime);
    expect(connectTime.totalCount).toBe(1);
    // Two significant digits.
    expect(connectTime.maxMs).toBeGreaterThan(29);
    const acquireWait = read(snapshot.acquireWait);
    expect(acquireWait.totalCount).toBe(2);
    expect(acquireWait.minMs).toBeGreaterThan(29);

    pool.resetMetrics();
    const fresh = pool.metrics();
    expect(fresh).toMatchObject({
      acquisitions: 0,
      created: 0,
      createdBefore: 1,
      peakWaiting: 0,
      utilization: [],
    });
    expect(read(fresh?.acquireWait ?? '').totalCount).toBe(0);
  });

  test('utilization counts active and idle connections and waiting callers', async () => {
    const pool = createPool(async () => new FakeConnection(), 'lock-free', { max: 3 });
    const held = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    const waiting = [pool.acquire(), pool.acquire()];
    await until(() => (pool.metrics()?.utilization.length ?? 0) > 0);
    expect(pool.metrics()?.utilization[0]).toMatchObject({ active: 3, idle: 0, waiting: 2, total: 3 });
    for (const connection of held) pool.release(connection);
    pool.release(await (waiting[0] ?? Promise.reject()));
    pool.resetMetrics();
    await until(() => (pool.metrics()?.utilization.length ?? 0) > 0);
    expect(pool.metrics()?.utilization[0]).toMatchObject({ active: 1, idle: 2, waiting: 0, total: 3 });
    await waiting[1];
  });
});

describe('metrics differ between the presets', () => {
  const workers = 20;
  const turns = 20;
  const acquisitions = workers * turns;

  /** What a pool of one connection per worker tells after it was warmed, its metrics reset, and 20 workers had their turns. */
  async function measured(client: 'wire' | 'ioredis', preset: Preset): Promise<PoolSnapshot> {
    const changes = { max: workers, minIdle: workers, healthTtlMs: 60_000 };
    const pool = createPool(connector(client, loopback(server.port)), preset, changes);
    await pool.warm();
    pool.resetMetrics();
    await load(pool, workers, turns);
    const snapshot = pool.metrics();
    if (snapshot === undefined) throw new Error('expected metrics');
    expect(snapshot).toMatchObject({ acquisitions, connectFailures: 0, reconnects: 0 });
    return snapshot;
  }

  const opened = ({ created, createdBefore }: PoolSnapshot) => ({ created, createdBefore });

  describe.each(clientNames)('%s', client => {
    test.each(Object.keys(presets) as Preset[])('%s', async preset => {
      const { acquisition, health, warming } = presets[preset];
      const snapshot = await measured(client, preset);

      if (acquisition === 'mutex') {
        expect(snapshot.lockWaits).toBeGreaterThan(0);
        expect(snapshot.lockWaitMs).toBeGreaterThan(0);
        expect(snapshot.peakWaiting).toBeGreaterThan(0);
        expect(snapshot.immediate).toBe(0);
      } else expect(snapshot).toMatchObject({ lockWaits: 0, lockWaitMs: 0 });

      // A connection that was just opened for its caller is neither checked nor vouched for.
      const handedOutAgain = acquisitions - snapshot.created;
      if (health === 'always') {
        expect(snapshot).toMatchObject({
          healthChecksRun: handedOutAgain,
          healthChecksSkipped: 0,
          immediate: 0,
        });
        expect(snapshot.healthCheckMs).toBeGreaterThan(0);
      } else {
        expect(snapshot).toMatchObject({ healthChecksRun: 0, healthChecksSkipped: handedOutAgain });
        expect(snapshot.healthCheckMs).toBe(0);
      }

      if (warming) {
        expect(opened(snapshot)).toEqual({ created: 0, createdBefore: workers });
        if (acquisition !== 'mutex' && health === 'cached')
          expect(snapshot).toMatchObject({ immediate: acquisitions, peakWaiting: 0 });
      } else {
        expect(snapshot.createdBefore).toBe(0);
        expect(snapshot.created).toBeGreaterThan(0);
        expect(snapshot.created).toBeLessThanOrEqual(workers);
      }
    });
  });
});
