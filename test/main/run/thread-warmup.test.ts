import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';
import { Progress } from '../../../src/main/live/progress.ts';
import type { Bench } from '../../../src/main/run/loads.ts';
import { Settling, warmUpThreads, widestOfEachPath } from '../../../src/main/run/thread-warmup.ts';
import { placeOn } from '../../../src/main/run/threads.ts';
import type { Target } from '../../../src/main/server/find-target.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import type { ThreadTask } from '../../../src/workers/contract.ts';
import { createExperiment, unhurried } from '../../support/experiment.ts';
import { shareServer } from '../../support/servers.ts';

function experimentOf(scenarios: readonly object[], rounds = 6) {
  const target = { server: 'redis', url: 'redis://localhost' };
  return parseConfig(JSON.stringify({ name: 'warmed', target, scenarios, rounds }), 'config.json');
}

/** Looks at threads of which each does 1000 operations in each window, at the given costs in µs. */
function settle(costs: readonly (readonly number[])[], minOperations = 0) {
  const settling = new Settling(costs.length, minOperations);
  const cpuNs = costs.map(() => 1e9);
  let completed = 1000;
  const look = () => settling.look(cpuNs.map(ns => ({ completed, failed: 0, cpuNs: ns })));
  look();
  const settledAfter = [...(costs[0] ?? [])].findIndex((_, window) => {
    completed += 1000;
    for (const [thread, ofThread] of costs.entries())
      cpuNs[thread] = (cpuNs[thread] ?? 0) + (ofThread[window] ?? 0) * 1e6;
    return look();
  });
  return { windows: settledAfter + 1, unsettled: settling.unsettled };
}

const flat = (micros: number, windows: number) => new Array<number>(windows).fill(micros);

test('a thread has settled once the CPU time of an operation no longer falls', () => {
  const falling = Array.from({ length: 20 }, (_, window) => 200 * 0.9 ** window);
  expect(settle([falling])).toEqual({ windows: 0, unsettled: 1 });
  expect(settle([flat(25, 20)])).toEqual({ windows: 8, unsettled: 0 });
  const { windows } = settle([[...falling.slice(0, 12), ...flat(60, 12)]]);
  expect(windows).toBeGreaterThan(12);
  expect(windows).toBeLessThan(24);
});

test('a pause of the garbage collector keeps no thread cold, and rising costs of a busy machine do not either', () => {
  expect(settle([[25, 25, 25, 25, 90, 25, 25, 25]]).unsettled).toBe(0);
  expect(settle([[25, 25, 90, 25, 25, 25, 25, 25]]).unsettled).toBe(0);
  expect(settle([[25, 25, 25, 25, 40, 40, 40, 40]]).unsettled).toBe(0);
});

test('every thread must settle, and do its operations', () => {
  const cold = Array.from({ length: 10 }, (_, window) => 200 * 0.8 ** window + 20);
  expect(settle([flat(25, 10), cold, flat(25, 10)])).toEqual({ windows: 0, unsettled: 1 });
  expect(settle([flat(25, 20)], 15_000)).toEqual({ windows: 14, unsettled: 0 });
});

test('where the platform does not report the CPU time of a thread, the number of operations decides', () => {
  const settling = new Settling(2, 1000);
  const look = (first: number, second: number) =>
    settling.look([first, second].map(completed => ({ completed, failed: 0, cpuNs: Number.NaN })));
  expect(look(1000, 999)).toBe(false);
  expect(look(1000, 1000)).toBe(true);
});

test('each path through the code is warmed once, by the scenario with the most threads', () => {
  const idsOf = (...groups: object[]) =>
    widestOfEachPath(expandScenarios(experimentOf(groups).scenarios)).map(({ id }) => id);
  expect(idsOf({ pools: [1, 4, 2], workers: [50, 100] })).toEqual(['ioredis-optimized-4pools-50workers']);
  const paths = { client: ['ioredis', 'wire'], pool: ['baseline', 'warmed', 'optimized', 'shared'] };
  // `warmed` runs the code of `baseline`, once the load has begun.
  expect(idsOf(paths)).toHaveLength(6);
  expect(idsOf({ pipeline: [1, 10, 100], healthTtlMs: [10, 1000] })).toHaveLength(2);
  expect(idsOf({ autoPipelining: [false, true] })).toHaveLength(2);
  const rates = [100, 5000, 200].map(rate => ({ kind: 'poisson', rate }));
  expect(idsOf({ arrival: [{ kind: 'closed' }, ...rates] })).toEqual([
    expect.stringMatching(/closed$/),
    expect.stringContaining('5000'),
  ]);
});

