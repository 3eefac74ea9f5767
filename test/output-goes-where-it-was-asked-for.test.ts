import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

test('results go to standard output, the way there to standard error', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const plain = await createExperiment(server.url);
  const { code, stdout, stderr } = await plain.run();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^e2e against redis /);
  expect(stdout).not.toMatch(/Plan:|round 1\/1|Written:/);
  expect(stderr).toMatch(
    /^Target: redis .*Plan: e2e\n.*\nround 1\/1 +1\/1 .* wire-\S+\n.*Written: .*\/result\.json/s,
  );
  // Neither colour nor a live line where nobody looks.
  expect(stdout + stderr).not.toContain('\u001b');

  const json = await createExperiment(server.url);
  const asJson = await json.run(['--json', '--quiet']);
  expect(asJson).toMatchObject({ code: 0, stderr: '' });
  expect(asJson.stdout).toBe(await readFile(join(await json.resultsFolder(), 'result.json'), 'utf8'));
  expect((await json.result()).complete).toBe(true);
});
