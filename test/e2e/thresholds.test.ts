import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { createExperiment } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startSlowly } from '../support/proxy.ts';
import { ofTest, startRedis } from '../support/servers.ts';

test('the crossed one is listed first, with its value, also by report', async () => {
  const { port } = await ofTest(startRedis());
  const experiment = await createExperiment(await startSlowly(port), {
    // In a closed loop, what completes late on a busy machine is throughput, too.
    scenarios: [{ client: 'wire', workers: [4, 5] }],
    seconds: 0.3,
    thresholds: {
      // No server is so slow, and none so fast.
      ...{ opsPerSecond: '> 1', failedShare: '< 0.1%' },
      'wire-optimized-1pool-4workers: response.p50': '< 0.001us',
    },
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
    /^Thresholds crossed: 1 of 5 checks\.\ncrossed {2}response\.p50 < 0\.001us: ≥?[\d.]+ ms†? in\s+wire-optimized-1pool-4workers\nmet {6}opsPerSecond > 1: .* in 2 scenarios\nmet {6}failedShare < 0\.1%: 0 % in 2 scenarios\n/,
  );
  // Nothing is left to measure, so it ends as it did then.
  const again = await runPoolbench(['run', '--resume', folder]);
  expect(again).toMatchObject({ code: 99, stdout });
  expect(again.stderr).toMatch(/\npoolbench: Thresholds crossed: 1 of 5 checks\n$/);
});
