import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  maxGrowthSeconds,
  openWindow,
  planStart,
  type WindowStart,
} from '../../src/main/run/window-start.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { Preset } from '../../src/pool/presets.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { clientNames } from '../support/connections.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';
import { type PlainSample, runOne, stopAfter, stopWhen, type TaskOptions } from '../support/threads.ts';

describe('burst of connection attempts', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const delayMs = 20;

  /**
   * A burst of `workers` on a cold pool, each answer taking 20 ms: time until all connections serve. Each worker keeps its
   * first one until then, so one operation more than workers comes later.
   */
  async function burst(preset: Preset, workers: number): Promise<number> {
    const proxy = await startProxy(server.port);
    proxy.delayMs = delayMs;
    const pool = { workers, connections: workers, minIdle: 0 };
    const { allServedMs, pools } = await runOne(
      proxy.port,
      { preset, seconds: 10, burst: true, pools: [pool] },
      stopAfter(workers + 1),
    );
    expect(pools[0]?.created).toBe(workers);
    return allServedMs ?? Number.NaN;
  }

  test('under the lock N connections serve after N attempts; outside of it, after one (redis-py 3842)', async () => {
    const few = await burst('baseline', 5);
    const many = await burst('baseline', 15);
    expect(few).toBeGreaterThanOrEqual(5 * delayMs);
    expect(many).toBeGreaterThanOrEqual(15 * delayMs);

    // The shortest of three: on a busy machine one takes as long as it has no core.
    const bursts = [await burst('lock-free', 15), await burst('lock-free', 15), await burst('lock-free', 15)];
    const apart = Math.min(...bursts);
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
});

describe('growth of pools before the measured window', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const workers = 20;
  const pools = [{ workers, connections: 2 * workers, minIdle: 0 }];

  /** Measures with a warm-up that ends as in a run, until the load has done so much. */
  async function measureGrown(port: number, options: TaskOptions, isEnough = stopAfter(workers)) {
    let start: WindowStart | undefined;
    const task = {
      ...{ pools, warmupSeconds: 0.1, seconds: 30, timeoutMs: 5000 },
      ...options,
      onWindow(set: WindowStart) {
        start = set;
      },
    };
    const sample = await runOne(port, task, isEnough);
    if (start === undefined) throw new Error('expected a window');
    return { sample, start };
  }

  function created(sample: PlainSample): { before: number; within: number } {
    const [pool] = sample.pools;
    return { before: pool?.createdBefore ?? 0, within: pool?.created ?? 0 };
  }

  describe.each(clientNames)('%s', client => {
    test('with a warm-up every worker has had a connection of its own when the window begins', async () => {
      const { sample, start } = await measureGrown(server.port, { client, preset: 'baseline' });
      expect(created(sample)).toEqual({ before: workers, within: 0 });
      expect(sample.completed).toBeGreaterThan(0);
      expect(start.grown).toBe(true);
    });

    test('in a burst they have it without a warm-up, and the time until then is in the sample', async () => {
      const proxy = await startProxy(server.port);
      proxy.delayMs = 5;
      const sample = await runOne(
        proxy.port,
        { client, preset: 'baseline', pools, burst: true, seconds: 10, timeoutMs: 5000 },
        stopAfter(workers + 1),
      );
      expect(created(sample)).toEqual({ before: 0, within: workers });
      expect(sample.allServedMs).toBeGreaterThanOrEqual(sample.pools[0]?.lastCreatedMs ?? Number.NaN);
    });
  });

  test('a pool too small for its workers holds none of them up', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 5;
    // If they kept their connections, the last ones would never be served in the warm-up.
    const sample = await runOne(
      proxy.port,
      {
        preset: 'baseline',
        pools: [{ workers, connections: 4, minIdle: 0 }],
        warmupSeconds: 0.1,
        warmUntil: shared => shared.progress(0).warmupCompleted >= 2 * workers,
        seconds: 30,
      },
      stopAfter(workers),
    );
    expect(sample.allServedMs).toBeGreaterThan(0);
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.unfinished).toBe(0);
  });

  test('the warm-up lasts until pools that grow slowly have grown, and is quiet for a while', async () => {
    const proxy = await startProxy(server.port);
    // Under the lock the connects come one after another: 20 of them take 0.4 s.
    proxy.delayMs = 20;
    const { sample, start } = await measureGrown(proxy.port, { preset: 'baseline' });
    expect(created(sample)).toEqual({ before: workers, within: 0 });
    expect(start.grown).toBe(true);
    expect(start.warmupSeconds).toBeGreaterThan(0.6);
    expect(sample.completed).toBeGreaterThan(0);
  });

  test('a worker that gets no connection keeps the others waiting until the bound, which is told, and no longer', async () => {
    const proxy = await startProxy(server.port);
    // 20 of them would take 4 s.
    proxy.delayMs = 200;
    const { sample, start } = await measureGrown(proxy.port, {
      ...{ preset: 'baseline', boundSeconds: maxGrowthSeconds },
    });
    expect(start.grown).toBe(false);
    expect(start.warmupSeconds).toBeGreaterThanOrEqual(maxGrowthSeconds);
    expect(created(sample).before).toBeLessThan(workers);
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.completed + sample.unfinished).toBe(sample.issued);
  });

  test('idle connections that maintenance opens do not prolong it, and are no growth', async () => {
    const { sample, start } = await measureGrown(
      server.port,
      {
        ...{ preset: 'optimized', warmupSeconds: 0.05 },
        // The workers take all that are idle, so maintenance opens as many again.
        pools: [{ workers: 10, connections: 40, minIdle: 10 }],
      },
      // Each worker has its own in use at any time.
      stopWhen(shared => shared.progress(0).completed > 0 && shared.progress(0).idle > 0),
    );
    const [pool] = sample.pools;
    expect(start.grown).toBe(true);
    expect((pool?.createdBefore ?? 0) + (pool?.created ?? 0)).toBeGreaterThan(10);
    expect(pool?.createdForWorkers).toBe(0);
  });

  test('an open loop gathers a connection for every worker first, and measures by its schedule from then on', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 20;
    const { sample, start } = await measureGrown(proxy.port, {
      preset: 'baseline',
      openLoop: { arrivals: { kind: 'constant', rate: 200, size: 1 }, pools: 1, firstPool: 0 },
    });
    expect(start.grown).toBe(true);
    expect(created(sample)).toEqual({ before: workers, within: 0 });
    expect((sample.openLoop?.offered ?? 0) - sample.issued).toBe(sample.openLoop?.unsent);
    expect(Math.abs((sample.openLoop?.offered ?? 0) - sample.seconds * 200)).toBeLessThanOrEqual(1);
  });

  test('a stop in the warm-up of an open loop leaves nothing measured', async () => {
    const sample = await runOne(
      server.port,
      {
        ...{ pools, warmupSeconds: 30, onWindow: () => expect.fail() },
        openLoop: { arrivals: { kind: 'poisson', rate: 2e6, size: 1 }, pools: 1, firstPool: 0 },
      },
      shared => setTimeout(() => shared.stop(nowNs()), 100),
    );
    expect(sample).toMatchObject({ seconds: 0, issued: 0, openLoop: { offered: 0, unsent: 0 } });
  });

  test('a burst that outlasts the window ends with it', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 50;
    const sample = await runOne(proxy.port, {
      ...{ preset: 'baseline', pools, seconds: 0.3, burst: true, timeoutMs: 5000 },
    });
    expect(sample.unfinished).toBe(0);
    // If its workers were still held, those that wait for the lock would have to connect, one after another.
    expect(proxy.accepted).toBeLessThan(workers);
  });

  test('a stop in the warm-up releases the workers that keep their connections', async () => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 50;
    const sample = await runOne(
      proxy.port,
      { preset: 'baseline', pools, warmupSeconds: 30, timeoutMs: 10_000, onWindow: () => expect.fail() },
      stopWhen(shared => shared.progress(0).warmupCompleted > 0),
    );
    expect(sample.issued).toBe(0);
    // As in the test above.
    expect(proxy.accepted).toBeLessThan(workers);
  });
});

