import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeSamples, type RoundContext } from '../../../src/aggregate/stats/merge.ts';
import { expectFigures } from '../../../src/main/run/measured-round.ts';
import type { PoolSnapshot } from '../../../src/pool/metrics.ts';
import type { LoadSample, SecondSample, ThreadSample } from '../../../src/workers/contract.ts';
import { createHistogram, encodeHistogram } from '../../support/library-histogram.ts';

const context: RoundContext = {
  round: 3,
  startedAt: '2026-11-26T14:00:00.000Z',
  clientCpuMicros: 1_500_000,
  machineBusyShare: 0.95,
  serverCores: 0.8,
  serverMainThreadCores: 0.7,
  serverCalls: 12,
  cuts: 0,
  basePingMs: 0.05,
};

function encode(valuesMs: readonly number[]): string {
  const histogram = createHistogram(2);
  for (const value of valuesMs) histogram.recordValue(value * 1e6);
  const encoded = encodeHistogram(histogram);
  histogram.destroy();
  return encoded;
}

const noTimes = encode([]);

function buildLoad(changes: Partial<LoadSample> = {}): LoadSample {
  return {
    pipeline: 1,
    issued: 0,
    completed: 0,
    failed: {},
    unfinished: 0,
    misses: 0,
    commands: [],
    warmupCompleted: 0,
    service: noTimes,
    response: noTimes,
    failedWaits: { service: '', response: '' },
    overRange: 0,
    series: [],
    ...changes,
  };
}

const threadLoad: ThreadSample['threadLoad'] = {
  eventLoopUtilization: 0.5,
  cores: 0.4,
  waitShare: 0.1,
  gcPauses: 2,
  gcMs: 3,
  gcLongestMs: 2,
  loopDelayP99Ms: 1,
  loopDelayMaxMs: 4,
};

/** A thread with one load, which takes what belongs to it. */
function buildSample({
  thread = 0,
  seconds = 2,
  pools = [],
  allServedMs = 1,
  openLoop = null,
  eventLoopUtilization = 0.5,
  ...load
}: Partial<ThreadSample & LoadSample> & { eventLoopUtilization?: number } = {}): ThreadSample {
  return {
    thread,
    seconds,
    pools,
    allServedMs,
    threadLoad: { ...threadLoad, eventLoopUtilization },
    loads: [buildLoad(load)],
    openLoop,
    redirects: null,
    inserted: [],
  };
}

function buildSecond(
  second: number,
  completed: number,
  failed: number,
  responsesMs: readonly number[],
): SecondSample {
  return { second, completed, failed, response: encode(responsesMs) };
}

function buildPool(changes: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    createdForWorkers: 0,
    lastCreatedForWorkersMs: null,
    acquisitions: 0,
    immediate: 0,
    acquireWait: noTimes,
    lockWaits: 0,
    lockWaitMs: 0,
    healthChecksRun: 0,
    healthChecksSkipped: 0,
    healthCheckMs: 0,
    createdBefore: 0,
    created: 0,
    lastCreatedMs: null,
    connectTime: noTimes,
    connectFailures: 0,
    reconnects: 0,
    peakWaiting: 0,
    utilization: [],
    ...changes,
  };
}

test('the CPU of an operation is without the threads of other loads; not known if theirs is not', () => {
  const cpuOf = (othersCpuMicros?: number | null) =>
    mergeSamples(
      [buildSample({ issued: 1000, completed: 1000 })],
      othersCpuMicros === undefined ? context : { ...context, othersCpuMicros },
    ).cpu;
  expect(cpuOf()).toMatchObject({ clientMicrosPerOp: 1500, clientCores: 0.75 });
  expect(cpuOf(500_000)).toMatchObject({ clientMicrosPerOp: 1000, clientCores: 0.75 });
  expect(cpuOf(null)).toMatchObject({ clientMicrosPerOp: null, clientCores: 0.75 });
});

test('the CPU time per operation is unknown if another load ran in the same thread', () => {
  const samples = [0, 1].map(thread => buildSample({ thread, issued: 10, completed: 10 }));
  // The second thread also runs a task of another load.
  const { cpu } = mergeSamples(samples, { ...context, placement: [4, 7, 7] });
  expect(cpu.clientMicrosPerOp).toBeNull();
  expect(cpu.threads.map(({ thread, microsPerOp, cores }) => [thread, microsPerOp, cores])).toEqual([
    [5, 0.8e6 / 10, 0.4],
    [8, null, 0.4],
  ]);
});

