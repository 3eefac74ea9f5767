import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { checkConfig, parseConfig } from '../../src/main/experiment/read-config.ts';
import { groupOf } from '../../src/main/experiment/scenario-group.ts';
import { expandScenarios } from '../../src/main/experiment/scenarios.ts';
import { openLoopOf, splitOverThreads } from '../../src/main/experiment/split.ts';
import { workloadTask } from '../../src/main/experiment/workload.ts';
import { Batch } from '../../src/pool/client/batch.ts';
import { nowNs } from '../../src/pool/clock.ts';
import { arrivalsOf } from '../../src/workers/arrival-schedule.ts';
import { commandMix } from '../../src/workers/workload/command-mix.ts';
import { openWorkload } from '../../src/workers/workload/open-workload.ts';
import { readReplay, recordedInstants } from '../../src/workers/workload/replay.ts';
import { formatReplay, untimedHead } from '../../src/workers/workload/replay-file.ts';
import { type Running, startBothServers } from '../support/both-servers.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { runOne } from '../support/threads.ts';

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const keys = 24;

/** A recorded GET; the instant is in microseconds. */
interface Recorded {
  readonly instant: number;
  readonly key: number;
}

const textOf = (recorded: readonly Recorded[]) =>
  formatReplay(
    ['GET {key}'],
    recorded.map(({ instant, key }) => ({ instant, command: 0, size: 0, keys: [key] })),
  );

/** The experiment of a config with a replay. */
async function experimentOf(text: string, arrival: unknown, more: object = {}, group: object = {}) {
  const folder = await testFolder();
  await writeFile(join(folder, 'a.replay'), text);
  const config = {
    name: 'replay',
    target: { server: 'any', url: 'redis://h' },
    workload: { keys, commands: [{ command: 'GET {key}' }], replay: 'a.replay' },
    scenarios: [{ client: 'wire', workers: 4, arrival, ...group }],
    ...more,
  };
  return parseConfig(JSON.stringify(config), join(folder, 'config.json'));
}

/** The arrivals of all pools, two for each operation, each with the key that its pool then sends. */
function arrivalsOfPools(
  task: ReturnType<typeof workloadTask>,
  arrival: unknown,
  { pools, poolsPerThread }: { pools: number; poolsPerThread: number },
) {
  const [scenario] = expandScenarios([groupOf({ pools, poolsPerThread, workers: pools, arrival })]);
  if (scenario === undefined) throw new Error('expected a scenario');
  const mix = commandMix(task, 'own:', 1);
  const replay = readReplay(task.replay ?? '');
  return splitOverThreads(scenario, keys).flatMap((ofThread, thread) => {
    const openLoop = openLoopOf(scenario, thread);
    if (openLoop === null) throw new Error('expected an open loop');
    return ofThread.flatMap((pool, index) => {
      const recorded = recordedInstants(replay, pool, keys);
      const cursor = arrivalsOf(openLoop, openLoop.firstPool + index, 1, 1, recorded);
      expect(cursor.dueNs).toBe(Number.POSITIVE_INFINITY);
      cursor.openWindow?.(0);
      const workload = openWorkload(task, mix, pool, 1);
      const batch = new Batch(1, { done: () => {} }, workload.stride);
      return Array.from({ length: 2 * (recorded?.own.length ?? 0) }, (_, number) => {
        const { dueNs } = cursor;
        cursor.advance();
        workload.fill(batch, number);
        return { dueNs, key: batch.keyOf(0) };
      });
    });
  });
}

const byTime = (a: { dueNs: number; key: number }, b: typeof a) => a.dueNs - b.dueNs || a.key - b.key;

test('each recorded operation is due once, at its instant, in one pool, which then sends its key', async () => {
  const operation = fc.record({
    gap: fc.oneof(fc.constant(0), fc.nat(5000)),
    key: fc.nat(keys - 1),
  });
  const split = fc.record({
    pools: fc.integer({ min: 1, max: 7 }),
    poolsPerThread: fc.integer({ min: 1, max: 3 }),
  });
  const speeds = fc.constantFrom(0.5, 1, 2, 3);
  const replay = join(await testFolder(), 'a');
  const task = {
    ...plainWorkload({ keys, valueBytes: 1, readShare: 1 }),
    commands: [{ command: 'GET {key}', weight: 1 }],
  };
  let files = 0;
  await fc.assert(
    fc.asyncProperty(
      fc
        .array(operation, { minLength: 2, maxLength: 60 })
        .filter(all => all.slice(1).some(({ gap }) => gap > 0)),
      split,
      speeds,
      async (operations, split, speed) => {
        let instant = -(operations[0]?.gap ?? 0);
        const recorded = operations.map(({ gap, key }) => {
          instant += gap;
          return { instant, key };
        });
        // A thread keeps the files that it has read, so each needs its own name.
        const path = `${replay}${files++}`;
        await writeFile(path, textOf(recorded));
        const found = arrivalsOfPools({ ...task, replay: path }, { kind: 'recorded', speed, rate: 1 }, split);
        const squares = operations.slice(1).reduce((sum, { gap }) => sum + gap ** 2, 0);
        const lengthUs = instant + squares / instant;
        const expected = [0, lengthUs].flatMap(startUs =>
          recorded.map(({ instant, key }) => ({ dueNs: ((startUs + instant) * 1000) / speed, key })),
        );
        expect(found).toHaveLength(expected.length);
        const inOrder = expected.toSorted(byTime);
        for (const [index, { dueNs, key }] of found.toSorted(byTime).entries()) {
          expect(key).toBe(inOrder[index]?.key);
          expect(Math.abs(dueNs - (inOrder[index]?.dueNs ?? 0))).toBeLessThan(100);
        }
      },
    ),
    { seed: 1, numRuns: 50 },
  );
});

