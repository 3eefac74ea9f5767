import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judgeControl } from '../../src/aggregate/stats/control.ts';
import { createExperiment } from '../support/experiment.ts';
import { ofTest, startRedis } from '../support/servers.ts';

test('one arm is measured twice in every round, and its ratio to itself stands in the result', async () => {
  const { url } = await ofTest(startRedis());
  const experiment = await createExperiment(url, {
    scenarios: [{ client: 'wire', workers: 4, pools: [1, 2], poolsPerThread: 2 }],
    rounds: 6,
    seconds: 0.05,
  });
  const { code, stderr, stdout } = await experiment.run(['--force']);
  expect(code, stderr).toBe(0);
  const { scenarios, control } = await experiment.result();
  const controls = scenarios.filter(scenario => scenario.control === true);
  expect(controls).toHaveLength(1);
  const [{ id = '', rounds = [] } = {}] = controls;
  const twin = scenarios.find(scenario => `${scenario.id}-control` === id);
  expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6]);
  // The same work, measured another time.
  expect({ ...controls[0], id: '', control: undefined, rounds: 0, summary: 0, limitedBy: 0 }).toEqual({
    ...twin,
    id: '',
    rounds: 0,
    summary: 0,
    limitedBy: 0,
  });
  expect(rounds.map(({ startedAt }) => startedAt)).not.toEqual(
    twin?.rounds.map(({ startedAt }) => startedAt),
  );
  // On a busy machine a window can complete nothing, so that its round has no ratio.
  expect(control).toEqual(judgeControl(scenarios));
  expect(stdout.includes('Two identical arms: ×')).toBe(control !== undefined);
  const csv = await readFile(join(await experiment.resultsFolder(), 'scenarios.csv'), 'utf8');
  expect(csv.trim().split('\r\n')).toHaveLength(1 + 2);
});
