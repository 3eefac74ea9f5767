import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Connection } from '../../src/pool/connection.ts';
import { jitterMs, paced } from '../../src/pool/maintenance.ts';
import { type ConnectPacing, connectPacings } from '../../src/pool/presets.ts';
import { connector, createPool, loopback, rejection, until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

/** Connects that end when the test says so. */
function manualConnects() {
  const begun: { admit(): void; refuse(): void }[] = [];
  const connect = () =>
    new Promise<Connection>((resolve, reject) => {
      begun.push({
        admit: () => resolve(new FakeConnection()),
        refuse: () => reject(new Error(`refused ${begun.length}`)),
      });
    });
  return { begun, connect };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

test('parallel leaves a burst as it is', () => {
  const { begun, connect } = manualConnects();
  const burst = paced(connect, 'parallel', Math.random);
  for (let i = 0; i < 5; i++) void burst();
  expect(begun.length).toBe(5);
});

test('serial attempts run in the order of the calls, and one that fails does not stop the next', async () => {
  const { begun, connect } = manualConnects();
  const one = paced(connect, 'serial', Math.random);
  const outcomes: string[] = [];
  for (const name of ['first', 'second', 'third', 'fourth']) {
    one().then(
      () => outcomes.push(name),
      (error: Error) => outcomes.push(`${name} ${error.message}`),
    );
  }
  for (let turn = 1; turn <= 4; turn++) {
    await settle();
    expect(begun.length).toBe(turn);
    if (turn === 2) begun[turn - 1]?.refuse();
    else begun[turn - 1]?.admit();
  }
  await settle();
  expect(outcomes).toEqual(['first', 'second refused 2', 'third', 'fourth']);
});

test('each jittered attempt waits for a random part of the spread', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { begun, connect } = manualConnects();
  const drawn = [0.5, 0, 0.98];
  const one = paced(connect, 'jittered', () => drawn.shift() ?? 0);
  for (let i = 0; i < 3; i++) void one();
  const begunAt: number[] = [];
  for (let ms = 0; ms <= jitterMs; ms++) {
    begunAt.push(begun.length);
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(begunAt[0]).toBe(0);
  expect(begunAt[Math.ceil(0.5 * jitterMs) - 1]).toBe(1);
  expect(begunAt[Math.ceil(0.5 * jitterMs) + 1]).toBe(2);
  expect(begunAt[jitterMs]).toBe(3);
});

describe('in a pool', () => {
  const connections = 8;

  async function openAll(connects: ConnectPacing) {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 30;
    const pool = createPool(connector('wire', loopback(proxy.port)), 'lock-free', {
      max: connections,
      connects,
    });
    const startMs = performance.now();
    await Promise.all(Array.from({ length: connections }, () => pool.acquire()));
    const tookMs = performance.now() - startMs;
    const histogram = decodeHistogram(pool.metrics()?.connectTime ?? '');
    const connectMs = (histogram.mean * histogram.totalCount) / 1e6;
    expect(histogram.totalCount).toBe(connections);
    histogram.destroy();
    expect(proxy.accepted).toBe(connections);
    return { tookMs, connectMs };
  }

  test('the times of serial attempts add up to that of the burst: the wait for a turn does not count', async () => {
    const { tookMs, connectMs } = await openAll('serial');
    expect(tookMs).toBeGreaterThan(connections * 29);
    // Two significant digits. With the waits in it, it would be four and a half times as much.
    expect(connectMs).toBeLessThan(tookMs * 1.05);
  });

  test('parallel attempts overlap', async () => {
    const { tookMs, connectMs } = await openAll('parallel');
    expect(connectMs / tookMs).toBeGreaterThan(2);
  });

  test('warming is paced too', async () => {
    const { begun, connect } = manualConnects();
    const pool = createPool(connect, 'shared', { max: 3, connects: 'serial' });
    const warming = pool.warm();
    for (let turn = 1; turn <= 3; turn++) {
      await settle();
      expect(begun.length).toBe(turn);
      begun[turn - 1]?.admit();
    }
    await warming;
    expect(pool.idle).toBe(3);
  });

  test.each(connectPacings)('%s: under the lock there is nothing to spread', async connects => {
    const { begun, connect } = manualConnects();
    const pool = createPool(connect, 'baseline', { max: 3, connects });
    const callers = [pool.acquire(), pool.acquire(), pool.acquire()];
    for (let turn = 1; turn <= 3; turn++) {
      await settle();
      expect(begun.length).toBe(turn);
      begun[turn - 1]?.admit();
    }
    await Promise.all(callers);
  });

  test.each(['serial', 'jittered'] as const)('%s: a closed pool makes no more attempts', async connects => {
    const { begun, connect } = manualConnects();
    const pool = createPool(connect, 'lock-free', { max: 5, connects });
    const callers = Array.from({ length: 5 }, () => rejection(pool.acquire()));
    await settle();
    const before = begun.length;
    const closing = pool.close();
    for (const { admit } of begun) admit();
    for (const caller of callers) expect((await caller).code).toBe('POOL_CLOSED');
    await closing;
    expect(begun.length).toBe(before);
    await until(() => pool.total === 0);
  });
});