test('the sum over threads equals the merged totals', () => {
  const counts = fc.record({
    completed: fc.nat(1_000_000),
    unfinished: fc.nat(100),
    misses: fc.nat(1000),
    overRange: fc.nat(10),
    failed: fc.dictionary(
      fc.constantFrom('OOM', 'TIMEOUT', 'ECONNRESET', 'READONLY'),
      fc.integer({ min: 1, max: 99 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(counts, { minLength: 1, maxLength: 8 }), threads => {
      const failedOf = (failed: Record<string, number>) =>
        Object.values(failed).reduce((sum, count) => sum + count, 0);
      const samples = threads.map((count, thread) =>
        buildSample({
          ...count,
          thread,
          issued: count.completed + failedOf(count.failed) + count.unfinished,
        }),
      );
      const merged = mergeSamples(samples, context);
      for (const name of ['issued', 'completed', 'unfinished', 'misses', 'overRange'] as const) {
        expect(merged[name]).toBe(samples.reduce((sum, { loads }) => sum + (loads[0]?.[name] ?? 0), 0));
      }
      for (const code of ['OOM', 'TIMEOUT', 'ECONNRESET', 'READONLY']) {
        expect(merged.failed[code] ?? 0).toBe(
          samples.reduce((sum, { loads }) => sum + (loads[0]?.failed[code] ?? 0), 0),
        );
      }
      expect(merged.completed + failedOf(merged.failed) + merged.unfinished).toBe(merged.issued);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('throughput and CPU are those of the measured window', () => {
  const merged = mergeSamples([buildSample({ issued: 12, completed: 12 })], context);
  expect(merged.opsPerSecond).toBe(6);
  expect(merged.cpu).toEqual({
    cpuSets: null,
    throttling: null,
    serverFullestThread: null,
    clientMicrosPerOp: 125_000,
    clientCores: 0.75,
    eventLoopUtilization: [0.5],
    machineBusyShare: 0.95,
    serverCores: 0.8,
    serverMainThreadCores: 0.7,
    threads: [
      {
        thread: 1,
        // 0.4 cores for 2 seconds.
        microsPerOp: 0.8e6 / 12,
        cores: 0.4,
        waitShare: 0.1,
        gcPauses: 2,
        gcMs: 3,
        gcLongestMs: 2,
        loopDelayP99Ms: 1,
        loopDelayMaxMs: 4,
      },
    ],
  });
  expect(merged).toMatchObject({ round: 3, startedAt: context.startedAt, seconds: 2, serverCalls: 12 });
});

test('CPU per operation is null if nothing completed', () => {
  const merged = mergeSamples([buildSample({ issued: 1, failed: { OOM: 1 } })], context);
  expect(merged.cpu.clientMicrosPerOp).toBeNull();
  expect(merged.opsPerSecond).toBe(0);
});

test('a thread is known by its number in the run, and has the CPU time that its own operations took', () => {
  const samples = [10, 40].map((completed, thread) => buildSample({ thread, issued: completed, completed }));
  const { cpu } = mergeSamples(samples, { ...context, placement: [3, 0] });
  expect(cpu.threads).toMatchObject([
    { thread: 4, microsPerOp: 80_000 },
    { thread: 1, microsPerOp: 20_000 },
  ]);
  const sample = buildSample({ issued: 1, completed: 1 });
  const untold = mergeSamples([{ ...sample, threadLoad: { ...threadLoad, cores: null } }], context);
  expect(untold.cpu.threads).toMatchObject([{ cores: null, microsPerOp: null }]);
  const idle = mergeSamples([buildSample({})], context);
  expect(idle.cpu.threads).toMatchObject([{ microsPerOp: null }]);
});

test('threads count in their own order, not in that of arrival', () => {
  const first = buildSample({ thread: 0, eventLoopUtilization: 0.1 });
  const second = buildSample({ thread: 1, eventLoopUtilization: 0.2 });
  expect(mergeSamples([second, first], context).cpu.eventLoopUtilization).toEqual([0.1, 0.2]);
});

test('seconds are merged by their time, and an empty one is there without latencies', () => {
  const late = buildSample({ thread: 0, seconds: 4, series: [buildSecond(2, 4, 1, [8, 8, 8, 8])] });
  const both = buildSample({ thread: 1, series: [buildSecond(0, 2, 0, [1, 1]), buildSecond(2, 1, 0, [8])] });
  const { series } = mergeSamples([late, both], context);
  expect(series).toMatchObject([
    { second: 0, completed: 2, failed: 0 },
    { second: 1, completed: 0, failed: 0, p50: null, p99: null },
    { second: 2, completed: 5, failed: 1 },
    { second: 3, completed: 0, failed: 0, p50: null, p99: null },
  ]);
  expect(series[0]?.p50).toBeCloseTo(1, 1);
  expect(series[2]?.p99).toBeCloseTo(8, 0);
});

test('a window of a part of a second has one entry', () => {
  expect(mergeSamples([buildSample({ seconds: 0.3 })], context).series).toHaveLength(1);
});

test('a run that was stopped before its window is one of 0 seconds, and 0 operations a second', () => {
  const merged = mergeSamples([buildSample({ seconds: 0 }), buildSample({ thread: 1, seconds: 0 })], context);
  expect(merged).toMatchObject({ seconds: 0, opsPerSecond: 0, series: [], cpu: { clientCores: 0 } });
});

test('pool metrics are summed over the pools of all threads, waits taken over all acquisitions', () => {
  const waited = buildPool({
    acquisitions: 4,
    immediate: 2,
    acquireWait: encode([10, 10]),
    lockWaits: 2,
    peakWaiting: 7,
  });
  const served = buildPool({ acquisitions: 6, immediate: 6, created: 3, createdBefore: 5, peakWaiting: 4 });
  const { poolMetrics } = mergeSamples(
    [buildSample({ thread: 0, pools: [waited] }), buildSample({ thread: 1, pools: [served, served] })],
    context,
  );
  expect(poolMetrics).toMatchObject({
    acquisitions: 16,
    immediate: 14,
    lockWaits: 2,
    created: 6,
    createdBefore: 10,
  });
  expect(poolMetrics.peakWaiting).toBe(7);
  expect(poolMetrics.acquireWait).toMatchObject({ count: 16, p50: 0 });
  expect(poolMetrics.acquireWait.mean).toBeCloseTo(20 / 16, 1);
  expect(poolMetrics.acquireWait.p99).toBeCloseTo(10, 0);
});

test('utilization is summed by time slot, a pool that is silent in one counting with its latest standing', () => {
  const standing = (atMs: number, active: number) => ({
    atMs,
    active,
    idle: 1,
    waiting: 0,
    total: active + 1,
  });
  const steady = buildPool({ utilization: [standing(100, 5), standing(204, 6), standing(303, 7)] });
  const jittery = buildPool({ utilization: [standing(99, 10), standing(199, 20), standing(305, 30)] });
  const { poolMetrics } = mergeSamples([buildSample({ pools: [jittery, steady] })], context);
  expect(poolMetrics.utilization).toEqual([
    { atMs: 0, active: 15, idle: 2, waiting: 0, total: 17 },
    { atMs: 100, active: 25, idle: 2, waiting: 0, total: 27 },
    { atMs: 200, active: 26, idle: 2, waiting: 0, total: 28 },
    { atMs: 300, active: 37, idle: 2, waiting: 0, total: 39 },
  ]);
});

test('utilization of an hour is merged in one pass', () => {
  const slots = 36_000;
  const ofPool = (pool: number) =>
    Array.from({ length: slots }, (_, slot) => ({
      atMs: slot * 100 + pool,
      ...{ active: slot, idle: pool, waiting: 0, total: slot + pool },
    }));
  const pools = [0, 1, 2, 3].map(pool => buildPool({ utilization: ofPool(pool) }));
  const { utilization } = mergeSamples([buildSample({ pools })], context).poolMetrics;
  expect(utilization).toHaveLength(slots);
  expect(utilization.at(-1)).toEqual({
    atMs: 3_599_900,
    active: 143_996,
    idle: 6,
    waiting: 0,
    total: 144_002,
  });
});

test('a pool that begins late counts with its first standing until then, several notes of a slot with the last', () => {
  const standing = (atMs: number, active: number) => ({ atMs, active, idle: 0, waiting: 0, total: active });
  const early = buildPool({ utilization: [standing(0, 1), standing(10, 2), standing(400, 3)] });
  const late = buildPool({ utilization: [standing(200, 10), standing(210, 20)] });
  const { utilization } = mergeSamples([buildSample({ pools: [early, late] })], context).poolMetrics;
  expect(utilization.map(({ atMs, active }) => [atMs, active])).toEqual([
    [0, 12],
    [100, 12],
    [200, 22],
    [300, 22],
    [400, 23],
  ]);
});

test('pools without metrics make no slots', () => {
  expect(mergeSamples([buildSample()], context).poolMetrics.utilization).toEqual([]);
});

test('workers with batches of two sizes are counted separately, and add up to the whole', () => {
  const samples = [0, 1].map(thread => ({
    ...buildSample({ thread }),
    loads: [
      buildLoad({ issued: 10, completed: 9, failed: { OOM: 1 }, response: encode([1, 2]) }),
      buildLoad({ pipeline: 100, issued: 200, completed: 200, response: encode([40]) }),
    ],
  }));
  const merged = mergeSamples(samples, context);
  expect(merged).toMatchObject({ issued: 420, completed: 418, failed: { OOM: 2 }, opsPerSecond: 209 });
  expect(merged.loads).toMatchObject([
    { pipeline: 1, issued: 20, completed: 18, failed: { OOM: 2 }, opsPerSecond: 9, response: { count: 4 } },
    { pipeline: 100, issued: 400, completed: 400, failed: {}, opsPerSecond: 200, response: { count: 2 } },
  ]);
  expect(merged.loads[0]?.response.max).toBeCloseTo(2, 1);
  expect(merged.loads[1]?.response.max).toBeCloseTo(40, 0);
});

test('deliveries to the subscribers of all threads are added up, and what has not arrived is lost', () => {
  const of = (expected: number, received: number) => ({
    deliveries: { subscribers: 2, closed: 0, expected, received, latency: encode([1, 3]) },
  });
  const samples = [
    { ...buildSample({ thread: 0 }), ...of(10, 9) },
    { ...buildSample({ thread: 1 }), ...of(5, 5) },
  ];
  const { deliveries } = mergeSamples(samples, context);
  expect(deliveries).toMatchObject({ subscribers: 4, closed: 0, expected: 15, received: 14, lost: 1 });
  expect(deliveries?.latency).toMatchObject({ count: 4 });
  expect(mergeSamples([buildSample()], context)).not.toHaveProperty('deliveries');
});

test('batches of one size make no table of their own', () => {
  expect(mergeSamples([buildSample({ completed: 3 })], context).loads).toEqual([]);
});

test('all are served when the last thread is, and never while a worker had no reply', () => {
  const servedAt = (...times: (number | null)[]) =>
    mergeSamples(
      times.map((allServedMs, thread) => buildSample({ thread, allServedMs })),
      context,
    ).allServedMs;
  expect(servedAt(3, 8, 5)).toBe(8);
  expect(servedAt(3, null)).toBeNull();
});

test('open loops are added up, and throughput is what completed in the window, whenever it was due', () => {
  const open = (thread: number, changes: object) =>
    buildSample({
      thread,
      issued: 60,
      completed: 50,
      unfinished: 10,
      openLoop: {
        rate: 100,
        offered: 100,
        unsent: 40,
        completedInWindow: 70,
        largestBacklog: 45,
        oldestUnsentMs: 400,
        lag: encode([1, 2]),
        lagOverRange: 0,
        spinShare: 0.25,
        ...changes,
      },
    });
  const other = { oldestUnsentMs: 900, spinShare: 0.5, lag: encode([4]) };
  const merged = mergeSamples([open(0, {}), open(1, other)], context);
  expect(merged).toMatchObject({ issued: 120, completed: 100, unfinished: 20, opsPerSecond: 70 });
  expect(merged.openLoop).toMatchObject({
    rate: 100,
    offered: 200,
    sent: 120,
    completed: 100,
    shortfall: 100,
    unsent: 80,
    largestBacklog: 90,
    oldestUnsentMs: 900,
    spinShare: 0.375,
  });
  expect(merged.openLoop?.lag.count).toBe(3);
  // 1.5 s of CPU, of which both threads spun for a quarter and a half of 2 s: nothing is left.
  expect(merged.cpu.clientMicrosPerOp).toBe(0);
  const useful = mergeSamples([open(0, {})], context);
  expect(useful.cpu.clientMicrosPerOp).toBeCloseTo(1_000_000 / 70);
});

test('a stage has what all threads had of it, and no percentile if nothing of it completed', () => {
  const stages = [
    { seconds: 1, rate: 100, rampTo: null },
    { seconds: 1, rate: 100, rampTo: 300 },
  ];
  const open = (thread: number, responses: readonly (readonly number[])[]) =>
    buildSample({
      thread,
      openLoop: {
        rate: 150,
        offered: 150,
        unsent: 0,
        completedInWindow: 0,
        largestBacklog: 7,
        oldestUnsentMs: 0,
        lag: noTimes,
        lagOverRange: 0,
        spinShare: 0,
        stages: stages.map((stage, index) => ({
          stage,
          offered: 50 * (index + 1),
          largestBacklog: 3 + index,
          response: encode(responses[index] ?? []),
        })),
      },
    });
  const merged = mergeSamples([open(0, [[1, 1, 8]]), open(1, [[1]])], context);
  expect(merged.openLoop?.stages).toEqual([
    {
      ...stages[0],
      offered: 100,
      completed: 4,
      largestBacklog: 6,
      p50: expect.closeTo(1, 1),
      p99: expect.closeTo(8, 1),
    },
    { ...stages[1], offered: 200, completed: 0, largestBacklog: 8, p50: null, p99: null },
  ]);
  expect(expectFigures(merged, 'a').openLoop?.stages).toHaveLength(2);
});

test('a closed loop has nothing of an open one', () => {
  expect(mergeSamples([buildSample({ completed: 3 })], context).openLoop).toBeNull();
});

test('a round of nothing has figures or null, and a figure that is NaN is refused by name', () => {
  const nothing = { ...context, clientCpuMicros: 0, machineBusyShare: null, serverTime: () => null };
  for (const samples of [[], [buildSample({})], [{ ...buildSample({}), seconds: 0 }]])
    expect(expectFigures(mergeSamples(samples, nothing), 'a')).toMatchObject({
      cpu: { machineBusyShare: null, clientMicrosPerOp: null },
      serverMicrosPerCall: null,
    });
  for (const machineBusyShare of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => expectFigures(mergeSamples([], { ...context, machineBusyShare }), 'a')).toThrow(
      'machineBusyShare',
    );
});

test("the server's own time is that of all commands, and of each of a mix", () => {
  const sample = { nullIsMiss: false, misses: 0, failed: {}, service: noTimes, response: noTimes };
  const commands = ['GET', 'SET'].map(name => ({ ...sample, name, completed: 1 }));
  const serverTime = (command?: string) => ({ GET: 0.5, SET: 2 })[command ?? ''] ?? 1;
  const merged = mergeSamples([buildSample({ commands })], { ...context, serverTime });
  expect(merged.serverMicrosPerCall).toBe(1);
  expect(merged.commands.map(({ serverMicrosPerCall }) => serverMicrosPerCall)).toEqual([0.5, 2]);
});

test('sessions of all threads are one script, whose commands are counted as far as all threads know them apart', () => {
  const step = (name: string, completed: number, failed: number, valuesMs: readonly number[]) => ({
    ...{ name, completed, failed },
    latency: encode(valuesMs),
  });
  const samples = [
    {
      ...{ commands: 20, sent: { get: 12, set: 10, exec: 1 }, messages: { SCRIPT: 'first' } },
      steps: [step('look', 3, 1, [10, 10, 30])],
      unawaited: {},
    },
    {
      ...{ commands: 5, sent: { get: 8, set: null }, messages: { SCRIPT: 'second', OOM: 'full' } },
      steps: [step('add', 1, 0, [5]), step('look', 1, 0, [10])],
      unawaited: { add: 2 },
    },
  ].map((script, thread) => buildSample({ thread, script }));
  const asked: string[][] = [];
  const { script } = mergeSamples(samples, {
    ...context,
    serverCallsOf: names => {
      asked.push([...names]);
      return 22;
    },
  });
  expect(asked).toEqual([['get', 'exec']]);
  expect(script).toMatchObject({
    ...{ commands: 25, counted: { sent: 21, server: 22 }, messages: { SCRIPT: 'first', OOM: 'full' } },
    unawaited: { add: 2 },
    steps: [
      { name: 'look', completed: 4, failed: 1, latency: { count: 4, p50: expect.closeTo(10, 0) } },
      { name: 'add', completed: 1, failed: 0, latency: { count: 1 } },
    ],
  });
  expect(mergeSamples([buildSample()], context)).not.toHaveProperty('script');
});
