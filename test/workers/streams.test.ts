import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { planRun, turnsOf } from '../../src/main/experiment/plan.ts';
import { parseConfig } from '../../src/main/experiment/read-config.ts';
import { workloadTask } from '../../src/main/experiment/workload.ts';
import { Progress } from '../../src/main/live/progress.ts';
import { runMeasurement } from '../../src/main/run/measurement.ts';
import { TargetWatch } from '../../src/main/run/target-watch.ts';
import type { Threads } from '../../src/main/run/threads.ts';
import { connectControl } from '../../src/main/server/control.ts';
import type { Target } from '../../src/main/server/find-target.ts';
import { claimKeySpace } from '../../src/main/server/key-space.ts';
import { Batch } from '../../src/pool/client/batch.ts';
import { nowNs } from '../../src/pool/clock.ts';
import { arrivalsOf } from '../../src/workers/arrival-schedule.ts';
import type { ThreadSample } from '../../src/workers/contract.ts';
import { Prng, streamSeed } from '../../src/workers/prng.ts';
import runTask from '../../src/workers/thread.ts';
import { commandMix } from '../../src/workers/workload/command-mix.ts';
import { openWorkload } from '../../src/workers/workload/open-workload.ts';
import { loopback, patient } from '../support/connections.ts';
import { prefill } from '../support/prefill.ts';
import { shareServer } from '../support/servers.ts';

/**
 * The generators that are made from now on until the end of the test, by the first numbers of each, with the places in the
 * code that made one which draws these numbers.
 */
function observeGenerators() {
  const found = new Map<string, { readonly prng: Prng; readonly places: Set<string> }>();
  const known = new WeakSet<Prng>();
  const drawInto = Prng.prototype.drawInto;
  const spy = vi.spyOn(Prng.prototype, 'drawInto').mockImplementation(function (this: Prng, numbers, count) {
    drawInto.call(this, numbers, count);
    // A generator draws some numbers as it is made.
    if (known.has(this)) return;
    known.add(this);
    const frames = (new Error().stack ?? '').split(compiled).slice(1);
    const places = frames.flatMap(frame => /^[\w/-]+\.js:\d+/.exec(frame)?.[0] ?? []);
    const place = places.find(one => !/\/(prng|samplers)\.js/.test(one)) ?? 'nowhere';
    const generator = found.get(numbers.join()) ?? { prng: this, places: new Set() };
    generator.places.add(place);
    found.set(numbers.join(), generator);
  });
  onTestFinished(() => spy.mockRestore());
  return found;
}

const source = fileURLToPath(new URL('../../src/', import.meta.url));
/** Before the path of a file in a stack trace. */
const compiled = new URL('../../dist/', import.meta.url).href;
const poisson = { kind: 'poisson', rate: 400 };
const mix = [
  { command: 'GET {key}' },
  { command: 'SET {key} {value} EX {number:50-60}', weight: Math.PI },
] as const;

/** Configs whose runs draw from every stream together: two of each thing that a stream has an index for. */
const configs = [
  {
    workload: { keys: 100, keyChoice: { kind: 'sequential' }, commands: mix, hitShare: 0.9 },
    scenarios: [
      { pools: 4, poolsPerThread: 2, workers: 8, arrival: poisson },
      { pools: 2, workers: 4, connects: 'jittered', cutEveryMs: 20 },
    ],
  },
  {
    workload: { keys: 100, keyChoice: { kind: 'partitioned' } },
    scenarios: [{ pools: 2, workers: 4, arrival: poisson }],
  },
  { workload: { keys: 100, ycsb: 'D' }, scenarios: [{ pools: 2, workers: 4, arrival: poisson }] },
  { workload: { keys: 100, ycsb: 'E' }, scenarios: [{ pools: 1, workers: 2 }] },
  {
    workload: { keys: 100, script: 'configs/examples/scripts/cart.mjs' },
    scenarios: [{ client: 'ioredis', pools: 2, workers: 4 }],
  },
].map((config, index) =>
  parseConfig(
    JSON.stringify({
      ...{ name: 'streams', target: { server: 'redis', url: 'redis://localhost' }, rounds: 2 },
      ...{ seconds: 0.05, warmupSeconds: 0, seed: index + 1 },
      ...config,
      scenarios: config.scenarios.map(group => ({ client: 'wire', ...group })),
    }),
    'config.json',
  ),
);

/** The threads' work, done in this one. */
const run: Threads['run'] = async (tasks, shared, onWindow) => {
  const running = tasks.map(task => runTask(task));
  while (shared.ready < tasks.length) await sleep(1);
  const startNs = nowNs() + 5e6;
  onWindow({ startNs, warmupSeconds: 0, grown: true });
  shared.release(startNs);
  return (await Promise.all(running)) as ThreadSample[];
};

