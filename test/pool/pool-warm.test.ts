import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/main/experiment/read-config.ts';
import { expandScenarios } from '../../src/main/experiment/scenarios.ts';
import { threadTasks } from '../../src/main/run/loads.ts';
import type { Target } from '../../src/main/server/find-target.ts';
import type { Preset } from '../../src/pool/presets.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { clientNames, connector, createPool, loopback, rejection, until } from '../support/connections.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

describe('warm connections', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  describe.each(clientNames)('%s', client => {
    test.each<Preset>(['warmed', 'optimized'])(
      '%s: minIdle connections stand before the load, and again after they were killed',
      async preset => {
        const proxy = await startProxy(server.port);
        const pool = createPool(connector(client, loopback(proxy.port)), preset, { max: 6, minIdle: 3 });
        await pool.warm();
        expect([pool.total, pool.idle, proxy.accepted]).toEqual([3, 3, 3]);
        await pool.warm();
        expect(proxy.accepted).toBe(3);

        proxy.cut('end');
        // In one turn of the event loop, all of them may be lost and opened again.
        await until(() => proxy.accepted >= 6 && pool.idle === 3 && proxy.open === 3);
        expect(proxy.accepted).toBe(6);
        expect(pool.metrics()).toMatchObject({ created: 6, reconnects: 3 });
      },
    );

    test('those in use are made up for in the background, up to the maximum', async () => {
      const pool = createPool(connector(client, loopback(server.port)), 'optimized', { max: 4, minIdle: 2 });
      await pool.warm();
      const held = await Promise.all([pool.acquire(), pool.acquire()]);
      await until(() => pool.idle === 2);
      held.push(await pool.acquire());
      await sleep(250);
      expect([pool.total, pool.idle]).toEqual([4, 1]);
      for (const connection of held) pool.release(connection);
      expect([pool.total, pool.idle]).toEqual([4, 4]);
    });

    test('a server that is away is not stormed, and found again when it is back', async () => {
      const proxy = await startProxy(server.port);
      const pool = createPool(connector(client, loopback(proxy.port)), 'optimized', { max: 4, minIdle: 2 });
      await pool.warm();
      await proxy.refuse();
      proxy.cut('end');
      await until(() => pool.idle === 0);
      await sleep(600);
      await until(() => (pool.metrics()?.connectFailures ?? 0) > 0);
      // Without a pause between attempts it would be two every 100 ms.
      expect(pool.metrics()?.connectFailures).toBeLessThanOrEqual(8);
      await proxy.admit();
      await until(() => pool.idle === 2);
    });
  });

  test.each<Preset>(['baseline', 'lock-free', 'health-cached'])(
    '%s opens nothing before it is asked',
    async preset => {
      const proxy = await startProxy(server.port);
      const pool = createPool(connector('wire', loopback(proxy.port)), preset, { minIdle: 3 });
      await pool.warm();
      await sleep(150);
      expect([pool.total, proxy.accepted]).toEqual([0, 0]);
    },
  );

  test('warming rejects with the error of a connection attempt', async () => {
    const proxy = await startProxy(server.port);
    await proxy.refuse();
    const pool = createPool(connector('wire', loopback(proxy.port)), 'optimized');
    expect(await rejection(pool.warm())).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('pacing of warm-ups', () => {
  /** What a scenario says of its connects, and what the threads are told. */
  function connectsOf(
    pool: Preset,
    connects: string,
  ): { scenario: string | undefined; task: string | undefined } {
    const config = {
      name: 'a',
      target: { server: 'redis', url: 'redis://h' },
      scenarios: [{ pool, connects }],
    };
    const experiment = parseConfig(JSON.stringify(config), 'a.json');
    const [scenario] = expandScenarios(experiment.scenarios);
    if (scenario === undefined) throw new Error('expected a scenario');
    const target = { address: loopback(1), control: {} } as Target;
    const [task] = threadTasks(
      { experiment, target, claim: { prefix: 'a:', token: '', claimed: false } },
      scenario,
      1,
      SharedState.forThreads(1),
    );
    return { scenario: scenario.connects, task: task?.connects };
  }

  test('with the lock the pool warms in parallel: only the lock makes attempts serial', () => {
    expect(connectsOf('warmed', 'jittered')).toEqual({ scenario: 'serial', task: 'parallel' });
  });

  test('without the lock the pool takes the pacing of the config', () => {
    expect(connectsOf('optimized', 'serial')).toEqual({ scenario: 'serial', task: 'serial' });
  });
});
