import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import { commandCalls } from '../../src/main/server/server-info.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { LoadSample, PoolTask } from '../../src/workers/contract.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { clientNames, loopback, patient, until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { startProxy } from '../support/proxy.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { shareServer, startRedis, type TestServer } from '../support/servers.ts';
import {
  accounted,
  buildTask,
  type PlainSample,
  runOne,
  runThread,
  startThreads,
  stopAfter,
  stopWhen,
} from '../support/threads.ts';

describe('accounting', () => {
  let server: TestServer;
  let control: Control;

  beforeAll(async () => {
    server = await shareServer();
    control = await connectControl(loopback(server.port), patient);
  });

  afterAll(() => control?.close());

  function recorded(sample: PlainSample): { service: number; response: number; series: number } {
    const total = (encoded: string) => {
      const histogram = decodeHistogram(encoded);
      const { totalCount } = histogram;
      histogram.destroy();
      return totalCount;
    };
    return {
      service: total(sample.service),
      response: total(sample.response),
      series: sample.series.reduce((sum, second) => sum + total(second.response), 0),
    };
  }

  /** GETs and SETs that the server has seen. */
  async function calls(): Promise<number> {
    return commandCalls(await control.info('commandstats'), ['get', 'set']) ?? 0;
  }

  function failedOf(sample: PlainSample): number {
    return Object.values(sample.failed).reduce((sum, count) => sum + count, 0);
  }

  describe.each(clientNames)('%s', client => {
    test.each([1, 7])(
      'with a warm-up, %d deep: the warm-up is counted apart, and the server agrees',
      async pipeline => {
        const before = await calls();
        const warmUntil = (shared: SharedState) => shared.progress(0).warmupCompleted > 0;
        const task = { client, pipeline, warmupSeconds: 0.1, warmUntil, seconds: 10 };
        const sample = await runOne(server.port, task, stopAfter(100));
        expect(sample.warmupCompleted).toBeGreaterThan(0);
        expect(sample).toMatchObject({ failed: {}, unfinished: 0 });
        expect(sample.issued).toBe(sample.completed);
        expect((await calls()) - before).toBe(sample.warmupCompleted + sample.completed);
        const { completed } = sample;
        expect(recorded(sample)).toEqual({ service: completed, response: completed, series: completed });
        expect(sample.series.reduce((sum, second) => sum + second.completed, 0)).toBe(completed);
      },
    );

    test('reads that find nothing are misses, and completed', async () => {
      const task = {
        ...{ client, keyPrefix: 'nothing-here:', seconds: 10 },
        workload: plainWorkload({ keys: 100, valueBytes: 16, readShare: 1 }),
      };
      const sample = await runOne(server.port, task, stopAfter(100));
      expect(sample.completed).toBeGreaterThan(0);
      expect(sample.misses).toBe(sample.completed);
    });

    test('error replies are failures by code, and no latency', async () => {
      await control.call('CONFIG', 'SET', 'maxmemory', '1');
      onTestFinished(async () => {
        await control.call('CONFIG', 'SET', 'maxmemory', '0');
      });
      const sample = await runOne(server.port, { client, pipeline: 3, seconds: 10 }, stopAfter(100));
      expect(Object.keys(sample.failed)).toEqual(['OOM']);
      expect(sample.completed).toBeGreaterThan(0);
      expect(sample.failed.OOM).toBeGreaterThan(0);
      expect(accounted(sample)).toBe(sample.issued);
      expect(recorded(sample).response).toBe(sample.completed);
      expect(sample.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failedOf(sample));
    });

    test.each(['baseline', 'optimized'] as const)('%s: the server dies in mid-run', async preset => {
      const mortal = await startRedis();
      onTestFinished(() => mortal.stop());
      let [startNs, stopNs] = [0, 0];
      const sample = await runOne(
        mortal.port,
        { client, preset, pipeline: 2, seconds: 30 },
        async (shared, releasedNs) => {
          startNs = releasedNs;
          await until(() => shared.progress(0).completed > 0);
          await mortal.stop();
          await until(() => shared.failures(0).ECONNREFUSED !== undefined);
          stopNs = nowNs();
          shared.stop(stopNs);
        },
      );
      expect(sample.completed).toBeGreaterThan(0);
      expect(sample.failed.ECONNREFUSED).toBeGreaterThan(0);
      expect(accounted(sample)).toBe(sample.issued);
      expect(recorded(sample).response).toBe(sample.completed);
      // The death does not cut it short.
      expect(sample.seconds).toBeGreaterThanOrEqual((stopNs - startNs) / 1e9);
    });

    test.each(['baseline', 'optimized'] as const)(
      '%s: the connections go silent in mid-batch, and so do those that are opened',
      async preset => {
        const proxy = await startProxy(server.port);
        // Warm-up of a pool has the same time limit, which on a busy machine it may exceed.
        const pools = [{ minIdle: 0 }];
        const sample = await runOne(
          proxy.port,
          { client, preset, pools, pipeline: 5, seconds: 30, timeoutMs: 200 },
          async shared => {
            // A few batches of each worker were answered by then.
            await until(() => shared.progress(0).completed > 20);
            proxy.cutAfter(7, 'silence');
            setTimeout(() => {
              proxy.silent = true;
            }, 20);
            await until(() => shared.failures(0).TIMEOUT !== undefined);
            shared.stop(nowNs());
          },
        );
        expect(sample.completed).toBeGreaterThan(0);
        expect(sample.failed.TIMEOUT).toBeGreaterThan(0);
        expect(accounted(sample)).toBe(sample.issued);
        expect(recorded(sample).response).toBe(sample.completed);
      },
    );

    test('callers that are still waiting at the end are unfinished, and nothing else', async () => {
      const proxy = await startProxy(server.port);
      // In turn, each connect waits for its own time limit: the last ones are given up with the drain.
      const options = { client, preset: 'baseline', timeoutMs: 400, seconds: 30 } as const;
      proxy.silent = true;
      const sample = await runOne(
        proxy.port,
        { ...options, pools: [{ workers: 10, connections: 20 }] },
        stopWhen(() => proxy.accepted > 0),
      );
      expect(sample.unfinished).toBeGreaterThan(0);
      expect(sample.completed).toBe(0);
      expect(Object.keys(sample.failed)).not.toContain('POOL_CLOSED');
      expect(accounted(sample)).toBe(sample.issued);
    });

    test('a batch that is half answered when the drain is given up is unfinished, and does no harm', async () => {
      let asked = 0;
      let held: (() => void)[] | undefined = [];
      const { port } = await startScriptedServer((request, reply) => {
        const answer = () => reply('+OK\r\n');
        if (request[0] === 'GET' || request[0] === 'SET') {
          if (asked++ === 0) answer();
        } else if (held === undefined) answer();
        else held.push(answer);
      });
      const late = { preset: 'baseline', pipeline: 5, timeoutMs: 2000, seconds: 30 } as const;
      const sample = await runOne(
        port,
        { client, ...late, pools: [{ workers: 10, connections: 20 }] },
        async shared => {
          await until(() => held?.length !== 0);
          shared.stop(nowNs());
          // Logins are answered so late in the drain that it is given up before a batch is.
          await sleep(1000 + 400);
          for (const answer of held ?? []) answer();
          held = undefined;
        },
      );
      expect(asked).toBeGreaterThan(0);
      expect(sample.unfinished).toBeGreaterThan(0);
      expect(accounted(sample)).toBe(sample.issued);
      // An error of what ends now is uncaught, and fails the run.
      await sleep(50);
    });

    test('a pool that cannot warm fails the task, and leaves nothing open', async () => {
      const proxy = await startProxy(server.port);
      await proxy.refuse();
      await expect(runOne(proxy.port, { client })).rejects.toThrow(/ECONNREFUSED/);
      await proxy.admit();
      proxy.silent = true;
      await expect(runOne(proxy.port, { client, timeoutMs: 100 })).rejects.toThrow(
        /No connection within 100 ms/,
      );
      await expect.poll(() => proxy.open).toBe(0);
    });
  });
});

describe('early stops', () => {
  async function stopEarly(warmupSeconds: number, holds: (shared: SharedState) => boolean) {
    const arrivalsNs: number[] = [];
    const { port } = await startScriptedServer((request, reply) => {
      if (request[0] === 'GET' || request[0] === 'SET') arrivalsNs.push(nowNs());
      reply('+OK\r\n');
    });
    let startNs = 0;
    let stopNs = 0;
    const task = { seconds: 60, warmupSeconds, pools: [{ workers: 2 }] };
    const sample = await runOne(port, task, (shared, releasedNs) => {
      startNs = releasedNs + warmupSeconds * 1e9;
      stopWhen(shared => {
        stopNs = nowNs();
        return holds(shared);
      })(shared);
    });
    return { sample, measured: arrivalsNs.filter(ns => ns >= startNs), startNs, stopNs, arrivalsNs };
  }

  test('stopped in the measured window: the window is as long as operations were issued', async () => {
    const isEnough = (shared: SharedState) => shared.progress(0).completed > 50;
    const { sample, measured, startNs, stopNs } = await stopEarly(0, isEnough);
    expect(sample.seconds).toBeGreaterThanOrEqual((stopNs - startNs) / 1e9);
    expect(sample.seconds).toBeLessThan(10);
    expect(accounted(sample)).toBe(sample.issued);
    expect(sample.completed).toBeGreaterThan(50);
    expect(Math.abs(measured.length - sample.completed)).toBeLessThanOrEqual(2);
    // What was issued after the window's end would be throughput of a time that is not counted.
    const late = measured.filter(ns => ns > startNs + sample.seconds * 1e9 + 5e6);
    expect(late.length).toBeLessThanOrEqual(2);
  });

  test('stopped in the warm-up: nothing was measured, and that takes no time', async () => {
    const hasBegun = (shared: SharedState) => shared.progress(0).warmupCompleted > 0;
    const { sample, arrivalsNs } = await stopEarly(30, hasBegun);
    expect(sample).toMatchObject({
      seconds: 0,
      issued: 0,
      completed: 0,
      failed: {},
      unfinished: 0,
      series: [],
    });
    expect(sample.warmupCompleted).toBe(arrivalsNs.length);
    expect(sample.warmupCompleted).toBeGreaterThan(0);
  });
});

describe('start instant', () => {
  test('threads that are ready at different times issue nothing before the start instant, and then together', async () => {
    const firstArrivalNs = new Map<string, number>();
    const { port } = await startScriptedServer((request, reply) => {
      const [command = '', key = ''] = request;
      const thread = key.split(':')[0] ?? '';
      if ((command === 'GET' || command === 'SET') && !firstArrivalNs.has(thread))
        firstArrivalNs.set(thread, nowNs());
      reply('+OK\r\n');
    });
    const run = startThreads(2);
    const shared = SharedState.forThreads(2);
    const task = (thread: number) =>
      buildTask(port, shared, { keyPrefix: `thread${thread}:`, seconds: 30, warmupSeconds: 0.05 }, thread);

    const first = run(task(0));
    await until(() => shared.ready === 1);
    await sleep(300);
    const second = run(task(1));
    await until(() => shared.ready === 2);
    await sleep(100);
    expect(firstArrivalNs.size).toBe(0);
    const startNs = nowNs() + 50e6;
    shared.openWindow(startNs + 50e6);
    shared.release(startNs);
    await until(() => firstArrivalNs.size === 2);
    shared.stop(nowNs());
    const samples = await Promise.all([first, second]);

    expect(samples.map(sample => sample.thread)).toEqual([0, 1]);
    const arrivals = [...firstArrivalNs.values()];
    expect(arrivals).toHaveLength(2);
    for (const arrivalNs of arrivals) expect(arrivalNs).toBeGreaterThanOrEqual(startNs);
    // They became ready 300 ms apart; on a busy machine a thread may be scheduled late, but not by as much.
    expect(Math.abs((arrivals[0] ?? 0) - (arrivals[1] ?? 0)) / 1e6).toBeLessThan(280);
  });

  test('no operation comes before the start instant, not even by the granularity of a timer', async () => {
    let firstNs = Number.POSITIVE_INFINITY;
    const { port } = await startScriptedServer((request, reply) => {
      if (request[0] === 'GET' || request[0] === 'SET') firstNs = Math.min(firstNs, nowNs());
      reply('+OK\r\n');
    });
    let issued = 0;
    for (const leadMs of [5.1, 5.3, 5.5, 5.7, 5.9]) {
      firstNs = Number.POSITIVE_INFINITY;
      let startNs = 0;
      const sample = await runOne(port, { seconds: 0.05, leadMs }, (_, releasedNs) => {
        startNs = releasedNs;
      });
      issued += sample.issued;
      expect(firstNs).toBeGreaterThanOrEqual(startNs);
    }
    expect(issued).toBeGreaterThan(0);
  });

  test.each([
    ['a closed loop', null],
    ['an open loop', { arrivals: { kind: 'constant', rate: 200, size: 1 }, pools: 1, firstPool: 0 } as const],
  ])('a thread that sees the start after the end of its window has had none, in %s', async (_, openLoop) => {
    const { port } = await startScriptedServer((_, reply) => reply('+OK\r\n'));
    const sample = await runOne(port, { openLoop, seconds: 0.15, leadMs: -200 });
    expect(sample).toMatchObject({ seconds: 0, issued: 0, completed: 0, unfinished: 0 });
    // What was due stays accounted for.
    expect(sample.openLoop?.unsent).toBe(openLoop === null ? undefined : 30);
  });

  test('a thread that is stopped at the barrier issues nothing', async () => {
    let asked = 0;
    const { port } = await startScriptedServer((request, reply) => {
      if (request[0] === 'GET' || request[0] === 'SET') asked++;
      reply('+OK\r\n');
    });
    const run = startThreads(1);
    const shared = SharedState.forThreads(1);
    const running = run(buildTask(port, shared, { seconds: 60 }));
    await until(() => shared.ready === 1);
    shared.stop(nowNs());
    expect(await running).toMatchObject({ seconds: 0, issued: 0, completed: 0, unfinished: 0 });
    expect(asked).toBe(0);
  });
});

describe('batch workers are measured separately', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const singles = { workers: 6, pipeline: 1 };
  const batches = { workers: 2, pipeline: 100 };
  const rest = { minIdle: 1, firstKey: 0, keys: 100 };

  test.each<[string, PoolTask[]]>([
    ['in one pool', [{ groups: [singles, batches], connections: 8, ...rest }]],
    [
      'in pools of their own',
      [
        { groups: [singles], connections: 6, ...rest },
        { groups: [batches], connections: 2, ...rest },
      ],
    ],
  ])('%s: two loads, each with its own account, latencies and series', async (_, pools) => {
    const sample = await runThread(server.port, { pools, seconds: 10 }, stopAfter(2000));
    const [ofSingles, ofBatches] = sample.loads as [LoadSample, LoadSample];
    expect(sample.loads.map(load => load.pipeline)).toEqual([1, 100]);
    for (const load of sample.loads) {
      expect(load.completed).toBeGreaterThan(0);
      expect(accounted(load)).toBe(load.issued);
      expect(load.series.reduce((sum, second) => sum + second.completed, 0)).toBe(load.completed);
    }
    expect(ofBatches.completed % 100).toBe(0);
    expect(ofBatches.completed).toBeGreaterThan(ofSingles.completed);
    expect(sample.allServedMs).toBeGreaterThan(0);
  });
});
