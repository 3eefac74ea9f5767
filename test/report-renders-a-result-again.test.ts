import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { runPoolbench } from './support/poolbench.ts';
import { readFiles } from './support/read-files.ts';
import { startRedis } from './support/servers.ts';

test('report prints what the run printed, from the folder and from the file, and renews every other file', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4, pools: [1, 2] }],
    thresholds: { opsPerSecond: '> 1' },
  });
  const run = await experiment.run();
  expect(run.code, run.stderr).toBe(0);
  const folder = await experiment.resultsFolder();
  const files = await readFiles(folder);
  expect(Object.keys(files).length).toBeGreaterThan(5 + 2 * 4);
  for (const path of Object.keys(files)) if (!path.endsWith('result.json')) await rm(path);
  for (const path of [folder, join(folder, 'result.json')]) {
    expect(await runPoolbench(['report', path])).toEqual({
      code: 0,
      signal: null,
      stdout: run.stdout,
      stderr: '',
    });
    expect(await readFiles(folder)).toEqual(files);
  }

  const other = join(experiment.folder, 'other.json');
  const result = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'));
  for (const [text, message] of [
    ['not JSON', /result\.json/],
    ['{"schemaVersion": 7}', /schemaVersion 1.* schemaVersion: /],
    [JSON.stringify({ ...result, claims: 'none' }), / claims: /],
  ] as const) {
    await writeFile(other, text);
    const outcome = await runPoolbench(['report', other]);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  }
  const missing = await runPoolbench(['report', join(experiment.folder, 'missing')]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/^poolbench: .*no such file/) });
});