test('the measured time is the length of the recording at its speed, covers each operation once, and can be set', async () => {
  const recorded = Array.from({ length: 40 }, (_, index) => ({
    instant: Math.floor(index / 10) * 100_001,
    key: index % keys,
  }));
  for (const speed of [1, 2, 0.3]) {
    const arrival = { kind: 'recorded', speed };
    const { seconds, scenarios, workload } = await experimentOf(textOf(recorded), arrival);
    // Bursts 100.001 ms apart, which is also the distance to the next repetition.
    const length = 400_004;
    expect(seconds).toBeCloseTo(length / 1e6 / speed, 5);
    expect(scenarios[0]?.arrival[0]).toMatchObject({
      speed,
      rate: Number(((40e6 / length) * speed).toPrecision(6)),
    });
    const found = arrivalsOfPools(workloadTask(workload), scenarios[0]?.arrival, {
      pools: 3,
      poolsPerThread: 2,
    });
    expect(found.filter(({ dueNs }) => dueNs < seconds * 1e9)).toHaveLength(40);
  }
  const set = await experimentOf(textOf(recorded), { kind: 'recorded' }, { seconds: 7 });
  expect(set.seconds).toBe(7);
  // A result has the config in this form.
  expect(checkConfig(JSON.parse(JSON.stringify(set)), 'result.json')).toEqual(set);
  // A config that is read after another recording has the new one.
  await writeFile(set.workload.replay ?? '', textOf(recorded.slice(0, 20)));
  const input = { ...set, scenarios: [{ client: 'wire', arrival: { kind: 'recorded' } }] };
  expect(checkConfig(input, 'config.json').scenarios[0]?.arrival).toMatchObject([
    { rate: expect.closeTo(20e6 / 200_002, 0) },
  ]);
  const population = { name: 'a', client: 'wire', arrival: { kind: 'recorded', speed: 2 } };
  const beside = await experimentOf(textOf(recorded), { kind: 'closed' }, { populations: [population] });
  expect(beside.populations[0]?.arrival).toMatchObject({ rate: expect.closeTo(200, 0) });
});

const [early, late] = [
  { instant: 0, key: 1 },
  { instant: 900, key: 1 },
];
test.each<[expected: string, text: string, arrival: object, more?: object, group?: object]>([
  ['.arrival.kind: .*no instants \\(record it again\\)', `${untimedHead}\n0 0 1\n`, {}],
  ['.arrival.kind: .*only one instant', textOf([early]), {}],
  ['.arrival.kind: .*only one instant', textOf([early, early]), {}],
  ['.arrival.kind: .*replay.* is null', textOf([early, late]), {}, { workload: {} }],
  ['.arrival.rate: .*1111.11 or nothing.*found 5', textOf([early, late]), { rate: 5 }],
  ['.arrival.speed: .*above 10000000, found 100', textOf([early, { instant: 2, key: 1 }]), { speed: 100 }],
  ['.arrival.rate: .*found a list', textOf([early, late]), { rate: [1, 2] }],
  ['.arrival.speed: .*list several arrivals.*found a list', textOf([early, late]), { speed: [1, 2] }],
  ['.arrival: .*stages', textOf([early, late]), { stages: [{ seconds: 1, rate: 1 }] }],
  ['.arrival.speed: .*0.01 to 100', textOf([early, late]), { speed: 0 }],
  ['.pipeline: .*its own instant', textOf([early, late]), {}, {}, { pipeline: 2 }],
])('recorded arrivals are refused: %s', async (expected, text, arrival, more, group) => {
  await expect(experimentOf(text, { kind: 'recorded', ...arrival }, more, group)).rejects.toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`scenarios\\[0\\]\\${expected}`)),
    }),
  );
});

const running = startBothServers();

test('the warm-up opens as many connections as the pool can have, fewer than it has workers', async () => {
  const { server } = running.get('redis') as Running;
  const replay = join(await testFolder(), 'a.replay');
  await writeFile(
    replay,
    textOf(Array.from({ length: 30 }, (_, index) => ({ instant: 5000 * index, key: 0 }))),
  );
  const arrivals = { kind: 'recorded', rate: 1000, speed: 1 } as const;
  const { openLoop, pools, seconds } = await runOne(server.port, {
    pools: [{ workers: 10, connections: 5, minIdle: 0, keys }],
    workload: { ...plainWorkload({ keys, valueBytes: 1, readShare: 1 }), replay },
    openLoop: { arrivals, pools: 1, firstPool: 0 },
    warmupSeconds: 0.1,
    seconds: 0.15,
    onWindow: () => {},
  });
  // 30, but a thread that sees the start of the window late has a shorter one.
  expect(openLoop?.offered).toBe(Math.floor(seconds * 200 + 1e-3));
  expect(pools[0]).toMatchObject({ createdBefore: 5, created: 0 });
});

test('stopped in the warm-up, in which nothing is due, it ends at once', async () => {
  const { server } = running.get('redis') as Running;
  const replay = join(await testFolder(), 'a.replay');
  await writeFile(replay, textOf([early, late]));
  const arrivals = { kind: 'recorded', rate: 1000, speed: 1 } as const;
  const begunNs = nowNs();
  const { issued } = await runOne(
    server.port,
    {
      workload: { ...plainWorkload({ keys, valueBytes: 1, readShare: 1 }), replay },
      openLoop: { arrivals, pools: 1, firstPool: 0 },
      warmupSeconds: 20,
      // After which the thread would wait for no worker any more.
      timeoutMs: 20_000,
      onWindow: () => {},
    },
    shared => setTimeout(() => shared.stop(nowNs()), 150),
  );
  expect(issued).toBe(0);
  expect((nowNs() - begunNs) / 1e9).toBeLessThan(10);
});
