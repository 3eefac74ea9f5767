import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PoolSnapshot } from '../src/pool/metrics.ts';
import { type Preset, presets } from '../src/pool/presets.ts';
import { clientNames, connector, createPool, GET, loopback, sendBatch } from './support/connections.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const workers = 20;
const turns = 50;
const acquisitions = workers * turns;

/** What a pool of one connection a worker tells after it was warmed, its metrics reset, and 20 workers had their turns. */
async function measured(client: 'wire' | 'ioredis', preset: Preset): Promise<PoolSnapshot> {
  const changes = { max: workers, minIdle: workers, healthTtlMs: 60_000 };
  const pool = createPool(connector(client, loopback(server.port)), preset, changes);
  await pool.warm();
  pool.resetMetrics();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let turn = 0; turn < turns; turn++) {
        const connection = pool.tryAcquire() ?? (await pool.acquire());
        expect(await sendBatch(connection, [[GET, turn]])).toMatchObject({ completed: 1 });
        pool.release(connection);
      }
    }),
  );
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