/** Warms up 3 threads that complete operations at these costs, in µs; the last one for ever. */
async function warmUp(costs: readonly number[], plannedSeconds: number, rounds = 6) {
  const experiment = experimentOf([{ client: ['ioredis', 'wire'], pools: 1, workers: 2 }], rounds);
  const gone = async () => {
    throw new Error('gone');
  };
  const server = { host: '127.0.0.1', port: 6379 };
  const control = { server, nodes: [], findNodes: gone, call: gone, alive: async () => false };
  const detected = { server: 'redis', version: '7.0.15', threads: 1 };
  const driven: (readonly ThreadTask[])[] = [];
  const run: Bench['threads']['run'] = async (tasks, shared, onWindow) => {
    driven.push(tasks);
    const startNs = nowNs();
    onWindow({ startNs, warmupSeconds: 0, grown: true });
    shared.release(startNs);
    const endNs = startNs + (tasks[0]?.seconds ?? 0) * 1e9;
    const idle = { warmupCompleted: 0, warmupFailed: 0, failed: 0, p99Ms: 0, busyNs: 0 };
    const none = { connections: 0, idle: 0, waiting: 0 };
    for (let window = 0, cpuNs = 1; shared.stopNs === undefined && nowNs() < endNs; window++) {
      for (const { thread } of tasks)
        shared.publish(thread, { atNs: nowNs(), ...idle, ...none, cpuNs, completed: 4000 + 1000 * window });
      cpuNs += (costs[window] ?? costs.at(-1) ?? 0) * 1e6;
      await new Promise(resolve => setTimeout(resolve, 60));
    }
    return [];
  };
  const warnings: string[] = [];
  const bench: Bench = {
    ...{ experiment, target: { control, detected } as unknown as Target, threads: { run, size: 3 } },
    claim: { prefix: 'p:', token: '', claimed: false },
    warn: line => warnings.push(line),
  };
  await warmUpThreads(bench, expandScenarios(experiment.scenarios), {
    progress: await Progress.open(undefined),
    ...{ signal: new AbortController().signal, plannedSeconds, firstRound: 4, named: String },
  });
  return { driven, warnings };
}

test('a scenario of one thread is driven on all threads of the run, and ends as soon as they have settled', async () => {
  const { driven, warnings } = await warmUp([80, 40, 25], 600);
  expect(driven.map(tasks => tasks.map(({ client, thread }) => `${client} ${thread}`))).toEqual([
    ['ioredis 0', 'ioredis 1', 'ioredis 2'],
    ['wire 0', 'wire 1', 'wire 2'],
  ]);
  const workers = driven[0]?.flatMap(({ pools }) =>
    pools.flatMap(({ groups }) => groups.map(group => group.workers)),
  );
  expect(workers).toEqual([1, 1, 1]);
  expect(warnings).toEqual([]);
});

const cold = Array.from({ length: 100 }, (_, window) => 500 * 0.9 ** window + 21);

test('a run of which nothing is judged keeps to 0.2 s a path, and has no warning', async () => {
  const { driven, warnings } = await warmUp(cold, 600, 4);
  expect(driven.map(([task]) => task?.seconds)).toEqual([0.2, 0.2]);
  expect(warnings).toEqual([]);
});

test('a short run has a short warm-up, and says how many threads of each path were not warm', async () => {
  const { driven, warnings } = await warmUp(cold, 1);
  expect(driven.map(([task]) => task?.seconds)).toEqual([expect.closeTo(0.25, 1), expect.closeTo(0.25, 1)]);
  expect(warnings).toEqual([expect.stringMatching(/round 4 .*ioredis\S+ \(3 of 3\).*wire\S+ \(3 of 3\)/)]);
});

test('an arm of one thread takes turns on all threads, as all arms of a round begin with the same one', async () => {
  expect(placeOn(4, 1, 1)).toEqual([1]);
  expect(placeOn(4, 6, 3)).toEqual([2, 3, 0]);
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    ...{
      scenarios: [{ client: 'wire', workers: 4, pools: [1, 2], ...unhurried }],
      rounds: 3,
      seconds: 0.2,
    },
  });
  const { code } = await experiment.run();
  expect(code).toBe(0);
  const { scenarios } = await experiment.result();
  const threadsOf = scenarios.map(({ rounds }) =>
    rounds.map(({ cpu }) => cpu.threads.map(({ thread }) => thread)),
  );
  expect(threadsOf).toEqual([
    [[2], [1], [2]],
    [
      [2, 1],
      [1, 2],
      [2, 1],
    ],
  ]);
  // On a loaded machine a window can complete nothing.
  const costs = scenarios.flatMap(({ rounds }) =>
    rounds.flatMap(({ cpu }) => cpu.threads.flatMap(({ microsPerOp }) => microsPerOp ?? [])),
  );
  expect(costs.length).toBeGreaterThan(0);
  for (const micros of costs) expect(micros).toBeGreaterThan(0);
});
