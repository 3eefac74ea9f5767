import { expect, test } from 'vitest';
import { calm, createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { shareServer } from '../support/servers.ts';

test('a database that is flushed in a round is seen, restored before the next one, and told with figures', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    workload: { keys: 200, readShare: 1 },
    scenarios: [{ client: 'wire', workers: 4, ...calm }],
    rounds: 3,
    seconds: 0.5,
  });
  const observer = await connectObserver(server.url);
  const run = experiment.start(['--force']);
  await run.said('round 1/3');
  await observer.flushall();
  const { code, stdout } = await run.outcome;
  expect(code).toBe(0);

  const { scenarios, warnings } = await experiment.result();
  const [first, second, third] = scenarios[0]?.rounds ?? [];
  expect([first?.dataSet?.state, first?.misses]).toEqual(['asPlanned', 0]);
  expect(third?.misses).toBe(0);
  // A busy machine may flush between two rounds, and then the next one finds it.
  const restored = second?.dataSet?.state === 'restored' ? second : third;
  expect(restored?.dataSet).toEqual({ state: 'restored', sampled: 100, missing: 100 });
  expect(restored?.reads).toMatchObject({ found: restored?.completed, expectedHitRatio: 1 });
  expect(warnings.join('\n')).toMatch(/100 of 100/);
  if (restored === third) {
    expect(second?.misses).toBeGreaterThan(0);
    expect(stdout).toMatch(/misses/);
    expect(stdout).toMatch(/round 2:/);
  }
});

test('a mix that deletes keys begins every round with the same data, and its reads are told', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    workload: { keys: 100, commands: [{ command: 'GET {key}', weight: 9 }, { command: 'DEL {key}' }] },
    scenarios: [{ client: 'wire', workers: 4, ...calm }],
    rounds: 3,
    seconds: 0.3,
  });
  const { code } = await experiment.run(['--force']);
  expect(code).toBe(0);
  const { scenarios } = await experiment.result();
  for (const { dataSet, reads } of scenarios[0]?.rounds ?? []) {
    expect(dataSet).toMatchObject({ state: 'rewritten', sampled: 100 });
    // About 270 reads while 26 of 100 keys go; without the restoring, the third round would find about half.
    expect((reads?.found ?? 0) / (reads?.count ?? 1)).toBeGreaterThan(0.75);
    expect(reads?.expectedHitRatio).toBeNull();
  }
});
