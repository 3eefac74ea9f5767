import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import { commandCalls } from '../../src/main/server/server-info.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { Arrivals, OpenLoopSample } from '../../src/workers/contract.ts';
import { loopback, patient, until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer, startRedis, type TestServer } from '../support/servers.ts';
import { accounted, type PlainSample, runOne, type TaskOptions } from '../support/threads.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await shareServer();
  control = await connectControl(loopback(server.port), patient);
});

afterAll(() => control?.close());

/** Open loops have all pools in the one thread of these tests. */
async function runOpen(
  port: number,
  { size = 1, ...arrivals }: Omit<Arrivals, 'size'> & { size?: number },
  options: TaskOptions = {},
  onReleased?: Parameters<typeof runOne>[2],
): Promise<{ sample: PlainSample; open: OpenLoopSample }> {
  const openLoop = { arrivals: { ...arrivals, size }, pools: options.pools?.length ?? 1, firstPool: 0 };
  const sample = await runOne(port, { ...options, openLoop }, onReleased);
  if (sample.openLoop === null) throw new Error('expected an open loop');
  expect(sample.issued + sample.openLoop.unsent).toBe(sample.openLoop.offered);
  expect(accounted(sample)).toBe(sample.issued);
  return { sample, open: sample.openLoop };
}

/** A loop that has something due every few milliseconds keeps a core busy. */
const short = { warmupSeconds: 0.1, seconds: 0.25 };

describe.each(['ioredis', 'wire'] as const)('%s', client => {
  test('what is due in the window is offered and sent, to the operation, and the server agrees', async () => {
    const calls = async () => commandCalls(await control.info('commandstats'), ['get', 'set']) ?? 0;
    const before = await calls();
    const { sample, open } = await runOpen(
      server.port,
      { kind: 'constant', rate: 1000 },
      { ...short, client, pools: [{ workers: 20, connections: 20 }] },
    );
    expect(open).toMatchObject({ rate: 1000, offered: 250 });
    expect(sample).toMatchObject({ failed: {}, unfinished: 0 });
    expect((await calls()) - before).toBe(sample.warmupCompleted + sample.completed);
  });

  test('each stage has as many operations as the integral of its rate, and the server agrees', async () => {
    const calls = async () => commandCalls(await control.info('commandstats'), ['get', 'set']) ?? 0;
    const before = await calls();
    const stages = [
      { seconds: 0.05, rate: 2000, rampTo: null },
      { seconds: 0.1, rate: 2000, rampTo: 6000 },
      { seconds: 0.05, rate: 0, rampTo: null },
      { seconds: 0.05, rate: 0, rampTo: 2000 },
    ];
    const { sample, open } = await runOpen(
      server.port,
      { kind: 'constant', rate: 2200, stages },
      {
        seconds: 0.25,
        client,
        pools: [
          { workers: 20, connections: 20 },
          { workers: 10, connections: 10 },
        ],
      },
    );
    expect(open.offered).toBe(550);
    expect(open.stages?.map(({ offered }) => offered)).toEqual([100, 400, 0, 50]);
    expect(open.stages?.map(({ stage }) => stage)).toEqual(stages);
    const completed = (open.stages ?? []).map(({ response }) => decodeHistogram(response).totalCount);
    // A busy machine may leave some unsent.
    for (const [index, count] of completed.entries())
      expect(count).toBeLessThanOrEqual(open.stages?.[index]?.offered ?? 0);
    expect(completed.reduce((sum, count) => sum + count, 0)).toBe(sample.completed);
    expect(sample).toMatchObject({ failed: {}, unfinished: 0 });
    expect((await calls()) - before).toBe(sample.warmupCompleted + sample.completed);
  });

  test('the server dies in mid-run: what is due goes on failing, each once', async () => {
    const mortal = await startRedis();
    onTestFinished(() => mortal.stop());
    const { sample, open } = await runOpen(
      mortal.port,
      { kind: 'constant', rate: 500 },
      { client, seconds: 30, pools: [{ workers: 20, connections: 20 }] },
      async shared => {
        await until(() => shared.progress(0).completed > 0);
        await mortal.stop();
        await until(() => shared.failures(0).ECONNREFUSED !== undefined);
        shared.stop(nowNs());
      },
    );
    expect(open.offered).toBe(Math.ceil(sample.seconds * 500));
    expect(sample.completed).toBeGreaterThan(0);
    expect(sample.failed.ECONNREFUSED).toBeGreaterThan(0);
  });
});

test('a burst is due at one instant, a batch at a time, over all pools', async () => {
  const { open } = await runOpen(
    server.port,
    { kind: 'burst', rate: 2000, size: 100 },
    { warmupSeconds: 0.1, seconds: 0.5, pipeline: 5, pools: [{ workers: 5 }, { workers: 5, firstKey: 100 }] },
  );
  // Instants are 50 ms apart; 2 lie in the warm-up.
  expect(open.offered).toBe(1000);
});

test('in stages a burst is due whenever the integral of the rate has reached its size once more', async () => {
  const stages = [
    { seconds: 0.2, rate: 500, rampTo: 1500 },
    { seconds: 0.3, rate: 1000, rampTo: null },
  ];
  const { open } = await runOpen(
    server.port,
    { kind: 'burst', rate: 1000, stages, size: 20 },
    { seconds: 0.5, pipeline: 5, pools: [{ workers: 5 }, { workers: 5, firstKey: 100 }] },
  );
  expect(open.stages?.map(({ offered }) => offered)).toEqual([200, 300]);
});

