import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import type { ConnectionPool } from '../src/pool/connection-pool.ts';
import type { Preset } from '../src/pool/presets.ts';
import { connector, createPool, GET, loopback, sendBatch } from './support/connections.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await startRedis();
  control = await connectControl(loopback(server.port), { timeoutMs: 2000 });
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

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

test.each<Preset>(['health-cached', 'optimized'])('%s: one when the last reply is too old', async preset => {
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
});

test('replies refresh what vouches for a connection: in steady use there is never a check', async () => {
  const pool = createPool(connector('wire', loopback(server.port)), 'health-cached', { healthTtlMs: 300 });
  await use(pool, 1);
  pool.resetMetrics();
  const startMs = performance.now();
  while (performance.now() - startMs < 600) {
    await use(pool, 1);
    await sleep(10);
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
