import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import type { Connection } from '../../src/pool/connection.ts';
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
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await shareServer();
  control = await connectControl(loopback(server.port), patient);
});

afterAll(() => control?.close());

/** Connections of our pools that the server sees. */
async function ours(): Promise<number> {
  return String(await control.call('CLIENT', 'LIST')).split('name=test ').length - 1;
}

describe.each(clientNames)('%s', client => {
  test.each<Preset>(['baseline', 'optimized'])(
    '%s: it waits for connections in use, rejects waiters, and leaves no connection to the server',
    async preset => {
      const pool = createPool(connector(client, loopback(server.port)), preset, { max: 3 });
      const held = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
      pool.release(held.pop() as Connection);
      const third = await pool.acquire();
      expect(await ours()).toBe(3);
      const waiting = Promise.all(Array.from({ length: 3 }, () => rejection(pool.acquire())));
      await until(() => pool.waiting === 3);

      let closed = false;
      const closing = pool.close().then(() => {
        closed = true;
      });
      for (const error of await waiting)
        expect(error).toMatchObject({ name: 'PoolError', code: 'POOL_CLOSED' });
      expect(await rejection(pool.acquire())).toMatchObject({ code: 'POOL_CLOSED' });
      expect(pool.tryAcquire()).toBeUndefined();
      for (const connection of [third, ...held]) {
        expect(closed).toBe(false);
        // Who holds a connection can finish with it.
        expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
        pool.release(connection);
      }
      await closing;
      expect([pool.total, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
      await until(async () => (await ours()) === 0);
    },
  );

  test('idle connections close at once, and closing again does no harm', async () => {
    const pool = createPool(connector(client, loopback(server.port)), 'optimized', { minIdle: 3 });
    await pool.warm();
    expect(await ours()).toBe(3);
    await Promise.all([pool.close(), pool.close()]);
    await until(async () => (await ours()) === 0);
  });

  test('after its time limit it closes those in use too, and what they wait for fails', async () => {
    const proxy = await startProxy(server.port);
    const pool = createPool(connector(client, loopback(proxy.port)), 'optimized', { max: 2, minIdle: 0 });
    const connection = await pool.acquire();
    proxy.cut('silence');
    const sent = sendBatch(connection, [
      [GET, 1],
      [GET, 2],
    ]);
    await pool.close({ timeout: 50 });
    expect(await sent).toMatchObject({ completed: 0, failures: { CONNECTION_CLOSED: 2 } });
    pool.release(connection);
    await until(() => proxy.open === 0);
    await until(async () => (await ours()) === 0);
  });

  test.each([0, 20, Number.POSITIVE_INFINITY])(
    'a connect that is under way when it closes (time limit %d) leaves no connection behind',
    async timeout => {
      const proxy = await startProxy(server.port);
      const held: (() => void)[] = [];
      proxy.admission = pass => held.push(pass);
      const pool = createPool(connector(client, loopback(proxy.port)), 'optimized', { max: 4, minIdle: 2 });
      const warming = pool.warm().catch(() => {});
      const acquiring = rejection(pool.acquire());
      await until(() => proxy.accepted === 3);
      const closing = pool.close({ timeout });
      if (timeout < Number.POSITIVE_INFINITY) await closing;
      proxy.admission = undefined;
      for (const pass of held) pass();
      await closing;
      expect(await acquiring).toMatchObject({ code: 'POOL_CLOSED' });
      await warming;
      await until(() => proxy.open === 0);
      expect(pool.total).toBe(0);
      await until(async () => (await ours()) === 0);
    },
  );
});
