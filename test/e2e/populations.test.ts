import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { median } from '../../src/aggregate/stats/statistics.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, startRedis, startValkey, type TestServer } from '../support/servers.ts';

const example = fileURLToPath(new URL('../../configs/examples/neighbours.json', import.meta.url));

const loopScript = (turns: number) => `local n = 0 for i = 1, ${turns} do n = n + i end return n`;

/** The turns of a loop in a script that keeps the server busy for so long. */
async function turnsOf(url: string, ms: number): Promise<number> {
  const observer = await connectObserver(url);
  const turns = 200_000;
  const times: number[] = [];
  for (let call = 0; call < 5; call++) {
    const startMs = performance.now();
    await observer.eval(loopScript(turns), 0);
    times.push(performance.now() - startMs);
  }
  // The fastest is the least disturbed one.
  return Math.ceil((turns * ms) / Math.min(...times));
}

test('a script of 5 ms, 10 times a second, moves the p99 of a neighbour and not its p50; an idle one moves nothing', async () => {
  const server = await ofTest(startRedis());
  const command = `EVAL "${loopScript(await turnsOf(server.url, 5))}" 1 {key}`;
  const constant = (rate: number) => ({ kind: 'constant', rate });
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 20, arrival: constant(1000) }],
    populations: [
      { name: 'idle', client: 'wire', workers: 1, arrival: constant(0.1) },
      {
        ...{ name: 'slow', client: 'wire', workers: 1, workload: { keys: 10, commands: [{ command }] } },
        // 10 a second on average, and none while the pools of the window are new.
        arrival: {
          kind: 'constant',
          stages: [
            { seconds: 0.05, rate: 0 },
            { seconds: 0.05, rate: 20 },
          ],
        },
      },
    ],
    // By chance all of 8 ratios are on one side of 1 in 1 of 128 runs.
    ...{ rounds: 8, seconds: 0.1 },
  });
  const { code, stderr, stdout } = await experiment.run();
  expect(code, stderr).toBe(0);
  const { scenarios, comparisons } = await experiment.result();
  const id = 'wire-optimized-1pool-20workers-constant1000';
  expect(scenarios.map(scenario => scenario.id)).toEqual(
    ['alone', 'beside-idle', 'beside-slow'].map(label => `${id}-${label}`),
  );
  const [alone, , slow] = scenarios.map(({ rounds }) => rounds);
  expect(alone?.every(({ populations, together }) => (populations ?? together) === undefined)).toBe(true);

  // The integral of its rate is one operation a window, which the server has counted apart from GET and SET.
  const ofSlow = slow?.map(({ populations = [] }) => populations[0] ?? expect.fail()) ?? [];
  expect(ofSlow.map(({ name, openLoop, serverCalls }) => [name, openLoop?.offered, serverCalls])).toEqual(
    new Array(8).fill(['slow', 1, 1]),
  );
  for (const round of slow ?? []) expect(round.serverCalls).toBe(round.completed);

  // 5 % of the operations are due while the server is blocked: 1 % wait for at least 4 of 5 ms. A busy machine adds to it.
  const blockedMs = median(ofSlow.flatMap(({ serverMicrosPerCall }) => serverMicrosPerCall ?? [])) / 1000;
  const medianOf = (figure: 'p50' | 'p99') => median((slow ?? []).map(({ response }) => response[figure]));
  expect(blockedMs).toBeGreaterThan(3);
  expect(medianOf('p99')).toBeGreaterThan(blockedMs - 2);
  expect(medianOf('p50')).toBeLessThan(blockedMs / 2);

  const ofP99 = comparisons.filter(({ measure }) => measure === 'response p99');
  const ratioOf = (label: string) => ofP99.find(({ other }) => other === `${id}-beside-${label}`)?.ratio;
  expect(ratioOf('idle')?.low).toBeLessThanOrEqual(1);
  expect(ratioOf('idle')?.high).toBeGreaterThanOrEqual(1);
  expect(ratioOf('slow')?.median).toBeGreaterThan(1);
  expect(stdout).toMatch(/beside slow to alone: response p99 ×/);
});

describe('several populations at once', () => {
  let valkey: TestServer;

  beforeAll(async () => {
    valkey = await startValkey();
  });

  afterAll(async () => {
    await valkey?.stop();
  });

  test('have books of their own that balance with the server, and leave no keys', async () => {
    const stages = [
      { seconds: 0.1, rate: 400, rampTo: 1600 },
      { seconds: 0.1, rate: 200 },
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
          ...{ name: 'ramp', workers: 12, pools: 3, poolsPerThread: 2 },
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
    expect(config.seconds).toBe(0.2);
    const [scenario] = scenarios;
    const [round = expect.fail()] = scenario?.rounds ?? [];
    const [ramp = expect.fail(), bulk = expect.fail()] = round.populations ?? [];
    expect([ramp.name, bulk.name]).toEqual(['ramp', 'bulk']);

    // 100 and 20 by the integral, split over the pools.
    expect(ramp.openLoop?.stages?.map(({ offered }) => offered)).toEqual([100, 20]);
    expect(ramp).toMatchObject({ failed: {}, unfinished: 0, serverCalls: ramp.completed });
    expect(ramp.commands.map(({ name }) => name)).toEqual(['LPUSH', 'LPOP']);
    expect(ramp.cpu.threads).toHaveLength(2);
    expect(round.cpu.threads).toHaveLength(1);
    expect(
      new Set([round, ramp, bulk].flatMap(({ cpu }) => cpu.threads.map(({ thread }) => thread))).size,
    ).toBe(4);

    // Both send GET and SET, so that only their sum is known.
    expect(bulk.cuts).toBeGreaterThan(0);
    expect([round.cuts, round.serverCalls, bulk.serverCalls]).toEqual([0, null, null]);
    const { issued = 0, completed = 0, serverCalls = null } = round.together ?? {};
    expect(completed).toBe(round.completed + ramp.completed + bulk.completed);
    expect(serverCalls).toBeGreaterThanOrEqual(completed);
    expect(serverCalls).toBeLessThanOrEqual(issued);

    expect(scenario?.populations?.map(({ name, summary }) => [name, summary?.opsPerSecond.median])).toEqual([
      ['ramp', ramp.opsPerSecond],
      ['bulk', bulk.opsPerSecond],
    ]);
    const report = await readFile(join(await experiment.resultsFolder(), 'report.md'), 'utf8');
    expect(report).toMatch(/\| *ramp *\|/);
    const observer = await connectObserver(valkey.url);
    expect(await observer.dbsize()).toBe(0);
  });

  test('run as the example shows, alone and beside each', async () => {
    const out = await mkdtemp(join(tmpdir(), 'poolbench-example-'));
    onTestFinished(() => rm(out, { recursive: true, force: true }));
    const flags = ['--rounds', '1', '--seconds', '0.2', '--warmup', '0', '--url', valkey.url, '--out', out];
    const { code, stderr } = await runPoolbench(['run', example, ...flags]);
    expect(code, stderr).toBe(0);
    const [run = ''] = await readdir(out);
    const { scenarios } = resultSchema.parse(
      JSON.parse(await readFile(join(out, run, 'result.json'), 'utf8')),
    );
    expect(scenarios.map(({ beside }) => beside)).toEqual([null, 'bulk', 'slow', 'churn']);
    for (const { beside, rounds } of scenarios) {
      const loads = rounds.flatMap(round => [round, ...(round.populations ?? [])]);
      expect(loads).toHaveLength(beside === null ? 1 : 2);
      for (const { completed } of loads) expect(completed).toBeGreaterThan(0);
    }
  });
});
