import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Preset } from '../src/pool/presets.ts';
import { startProxy } from './support/proxy.ts';
import { startRedis, type TestServer } from './support/servers.ts';
import { runOne } from './support/threads.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const delayMs = 20;

/** A burst of `workers` on a cold pool, each answer taking 20 ms: time until all connections serve. */
async function burst(preset: Preset, workers: number): Promise<number> {
  const proxy = await startProxy(server.port);
  proxy.delayMs = delayMs;
  const { allServedMs, pools } = await runOne(proxy.port, {
    preset,
    seconds: 0.8,
    burst: true,
    pools: [{ workers, connections: workers, minIdle: 0 }],
  });
  expect(pools[0]?.created).toBe(workers);
  return allServedMs ?? Number.NaN;
}

test('under the lock N connections serve after N connects; outside of it, after one (redis-py 3842)', async () => {
  const few = await burst('baseline', 5);
  const many = await burst('baseline', 15);
  expect(few).toBeGreaterThanOrEqual(5 * delayMs);
  expect(many).toBeGreaterThanOrEqual(15 * delayMs);

  const apart = await burst('lock-free', 15);
  expect(apart).toBeGreaterThanOrEqual(2 * delayMs);
  expect(many / apart).toBeGreaterThan(3);
});

test('a worker that never has a reply leaves the time unknown', async () => {
  const proxy = await startProxy(server.port);
  proxy.silent = true;
  const sample = await runOne(proxy.port, {
    preset: 'lock-free',
    timeoutMs: 200,
    seconds: 0.1,
    pools: [{ workers: 1, connections: 1, minIdle: 0 }],
  });
  expect(sample.completed).toBe(0);
  expect(sample.allServedMs).toBeNull();
});
