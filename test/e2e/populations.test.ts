import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CpuUse, resultSchema } from '../../src/aggregate/result.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { parseCsv } from '../support/parse-csv.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startSlowly } from '../support/proxy.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

const example = fileURLToPath(new URL('../../configs/examples/neighbours.json', import.meta.url));

describe('several populations at once', () => {
  let valkey: TestServer;

  beforeAll(async () => {
    valkey = await shareServer('valkey');
  });

  test('have books of their own that balance with the server, and leave no keys', async () => {
    const stages = [
      { seconds: 0.1, rate: 400, rampTo: 1600 },
      { seconds: 0.3, rate: 200 },
      // Longer than a busy machine leaves this process without a core, which cuts connections of the other population.
      { seconds: 2, rate: 0 },
    ];
    const experiment = await createExperiment(valkey.url, {
      target: { server: 'valkey', url: valkey.url },
      scenarios: [{ client: 'wire', workers: 4, ...unhurried, beside: 'ramp+bulk' }],
      populations: [
        {
          ...{ name: 'bulk', client: 'wire', workers: 2, pipeline: 20, cutEveryMs: 40 },
          arrival: { kind: 'burst', rate: 400, size: 40 },
        },
        {
          ...{ name: 'ramp', client: 'wire', workers: 12, pools: 3, poolsPerThread: 2 },
          arrival: { kind: 'constant', stages },
          workload: { keys: 30, commands: [{ command: 'LPUSH {key} {value}' }, { command: 'LPOP {key}' }] },
        },
      ],
      // What is under way on a connection that is cut fails.
      ...{ seconds: undefined, maxFailedShare: 1 },
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const { scenarios, config } = await experiment.result();
    expect(config.seconds).toBeCloseTo(2.4);
    const [scenario] = scenarios;
    const [round = expect.fail()] = scenario?.rounds ?? [];
    const [ramp = expect.fail(), bulk = expect.fail()] = round.populations ?? [];
    expect([ramp.name, bulk.name]).toEqual(['ramp', 'bulk']);

    // 100 and 60 by the integral, split over the pools.
    expect(ramp.openLoop?.stages?.map(({ offered }) => offered)).toEqual([100, 60, 0]);
    expect(ramp).toMatchObject({ failed: {}, unfinished: 0, serverCalls: ramp.completed });
    expect(ramp.commands.map(({ name }) => name)).toEqual(['LPUSH', 'LPOP']);
    expect(ramp.cpu.threads).toHaveLength(2);
    expect(round.cpu.threads).toHaveLength(1);
    expect(
      new Set([round, ramp, bulk].flatMap(({ cpu }) => cpu.threads.map(({ thread }) => thread))).size,
    ).toBe(4);

    // The process of poolbench spins for all of them, but each has only its own threads.
    const spunBy = (...loads: readonly { readonly cpu: CpuUse }[]) =>
      loads.flatMap(({ cpu }) => cpu.threads).reduce((sum, { spinShare = 0 }) => sum + spinShare, 0);
    expect(round.cpu.othersSpunCores).toBeCloseTo(spunBy(ramp, bulk));
    expect(ramp.cpu.othersSpunCores).toBeCloseTo(spunBy(round, bulk));
    expect(round.cpu.clientCores).toBe(ramp.cpu.clientCores);

    // Both send GET and SET, so that only their sum is known.
    expect(bulk.cuts).toBeGreaterThan(0);
    expect([round.cuts, round.serverCalls, bulk.serverCalls]).toEqual([0, null, null]);
    const { issued = 0, completed = 0, serverCalls = null } = round.together ?? {};
    expect(completed).toBe(round.completed + ramp.completed + bulk.completed);
    expect(serverCalls).toBeGreaterThanOrEqual(completed);
    expect(serverCalls).toBeLessThanOrEqual(issued);

    const shown = scenario?.populations?.map(({ name, load, summary }) => {
      return [name, load?.workers, load?.pools, summary?.opsPerSecond.median];
    });
    expect(shown).toEqual([
      ['ramp', 12, 3, ramp.opsPerSecond],
      ['bulk', 2, 1, bulk.opsPerSecond],
    ]);
    const folder = await experiment.resultsFolder();
    const report = await readFile(join(folder, 'report.md'), 'utf8');
    expect(report).toMatch(/\| *ramp *\|/);
    const lines = parseCsv(await readFile(join(folder, 'scenarios.csv'), 'utf8'));
    expect(lines.map(row => row.slice(-2))).toEqual([
      ['population', 'sharesThreads'],
      ['', ''],
      ['ramp', 'false'],
      ['bulk', 'false'],
    ]);
    // The log of a run in a pipe has a line for the measurement, with all of its loads.
    expect(stderr).toMatch(/ramp: .* ops\/s {2}p99 .* {2}bulk: .* failed/);
    const observer = await connectObserver(valkey.url);
    expect(await observer.dbsize()).toBe(0);
  });

  test('run as the example shows, alone and beside each', async () => {
    const out = await mkdtemp(join(tmpdir(), 'poolbench-example-'));
    onTestFinished(() => rm(out, { recursive: true, force: true }));
    // One of them is a closed loop, which would take all that the server can do.
    const url = await startSlowly(valkey.port);
    const flags = ['--rounds', '1', '--seconds', '0.4', '--warmup', '0', '--url', url, '--out', out];
    const { code, stderr } = await runPoolbench(['run', example, ...flags]);
    expect(code, stderr).toBe(0);
    const [run = ''] = await readdir(out);
    const { scenarios } = resultSchema.parse(
      JSON.parse(await readFile(join(out, run, 'result.json'), 'utf8')),
    );
    expect(scenarios.map(({ beside }) => beside)).toEqual([null, 'bulk', 'bulk-inside', 'slow', 'churn']);
    for (const { beside, rounds } of scenarios) {
      const loads = rounds.flatMap(round => [round, ...(round.populations ?? [])]);
      expect(loads).toHaveLength(beside === null ? 1 : 2);
      for (const { completed } of loads) expect(completed).toBeGreaterThan(0);
    }
  });
});
