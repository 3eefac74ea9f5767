import { expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { startProxy } from '../support/proxy.ts';
import { ofTest, startRedis } from '../support/servers.ts';

test('a huge difference ends the run long before the most rounds, and --budget ends one that is open', async () => {
  const proxy = await startProxy((await ofTest(startRedis())).port);
  // Batches cost the same time whatever their size, so ten times the size is ten times the throughput.
  proxy.delayMs = 5;
  const url = `redis://127.0.0.1:${proxy.port}`;
  const scenarios = [{ client: 'wire', workers: [4], pipeline: [1, 10] }];
  const rounds = { atLeast: 6, atMost: 50 };
  const config = { scenarios, compare: ['pipeline'], rounds, seconds: 0.1 };
  const huge = await createExperiment(url, config);
  const decided = await huge.run();
  expect(decided.code, decided.stderr).toBe(0);
  const result = await huge.result();
  expect(result).toMatchObject({ complete: true, ended: 'decided', config: { rounds } });
  for (const scenario of result.scenarios) {
    expect(scenario.plannedRounds).toEqual(rounds);
    expect(scenario.rounds.length).toBeGreaterThanOrEqual(6);
    expect(scenario.rounds.length).toBeLessThan(40);
  }
  expect(decided.stderr).toMatch(/^Ended after \d+ of at most 50 rounds: /m);

  const short = await createExperiment(url, { ...config, rounds: { atLeast: 10, atMost: 50 } });
  const spent = await short.run(['--budget', '1s']);
  expect(spent.code, spent.stderr).toBe(0);
  const { scenarios: arms, config: kept } = await short.result();
  expect(kept.budgetSeconds).toBe(1);
  for (const { rounds, plannedRounds } of arms) {
    expect(plannedRounds).toEqual({ atLeast: 6, atMost: 6 });
    expect(rounds).toHaveLength(6);
  }
});
