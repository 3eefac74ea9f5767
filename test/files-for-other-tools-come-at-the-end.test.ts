import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

const forOtherTools = ['histograms', 'histograms.hlog', 'junit.xml', 'scenarios.csv', 'series.csv'];

test('while a run lasts there are none; an interrupted one has them all', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const thresholds = { opsPerSecond: '> 1' };
  const experiment = await createExperiment(server.url, { rounds: 1000, seconds: 0.1, thresholds });
  const running = experiment.start();
  await running.said('round 3/1000');
  const folder = await experiment.resultsFolder();
  const during = await readdir(folder);
  expect(during).toContain('result.json');
  expect(during.filter(name => forOtherTools.includes(name))).toEqual([]);
  running.kill('SIGINT');
  const { code, stderr } = await running.outcome;
  expect(code, stderr).toBe(130);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(forOtherTools));
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toMatch(
    /tests="1" failures="0" errors="1" .*<error type="not judged"/s,
  );
});
