import { expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { ofTest, startRedis } from '../support/servers.ts';

test('a huge difference ends the run long before the most rounds, and --budget ends one that is open', async () => {
  const server = await ofTest(startRedis());
  const scenarios = [{ client: 'wire', workers: [4], pipeline: [1, 100] }];
  const rounds = { atLeast: 10, atMost: 50 };
  const huge = await createExperiment(server.url, { scenarios, compare: ['pipeline'], rounds, seconds: 0.1 });
  const decided = await huge.run();
  expect(decided.code, decided.stderr).toBe(0);
  const result = await huge.result();
  expect(result).toMatchObject({ complete: true, ended: 'decided', config: { rounds } });
  for (const scenario of result.scenarios) {
    expect(scenario.plannedRounds).toEqual(rounds);
    expect(scenario.rounds.length).toBeGreaterThanOrEqual(10);
    expect(scenario.rounds.length).toBeLessThan(50);
  }
  expect(decided.stderr).toMatch(/^Ended after \d+ of at most 50 rounds: /m);

  const short = await createExperiment(server.url, {
    scenarios,
    compare: ['pipeline'],
    rounds,
    seconds: 0.05,
  });
  const spent = await short.run(['--budget', '1s']);
  expect(spent.code, spent.stderr).toBe(0);
  const { scenarios: arms, config } = await short.result();
  expect(config.budgetSeconds).toBe(1);
  for (const { rounds, plannedRounds } of arms) {
    expect(plannedRounds).toEqual({ atLeast: 6, atMost: 6 });
    expect(rounds).toHaveLength(6);
  }
});