describe('the start of the measured window', () => {
  const ms = 1e6;
  const grown = { lookedNs: 1, allConnected: true, grownNs: 0 };
  const plan = (...threads: Partial<typeof grown>[]) =>
    planStart(
      threads.map(thread => ({ ...grown, ...thread })),
      1000 * ms,
      3000 * ms,
    );

  test('is the end of the planned warm-up if the pools were full at once, or have been quiet by then', () => {
    expect(plan({}, {})).toEqual({ startNs: 1000 * ms, grown: true });
    expect(plan({ grownNs: 800 * ms }, {})).toEqual({ startNs: 1000 * ms, grown: true });
  });

  test('comes 200 ms after the last thread has grown', () => {
    expect(plan({ grownNs: 900 * ms }, { grownNs: 1300 * ms })).toEqual({ startNs: 1500 * ms, grown: true });
  });

  test('comes at the bound if some worker has no connection, or the pools do not stop growing', () => {
    expect(plan({}, { allConnected: false })).toEqual({ startNs: 3000 * ms, grown: false });
    expect(plan({ grownNs: 2801 * ms })).toEqual({ startNs: 3000 * ms, grown: false });
  });

  test('is not set while a pool grows, however long its lead is', async () => {
    const shared = SharedState.forThreads(1);
    const releasedNs = nowNs();
    let start: WindowStart | undefined;
    let lastGrownNs = 0;
    let quietNs = 0;
    const opening = openWindow(
      shared,
      { releasedNs, warmupSeconds: 0.05, threads: 1 },
      () => false,
      set => {
        start = set;
        quietNs = nowNs() - lastGrownNs;
      },
    );
    // The thread looks for the first time after 150 ms, which makes the lead 300 ms, and grows until 400 ms have passed.
    await sleep(150);
    while (start === undefined) {
      const now = nowNs();
      if (now - releasedNs < 400 * ms) lastGrownNs = now;
      shared.publishGrowth(0, { lookedNs: now, allConnected: true, grownNs: lastGrownNs });
      await sleep(5);
    }
    await opening;
    if (start.grown) expect(quietNs).toBeGreaterThanOrEqual(170 * ms);
    else expect(start.warmupSeconds).toBeGreaterThanOrEqual(maxGrowthSeconds);
  });
});
