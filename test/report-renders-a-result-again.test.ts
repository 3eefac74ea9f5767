import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis } from './support/servers.ts';

test('report prints what the run printed, from the folder and from the file, and renews report.md and report.html', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4, pools: [1, 2] }],
  });
  const run = await experiment.run();
  expect(run.code, run.stderr).toBe(0);
  const folder = await experiment.resultsFolder();
  const markdown = await readFile(join(folder, 'report.md'), 'utf8');
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  await rm(join(folder, 'report.md'));
  await rm(join(folder, 'report.html'));
  for (const path of [folder, join(folder, 'result.json')]) {
    expect(await runPoolbench(['report', path])).toEqual({
      code: 0,
      signal: null,
      stdout: run.stdout,
      stderr: '',
    });
    expect(await readFile(join(folder, 'report.md'), 'utf8')).toBe(markdown);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(page);
  }

  const other = join(experiment.folder, 'other.json');
  const result = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'));
  for (const [text, message] of [
    ['not JSON', /expected the result\.json of a run, or its folder, found: /],
    [
      '{"schemaVersion": 7}',
      /expected the result\.json of a run, or its folder, of schemaVersion 1, found at schemaVersion: /,
    ],
    [JSON.stringify({ ...result, claims: 'none' }), /found at claims: /],
  ] as const) {
    await writeFile(other, text);
    const outcome = await runPoolbench(['report', other]);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  }
  const missing = await runPoolbench(['report', join(experiment.folder, 'missing')]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/^poolbench: .*no such file/) });
});