test('random arrivals are about the rate', async () => {
  const { open } = await runOpen(
    server.port,
    { kind: 'poisson', rate: 8000 },
    { ...short, pools: [{ workers: 10 }, { workers: 10, firstKey: 100 }] },
  );
  // 2000, with a standard deviation of 45.
  expect(Math.abs(open.offered - 2000)).toBeLessThan(270);
});

describe('a target that cannot keep up', () => {
  const slowly = async (
    options: TaskOptions = {},
    onReleased?: Parameters<typeof runOne>[2],
    stages?: Arrivals['stages'],
  ) => {
    const proxy = await startProxy(server.port);
    proxy.delayMs = 20;
    const load = { pools: [{ workers: 2, connections: 2 }], ...options };
    const arrivals = { kind: 'constant', rate: 2000, ...(stages && { stages }) } as const;
    return runOpen(proxy.port, arrivals, load, onReleased);
  };

  test('the backlog grows, and operations that were never sent are counted', async () => {
    const { sample, open } = await slowly({ seconds: 0.5 });
    expect(open.offered).toBe(1000);
    // Two workers that take 20 ms or more each complete 50 operations in this time, at most.
    expect(sample.completed).toBeLessThanOrEqual(52);
    expect(open.unsent).toBeGreaterThan(940);
    expect(open.largestBacklog).toBeGreaterThanOrEqual(open.unsent);
    expect(open.largestBacklog).toBeLessThanOrEqual(1000);
    // The oldest unsent was due early, for work is taken in order.
    expect(open.oldestUnsentMs).toBeGreaterThan(470);
    expect(open.oldestUnsentMs).toBeLessThanOrEqual(500);
  });

  test('after a spike the backlog is that of a stage in which little is due', async () => {
    const { sample, open } = await slowly({ seconds: 0.5 }, undefined, [
      { seconds: 0.2, rate: 4900, rampTo: null },
      { seconds: 0.3, rate: 0, rampTo: 400 / 3 },
    ]);
    const [spike, after] = open.stages ?? [];
    expect([spike?.offered, after?.offered]).toEqual([980, 20]);
    // What was sent was due in the spike.
    expect(sample.completed).toBeLessThanOrEqual(52);
    expect([spike, after].map(stage => decodeHistogram(stage?.response ?? '').totalCount)).toEqual([
      sample.completed,
      0,
    ]);
    expect(spike?.largestBacklog).toBeGreaterThan(900);
    expect(after?.largestBacklog).toBeGreaterThan(900);
  });

  test('it shows its capacity, though it works off the backlog of the warm-up first', async () => {
    const warmupSeconds = 0.3;
    const { sample, open } = await slowly({ warmupSeconds, seconds: 30 }, async (shared, releasedNs) => {
      await until(() => shared.progress(0).atNs > releasedNs + warmupSeconds * 1e9);
      const { warmupCompleted } = shared.progress(0);
      await until(() => shared.progress(0).warmupCompleted > warmupCompleted + 20);
      shared.stop(nowNs());
    });
    // All that was served was due in the warm-up: nothing of the window's own was.
    expect(sample).toMatchObject({ issued: 0, completed: 0 });
    expect(open.unsent).toBe(open.offered);
    expect(open.completedInWindow).toBeGreaterThan(10);
    expect(open.completedInWindow).toBeLessThanOrEqual(2 * (sample.seconds / 0.02 + 1));
  });

  test('stopped in the window: what was due until then is offered', async () => {
    const { sample, open } = await slowly({ seconds: 60 }, (shared, startNs) => {
      void sleep((startNs - nowNs()) / 1e6 + 200).then(() => shared.stop(nowNs()));
    });
    expect(sample.seconds).toBeGreaterThan(0.19);
    expect(sample.seconds).toBeLessThan(10);
    expect(open.offered).toBe(Math.ceil(sample.seconds * 2000));
  });
});

test('stopped while it sleeps until the next arrival', async () => {
  const { sample, open } = await runOpen(
    server.port,
    { kind: 'constant', rate: 0.1 },
    { seconds: 60 },
    (shared, startNs) => {
      void sleep((startNs - nowNs()) / 1e6 + 200).then(() => shared.stop(nowNs()));
    },
  );
  expect(sample.seconds).toBeLessThan(10);
  // At the very start.
  expect(open.offered).toBe(1);
});

test('after a warm-up there is a connection for every worker, however low the rate', async () => {
  const { sample } = await runOpen(
    server.port,
    { kind: 'constant', rate: 20 },
    {
      ...{ preset: 'baseline', warmupSeconds: 0.1, seconds: 0.3, pools: [{ workers: 10, connections: 20 }] },
      warmUntil: shared => shared.growth(0).allConnected,
    },
  );
  expect(sample.pools[0]?.createdBefore).toBe(10);
  expect(sample.pools[0]?.created).toBe(0);
});

test('workers that never get a connection hold nobody up beyond the warm-up', async () => {
  const proxy = await startProxy(server.port);
  proxy.silent = true;
  const warmupSeconds = 0.1;
  const { open, sample } = await runOpen(
    proxy.port,
    { kind: 'constant', rate: 200 },
    {
      ...{ preset: 'baseline', timeoutMs: 300, warmupSeconds, seconds: 30 },
      pools: [{ workers: 3, connections: 3 }],
    },
    async (shared, releasedNs) => {
      await until(() => nowNs() > releasedNs + warmupSeconds * 1e9);
      proxy.silent = false;
      await until(() => shared.progress(0).completed > 0);
      shared.stop(nowNs());
    },
  );
  expect(Math.abs(open.offered - sample.seconds * 200)).toBeLessThanOrEqual(1);
  expect(sample.completed).toBeGreaterThan(0);
});
