import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Preset } from '../src/pool/presets.ts';
import { clientNames, connector, createPool, loopback } from './support/connections.ts';
import { startProxy } from './support/proxy.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const connections = 8;

async function millisecondsToConnectAll(client: 'wire' | 'ioredis', preset: Preset): Promise<number> {
  const proxy = await startProxy(server.port);
  proxy.delayMs = 50;
  const pool = createPool(connector(client, loopback(proxy.port)), preset, { max: connections });
  const startMs = performance.now();
  await Promise.all(Array.from({ length: connections }, () => pool.acquire()));
  expect(proxy.accepted).toBe(connections);
  return performance.now() - startMs;
}

describe.each(clientNames)('%s', client => {
  test('baseline connects in turn, lock-free all at once', async () => {
    const baselineMs = await millisecondsToConnectAll(client, 'baseline');
    const lockFreeMs = await millisecondsToConnectAll(client, 'lock-free');
    // Each connect takes at least the proxy's delay, and in turn they add up.
    expect(baselineMs).toBeGreaterThanOrEqual(connections * 49);
    // Eight times as long, on a machine that has nothing else to do.
    expect(baselineMs / lockFreeMs).toBeGreaterThan(1.5);
  });

  test('warming connects side by side, whatever the lock', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 50;
    const connect = connector(client, loopback(proxy.port));
    const warmed = createPool(connect, 'warmed', { max: connections, minIdle: connections });
    const startMs = performance.now();
    await warmed.warm();
    const warmMs = performance.now() - startMs;
    expect(warmed.idle).toBe(connections);
    const inTurnMs = await millisecondsToConnectAll(client, 'baseline');
    expect(inTurnMs / warmMs).toBeGreaterThan(1.5);
  });
});
