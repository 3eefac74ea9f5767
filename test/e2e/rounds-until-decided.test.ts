import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judgeControl } from '../../src/aggregate/stats/control.ts';
import { createExperiment, type TestExperiment } from '../support/experiment.ts';
import { startSlowly } from '../support/proxy.ts';
import { shareServer } from '../support/servers.ts';

/** Batches cost the same time whatever their size, so ten times the size is ten times the throughput. */
async function prepare(rounds: {
  readonly atLeast: number;
  readonly atMost: number;
}): Promise<TestExperiment> {
  const { port } = await shareServer();
  const scenarios = [{ client: 'wire', workers: [4], pipeline: [1, 10] }];
  return createExperiment(await startSlowly(port, 20), {
    ...{ scenarios, compare: ['pipeline'], rounds, seconds: 0.1 },
  });
}

test('a huge difference ends the run before the most rounds', async () => {
  const rounds = { atLeast: 6, atMost: 20 };
  const experiment = await prepare(rounds);
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const result = await experiment.result();
  expect(result).toMatchObject({ complete: true, ended: 'decided', config: { rounds } });
  for (const scenario of result.scenarios) {
    expect(scenario.plannedRounds).toEqual(rounds);
    expect(scenario.rounds.length).toBeGreaterThanOrEqual(6);
    expect(scenario.rounds.length).toBeLessThan(20);
  }
  expect(stderr).toMatch(/^Ended after \d+ of at most 20 rounds: /m);
});

test('--budget ends one that is open; one arm is measured twice in every round, and its ratio to itself is in the result', async () => {
  const experiment = await prepare({ atLeast: 10, atMost: 20 });
  const { code, stdout, stderr } = await experiment.run(['--budget', '1s']);
  expect(code, stderr).toBe(0);
  const { scenarios, config, control } = await experiment.result();
  expect(config.budgetSeconds).toBe(1);
  for (const { rounds, plannedRounds } of scenarios) {
    expect(plannedRounds).toEqual({ atLeast: 6, atMost: 6 });
    expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6]);
  }

  const controls = scenarios.filter(scenario => scenario.control === true);
  expect(controls).toHaveLength(1);
  const [{ id = '', rounds = [] } = {}] = controls;
  const twin = scenarios.find(scenario => `${scenario.id}-control` === id);
  // The same work, measured another time.
  const measured = { id: '', control: undefined, rounds: 0, summary: 0, limitedBy: 0 };
  expect({ ...controls[0], ...measured }).toEqual({ ...twin, ...measured });
  expect(rounds.map(({ startedAt }) => startedAt)).not.toEqual(
    twin?.rounds.map(({ startedAt }) => startedAt),
  );
  // On a busy machine a window can complete nothing, so that its round has no ratio.
  expect(control).toEqual(judgeControl(scenarios));
  expect(stdout.includes('Two identical arms: ×')).toBe(control !== undefined);
  const csv = await readFile(join(await experiment.resultsFolder(), 'scenarios.csv'), 'utf8');
  expect(csv.trim().split('\r\n')).toHaveLength(1 + 2);
});
