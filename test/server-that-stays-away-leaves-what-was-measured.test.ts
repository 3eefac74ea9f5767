import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { connectObserver, loadBegun } from './support/observed-server.ts';
import { startRedis } from './support/servers.ts';

test('a server that dies for good ends the run with 1; what was measured is kept', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4 }],
    rounds: 20,
    seconds: 0.4,
    // A target that is silent for twice as long is lost.
    timeoutMs: 500,
  });
  const running = experiment.start();
  await running.said('round 2/20');
  await server.stop();
  const outcome = await running.outcome;
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/waiting up to 1 s/);
  expect(outcome.stderr).toMatch(
    /\npoolbench: .*redis \(running at redis:\S+\).* 1 s \(twice timeoutMs\).*\n$/,
  );
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  expect(outcome.stdout).toMatch('INCOMPLETE: ');
  expect(outcome.stdout).toMatch(/poolbench:1:/);

  const result = await experiment.result();
  expect(result.complete).toBe(false);
  const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
  // Two of the first round, one of the second.
  expect(rounds.filter(round => round.completed > 0).length).toBeGreaterThanOrEqual(3);
  expect(rounds.length).toBeLessThan(40);
  for (const { issued, completed, failed, unfinished } of rounds) {
    expect(issued).toBe(
      completed + Object.values(failed).reduce((sum, count) => sum + count, 0) + unfinished,
    );
  }
});

test('a server that dies in the only measurement does not hold it up to its end', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, { seconds: 600, timeoutMs: 500 });
  const running = experiment.start();
  await loadBegun(await connectObserver(server.url));
  await sleep(1000);
  await server.stop();
  const outcome = await running.outcome;
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/silent for 1 s/);
  expect((await experiment.result()).complete).toBe(false);
});
