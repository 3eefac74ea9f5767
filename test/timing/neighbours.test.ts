import { expect, test } from 'vitest';
import type { MeasuredResult, RoundResult } from '../../src/aggregate/result.ts';
import { withoutControls } from '../../src/aggregate/stats/control.ts';
import { p99 } from '../../src/aggregate/stats/measures.ts';
import { pairByRound } from '../../src/aggregate/stats/rounds.ts';
import { median } from '../../src/aggregate/stats/statistics.ts';
import { createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { writeScript } from '../support/scripts.ts';
import { ofTest, startRedis } from '../support/servers.ts';
import { measureUndisturbed } from '../support/undisturbed.ts';

const loopScript = (turns: number) => `local n = 0 for i = 1, ${turns} do n = n + i end return n`;

/** The turns of a loop in a script that keeps the server busy for at least so long. */
async function turnsOf(url: string, ms: number): Promise<number> {
  const observer = await connectObserver(url);
  // Long enough that the round trip is little of it, and the least disturbed of some calls: no run is much faster.
  for (let turns = 40_000; ; turns *= 2) {
    const times: number[] = [];
    for (let call = 0; call < 10; call++) {
      const startMs = performance.now();
      await observer.eval(loopScript(turns), 0);
      times.push(performance.now() - startMs);
    }
    const least = Math.min(...times);
    if (least >= ms) return turns;
  }
}

/** A script whose sessions keep their thread busy for 5 ms. */
const computing = `export default async ({ client, key }) => {
  for (const end = performance.now() + 5; performance.now() < end; );
  await client.strlen(key());
};`;

/**
 * In half of the rounds without a population that delays the load, at least, it is delayed for far less than 5 ms. Of the load
 * alone and that beside an idle population together: if only the idle one delayed it, that would be judged.
 */
function isUndisturbed(scenarios: readonly MeasuredResult[]): boolean {
  const p99s = scenarios.slice(0, 2).flatMap(({ rounds }) => rounds.map(({ response }) => response.p99));
  return p99s.filter(ms => ms < 2.5).length >= p99s.length / 2;
}

test('5 ms of the server or of the same thread, 10 times a second, raise the p99 of a load but not its p50; other populations change neither', {
  timeout: 180_000,
}, async context => {
  const server = await ofTest(startRedis());
  const command = `EVAL "${loopScript(await turnsOf(server.url, 5))}" 1 {key}`;
  const constant = (rate: number) => ({ kind: 'constant', rate });
  // 10 a second on average, and none at the start of the window, when the pools are new.
  const arrival = {
    kind: 'constant',
    stages: [
      { seconds: 0.05, rate: 0 },
      { seconds: 0.05, rate: 20 },
    ],
  };
  const slow = { client: 'wire', workers: 1, workload: { keys: 10, commands: [{ command }] }, arrival };
  const script = await writeScript(computing);
  const compute = { client: 'ioredis', workers: 1, workload: { keys: 10, script }, arrival };
  const config = {
    scenarios: [{ client: 'wire', workers: 20, arrival: constant(1000) }],
    populations: [
      { name: 'idle', client: 'wire', workers: 1, arrival: constant(0.1), sharesThreads: true },
      { ...slow, name: 'slow' },
      { ...compute, name: 'inside', sharesThreads: true },
      { ...compute, name: 'outside' },
    ],
    // By chance all of 8 ratios are on one side of 1 in 1 of 128 runs.
    ...{ rounds: 8, seconds: 0.1 },
  };
  const measure = async () => {
    const experiment = await createExperiment(server.url, config);
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    return (await experiment.result()).scenarios;
  };
  const scenarios = await measureUndisturbed(context, measure, isUndisturbed);
  const id = 'wire-optimized-1pool-20workers-constant1000';
  expect(scenarios.map(scenario => scenario.id)).toEqual(
    ['alone', 'beside-idle', 'beside-slow', 'beside-inside', 'beside-outside'].map(label => `${id}-${label}`),
  );
  const [alone = [], , ofSlow = [], ofInside = [], ofOutside = []] = scenarios.map(({ rounds }) => rounds);
  expect(alone.every(({ populations, together }) => (populations ?? together) === undefined)).toBe(true);
  const besideOf = ({ populations = [] }: RoundResult) => populations[0] ?? expect.fail();

  // The integral of its rate is one operation a window, which the server has counted apart from GET and SET.
  for (const round of ofSlow)
    expect(besideOf(round)).toMatchObject({ name: 'slow', serverCalls: 1, openLoop: { offered: 1 } });
  for (const round of [...ofInside, ...ofOutside]) {
    const { openLoop, completed, script } = besideOf(round);
    expect([openLoop?.offered, completed, script?.counted]).toEqual([1, 1, { sent: 1, server: 1 }]);
  }
  for (const round of [...ofSlow, ...ofInside, ...ofOutside])
    expect([round.openLoop?.offered, round.serverCalls]).toEqual([100, round.completed]);

  // 5 % of the operations are due during that time, one every ms, so the second of a hundred waits for all but 2 ms.
  const serverMs = ofSlow.map(round => (besideOf(round).serverMicrosPerCall ?? 0) / 1000);
  const blocked = [
    { rounds: ofSlow, blockedMs: serverMs },
    { rounds: ofInside, blockedMs: ofInside.map(() => 5) },
  ];
  for (const { rounds, blockedMs } of blocked) {
    for (const [index, { response }] of rounds.entries())
      expect(response.p99).toBeGreaterThan((blockedMs[index] ?? 0) - 2.1);
    expect(median(blockedMs)).toBeGreaterThan(3);
    // The least disturbed round on a busy machine.
    expect(Math.min(...rounds.map(({ response }) => response.p50))).toBeLessThan(median(blockedMs) / 2);
  }
  const minP99 = (rounds: readonly RoundResult[]) => Math.min(...rounds.map(({ response }) => response.p99));
  expect(minP99(ofOutside)).toBeLessThan(minP99(ofInside));

  // Both are in one thread, whose CPU time cannot be split.
  const threadsOf = ({ cpu }: RoundResult) => cpu.threads.map(({ thread }) => thread);
  for (const round of ofInside) {
    expect(threadsOf(besideOf(round))).toEqual(threadsOf(round));
    for (const { cpu } of [round, besideOf(round)])
      expect([cpu.clientMicrosPerOp, cpu.threads[0]?.microsPerOp]).toEqual([null, null]);
  }
  for (const round of ofOutside) expect(threadsOf(besideOf(round))).not.toEqual(threadsOf(round));
  const inside = scenarios[3];
  expect(inside?.limitedBy.evidence).toContain('thread shared with inside ');
  expect(inside?.populations?.[0]).toMatchObject({ sharesThreads: true });
  expect(inside?.populations?.[0]?.limitedBy.evidence).toContain('thread shared with the scenario ');

  // On a busy machine, a p99 can be a lower bound, for which the run has no ratio.
  const [base, ...others] = withoutControls({ scenarios });
  const ratios = others.map(other => base && pairByRound(base, other, p99).series.interval());
  const [idle, ...raised] = ratios.slice(0, 3);
  expect(idle?.low).toBeLessThanOrEqual(1);
  expect(idle?.high).toBeGreaterThanOrEqual(1);
  for (const ratio of raised) expect(ratio?.median).toBeGreaterThan(1);
});
