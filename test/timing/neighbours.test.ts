import { expect, test } from 'vitest';
import { withoutControls } from '../../src/aggregate/stats/control.ts';
import { p99 } from '../../src/aggregate/stats/measures.ts';
import { pairByRound } from '../../src/aggregate/stats/rounds.ts';
import { median } from '../../src/aggregate/stats/statistics.ts';
import { createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { ofTest, startRedis } from '../support/servers.ts';

const loopScript = (turns: number) => `local n = 0 for i = 1, ${turns} do n = n + i end return n`;

/** The turns of a loop in a script that keeps the server busy for so long. */
async function turnsOf(url: string, ms: number): Promise<number> {
  const observer = await connectObserver(url);
  const turns = 40_000;
  const times: number[] = [];
  for (let call = 0; call < 50; call++) {
    const startMs = performance.now();
    await observer.eval(loopScript(turns), 0);
    times.push(performance.now() - startMs);
  }
  // The least disturbed one.
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
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const { scenarios } = await experiment.result();
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

  // 5 % of the operations are due while the server is blocked, one every ms, so the second of a hundred waits for all but 2 ms.
  const blockedMs = ofSlow.map(({ serverMicrosPerCall }) => (serverMicrosPerCall ?? 0) / 1000);
  for (const [index, { response }] of (slow ?? []).entries())
    expect(response.p99).toBeGreaterThan((blockedMs[index] ?? 0) - 2.1);
  expect(median(blockedMs)).toBeGreaterThan(3);
  // The least disturbed round of a busy machine.
  expect(Math.min(...(slow ?? []).map(({ response }) => response.p50))).toBeLessThan(median(blockedMs) / 2);

  // A busy machine can make a p99 a lower bound, of which the run itself keeps no ratio.
  const [base, ...others] = withoutControls({ scenarios });
  const [idle, raised] = others.map(other => base && pairByRound(base, other, p99).series.interval());
  expect(idle?.low).toBeLessThanOrEqual(1);
  expect(idle?.high).toBeGreaterThanOrEqual(1);
  expect(raised?.median).toBeGreaterThan(1);
});
