import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  CircuitBreaker,
  failuresToOpen,
  maxBackoffMs,
  minBackoffMs,
} from '../../src/pool/circuit-breaker.ts';
import { openPool } from '../../src/pool/pool.ts';
import { type Preset, presets } from '../../src/pool/presets.ts';
import { connector, createPool, loopback, rejection, until } from '../support/connections.ts';
import { FakeConnection } from '../support/fake-connection.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer } from '../support/servers.ts';

/** A breaker whose time and chance are the test's, and a server that is up or down. */
function createBreaker(random = () => 1) {
  const world = { nowMs: 0, up: false, connects: 0 };
  const breaker = new CircuitBreaker(() => world.nowMs, random);
  const connect = async () => {
    world.connects++;
    if (!world.up) throw new Error('down');
    return new FakeConnection();
  };
  /** What became of one more caller. */
  const ask = async (): Promise<'refused' | 'failed' | 'connected'> => {
    const connecting = breaker.through(connect);
    if (connecting === undefined) return 'refused';
    return await connecting.then(
      () => 'connected',
      () => 'failed',
    );
  };
  return { world, breaker, ask, connect };
}

async function open({ ask }: Pick<ReturnType<typeof createBreaker>, 'ask'>): Promise<void> {
  for (let failure = 0; failure < failuresToOpen; failure++) expect(await ask()).toBe('failed');
}

describe('the breaker', () => {
  test('stays closed while fewer attempts in a row fail', async () => {
    const { world, ask } = createBreaker();
    for (let round = 0; round < 3; round++) {
      world.up = false;
      for (let failure = 1; failure < failuresToOpen; failure++) expect(await ask()).toBe('failed');
      world.up = true;
      expect(await ask()).toBe('connected');
    }
  });

  test('open, it allows no attempt until the backoff is over, and then one', async () => {
    const { world, ask } = createBreaker();
    await open({ ask });
    world.nowMs = minBackoffMs - 1;
    expect(await ask()).toBe('refused');
    world.nowMs = minBackoffMs;
    const [first, second] = await Promise.all([ask(), ask()]);
    expect([first, second]).toEqual(['failed', 'refused']);
    expect(world.connects).toBe(failuresToOpen + 1);
  });

  test('the backoff doubles up to its bound, and half of it is chance', async () => {
    for (const [random, share] of [
      [() => 0, 0.5],
      [() => 1, 1],
    ] as const) {
      const { world, ask } = createBreaker(random);
      await open({ ask });
      const waits: number[] = [];
      for (let probe = 0; probe < 6; probe++) {
        const sinceMs = world.nowMs;
        while ((await ask()) === 'refused') world.nowMs++;
        waits.push((world.nowMs - sinceMs) / share);
      }
      const bounded = Array(6).fill(maxBackoffMs);
      expect(waits).toEqual(
        [1, 2, 4]
          .map(times => times * minBackoffMs)
          .concat(bounded)
          .slice(0, 6),
      );
    }
  });

  test('the first connect that succeeds closes it, a probe or one begun before', async () => {
    const { world, ask, breaker } = createBreaker();
    let admit: (connection: FakeConnection) => void = () => {};
    const early = breaker.through(() => new Promise(resolve => (admit = resolve)));
    await open({ ask });
    expect(await ask()).toBe('refused');
    admit(new FakeConnection());
    await early;
    world.up = true;
    expect(await Promise.all([ask(), ask()])).toEqual(['connected', 'connected']);

    world.up = false;
    await open({ ask });
    world.nowMs += minBackoffMs;
    world.up = true;
    expect(await ask()).toBe('connected');
    expect(await Promise.all([ask(), ask()])).toEqual(['connected', 'connected']);
  });
});

describe('a pool', () => {
  test.each(Object.keys(presets) as Preset[])(
    '%s: few of many callers make attempts, and all get an error',
    async preset => {
      const { world, breaker, connect } = createBreaker();
      const pool = openPool(
        {
          ...{ strategies: presets[preset], max: 100, minIdle: 10, probe: 'poll', healthTtlMs: 1000 },
          ...{ timeoutMs: 5000, connects: 'serial', metrics: true },
        },
        connect,
        breaker,
      );
      onTestFinished(() => pool.close({ timeout: 0 }));
      const codes = new Map<string | undefined, number>();
      const ask = async () => {
        const { code } = await rejection(pool.acquire());
        codes.set(code, (codes.get(code) ?? 0) + 1);
      };
      for (let time = 0; time < 5; time++) await Promise.all(Array.from({ length: 50 }, ask));
      expect([...codes.values()].reduce((sum, count) => sum + count)).toBe(250);
      expect(codes.get('CIRCUIT_OPEN')).toBeGreaterThan(150);
      expect(world.connects).toBe(failuresToOpen);
      expect(pool.metrics()?.connectFailures).toBe(failuresToOpen);

      world.up = true;
      world.nowMs += maxBackoffMs;
      const held = await pool.acquire();
      expect(held.alive).toBe(true);
      pool.release(held);
    },
  );

  test('a caller that asks again at once leaves the event loop its turns', async () => {
    const { breaker, connect } = createBreaker();
    const pool = createPool(connect, 'lock-free', {}, breaker);
    for (let failure = 0; failure < failuresToOpen; failure++) await rejection(pool.acquire());
    const turned = vi.fn();
    setImmediate(turned);
    await rejection(pool.acquire());
    await rejection(pool.acquire());
    expect(turned).toHaveBeenCalled();
  });

  test('on a real server that was away, it works again soon after', async () => {
    const server = await shareServer();
    const proxy = await startProxy(server.port);
    const pool = createPool(connector('wire', loopback(proxy.port)), 'lock-free', { max: 8 });
    await proxy.refuse();
    for (let failure = 0; failure < failuresToOpen; failure++)
      expect((await rejection(pool.acquire())).code).toBe('ECONNREFUSED');
    // On a busy machine, the next attempt may already be let through: it fails, and the circuit opens again.
    await until(async () => (await rejection(pool.acquire())).code === 'CIRCUIT_OPEN');
    await proxy.admit();
    await until(async () => {
      const connection = await pool.acquire().catch(() => undefined);
      if (connection !== undefined) pool.release(connection);
      return connection !== undefined;
    });
    expect(pool.metrics()).toMatchObject({ created: 1 });
  });
});