/** Runs all rounds of a config, twice over as the two sides of one run. */
async function runAll(experiment: (typeof configs)[number], port: number): Promise<void> {
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  const detected = { server: 'redis', version: '7.0.15', threads: 1 };
  const target = { control, detected, local: true, address: loopback(port) } as unknown as Target;
  const space = await claimKeySpace(control, { seed: experiment.seed, keys: 200 });
  await prefill(control, space, { seed: experiment.seed, workload: workloadTask(experiment.workload) });
  const { signal } = new AbortController();
  const progress = await Progress.open(undefined);
  const plan = planRun([experiment, experiment]);
  for (let index = 0; index < plan.rounds.atMost; index++) {
    for (const { scenario } of turnsOf(plan, index + 1).filter(({ side }) => side === 0)) {
      const bench = {
        experiment,
        target,
        threads: { run, size: scenario.threads },
        claim: space,
        warn: () => {},
      };
      const place = { round: index + 1, rounds: 2, index: 1, total: 1, scenario: scenario.id };
      const step = { ...place, threads: scenario.threads, warmupSeconds: 0, seconds: 0.05 };
      const watch = new TargetWatch(target, { timeoutMs: 5000, say: () => {} });
      await runMeasurement(bench, scenario, { step, watch, progress, signal });
    }
  }
}

/** Correlation of two sequences, the second one `lag` places later. */
function correlation(a: Float64Array, b: Float64Array, lag: number): number {
  let sum = 0;
  for (let i = Math.max(0, -lag); i < a.length - Math.max(0, lag); i++)
    sum += (a[i] as number) * (b[i + lag] as number);
  // Numbers that are even over [-1, 1) have a variance of a third.
  return (3 * sum) / (a.length - Math.abs(lag));
}

const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

describe('random numbers of a run', () => {
  test('every stream of a run is drawn from its own seed, and no two are correlated', async () => {
    const { port } = await shareServer();
    const found = observeGenerators();
    for (const experiment of configs) await runAll(experiment, port);

    const generators = [...found.values()];
    for (const { places } of generators) expect([...places]).toHaveLength(1);
    const files = generators.flatMap(({ places }) => [...places].map(place => place.split(/[/:]/).at(-2)));
    expect([...new Set(files)].sort()).toEqual(
      [
        ...['arrival-schedule.js', 'command-mix.js', 'connection-cutter.js', 'data-set.js', 'keys.js'],
        ...['drawn-workload.js', 'growing-workload.js', 'open-workload.js', 'plan.js', 'records.js'],
        ...['script-load.js', 'thread.js', 'values.js'],
      ].sort(),
    );

    const count = 1000;
    const sequences = generators.map(({ prng }) =>
      Float64Array.from({ length: count }, () => 2 * prng.drawFraction() - 1),
    );
    let max = 0;
    for (const [index, a] of sequences.entries())
      for (const b of sequences.slice(index + 1))
        for (const lag of [-1, 0, 1]) max = Math.max(max, Math.abs(correlation(a, b, lag)));
    // Of independent streams a correlation has a standard deviation of 0.03; one in 10^8 is above 0.18.
    expect(sequences.length).toBeGreaterThan(40);
    expect(max).toBeLessThan(0.18);
  });

  test('a command that is drawn says nothing about the gap before its arrival', () => {
    const [experiment] = configs;
    if (experiment === undefined) throw new Error('no config');
    const task = { ...workloadTask(experiment.workload), hitShare: 1 };
    for (const thread of [1, 2, 3]) {
      const mix = commandMix(task, 'k:', thread);
      const own = { firstKey: 0, keys: 100 };
      const workload = openWorkload(task, mix, own, streamSeed(thread, 'pool', 0));
      const openLoop = {
        arrivals: { kind: 'poisson', rate: 1000, size: 1 },
        pools: 1,
        firstPool: 0,
      } as const;
      const cursor = arrivalsOf(openLoop, 0, 1, streamSeed(thread, 'arrivals', 0));
      const batch = new Batch(1, { done: () => {} }, workload.stride);
      const gaps: Record<string, number[]> = {};
      for (let i = 0, lastNs = 0; i < 20_000; i++) {
        workload.fill(batch);
        const name = mix.templates[batch.commandAt(0)]?.name ?? '';
        gaps[name] ??= [];
        gaps[name].push(cursor.dueNs - lastNs);
        lastNs = cursor.dueNs;
        cursor.advance();
      }
      expect(Object.keys(gaps).sort()).toEqual(['GET', 'SET']);
      // The mean of an exponential distribution is known to 1 / √count: 1.5 % here, for the rarer one.
      for (const ofCommand of Object.values(gaps))
        expect(Math.abs(mean(ofCommand) / 1e6 - 1)).toBeLessThan(0.06);
    }
  });

  test('each name of a stream is used in one place, and no generator is seeded without one', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts') && !file.endsWith('prng.ts'))
      .map(file => readFileSync(source + file, 'utf8'));
    const table = readFileSync(`${source}workers/prng.ts`, 'utf8')
      .split('const streams = {')[1]
      ?.split('}')[0];
    const rows = [...(table ?? '').matchAll(/^ {2}(\w+): (\d+),$/gm)];
    expect(rows.length).toBeGreaterThan(10);
    expect(new Set(rows.map(([, , number]) => number)).size).toBe(rows.length);
    const uses = files.flatMap(text =>
      [...text.matchAll(/streamSeed\(\s*[\w.]+,\s*'(\w+)'/g)].map(([, name]) => name ?? ''),
    );
    expect(uses.sort()).toEqual(rows.map(([, name]) => name ?? '').sort());
    expect(files.join('\n').match(/streamSeed\(/g)).toHaveLength(uses.length);
  });
});
