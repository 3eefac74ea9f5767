import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { calm, createExperiment } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, startRedis } from '../support/servers.ts';
import { readComparison, readSide } from '../support/session.ts';

/** No server is so fast, and none so slow. */
const crossed = { 'wire-optimized-1pool-4workers-burst1000x40: response.p50': '< 0.001us' };
const common = { scenarios: [{ client: 'wire', workers: 4, ...calm }], seconds: 0.3 };
const met = { opsPerSecond: '> 1', failedShare: '< 0.1%' };

test('the crossed one is listed first, with its value, also by report', async () => {
  const server = await ofTest(startRedis());
  const experiment = await createExperiment(server.url, {
    ...common,
    scenarios: [{ client: 'wire', workers: [4, 5], ...calm }],
    thresholds: { ...met, ...crossed },
  });
  // With --json the result is all there is on standard output.
  const run = await experiment.run(['--json', '--quiet']);
  expect(run).toMatchObject({
    code: 99,
    stderr: expect.stringMatching(/^Written: .+\npoolbench: Thresholds crossed: 1 of 5 checks\n$/),
  });
  const result = await experiment.result();
  expect(resultSchema.parse(JSON.parse(run.stdout))).toEqual(result);
  const file = join(await experiment.resultsFolder(), 'result.json');
  expect(run.stdout).toBe(await readFile(file, 'utf8'));
  expect(result.complete).toBe(true);
  expect(result.thresholds.map(threshold => threshold.crossed)).toEqual([false, false, false, false, true]);
  const [fast] = result.scenarios;
  expect(result.thresholds.at(-1)).toMatchObject({
    scenario: fast?.id,
    value: fast?.summary?.responseP50?.median,
  });

  const folder = await experiment.resultsFolder();
  expect(await readFile(join(folder, 'report.md'), 'utf8')).toMatch('Thresholds crossed: 1 of 5 checks.');
  // It shows what was judged; it does not judge again.
  const { code, stdout } = await runPoolbench(['report', folder]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Thresholds crossed: 1 of 5 checks\.\ncrossed {2}response\.p50 < 0\.001us: ≥?[\d.]+ ms†? in\s+wire-optimized-1pool-4workers-burst1000x40\nmet {6}opsPerSecond > 1: .* in 2 scenarios\nmet {6}failedShare < 0\.1%: 0 % in 2 scenarios\n/,
  );
  // Nothing is left to measure, so it ends as it did then.
  const again = await runPoolbench(['run', '--resume', folder]);
  expect(again).toMatchObject({ code: 99, stdout });
  expect(again.stderr).toMatch(/\npoolbench: Thresholds crossed: 1 of 5 checks\n$/);
});

test('every side of a versus is held to its own', async () => {
  const servers = await Promise.all([ofTest(startRedis()), ofTest(startRedis())]);
  const [left, right] = await Promise.all(
    [met, { ...met, ...crossed }].map((thresholds, index) =>
      createExperiment(servers[index]?.url ?? '', {
        ...common,
        ...{ name: `side${index}`, thresholds },
      }),
    ),
  );
  if (left === undefined || right === undefined) throw new Error('two experiments');
  const out = join(left.folder, 'results');
  const run = await runPoolbench(['versus', left.configPath, right.configPath, '--out', out]);
  expect(run.code, run.stderr).toBe(99);
  expect(run.stdout).toMatch(
    /^Thresholds crossed: 1 of 5 checks\.\ncrossed {2}response\.p50 .*\s+.* on\s+side1\nmet {6}opsPerSecond > 1: .* in 1 scenario on 2 sides\n/,
  );
  const folder = await left.resultsFolder();
  const { thresholds } = await readComparison(folder);
  expect(thresholds.map(({ side, crossed }) => `${side} ${crossed}`)).toEqual([
    'side0 false',
    'side0 false',
    'side1 false',
    'side1 false',
    'side1 true',
  ]);
  expect((await readSide(folder, 'side0')).thresholds).toHaveLength(2);
});
