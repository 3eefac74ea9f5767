import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { freePort } from '../src/main/server/server-process.ts';
import { rejection } from './support/connections.ts';
import { createExperiment } from './support/experiment.ts';
import { answers } from './support/observed-server.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis } from './support/servers.ts';
import { readComparison, readSide } from './support/session.ts';

async function createSwept(threads: unknown, server = 'redis') {
  const port = await freePort();
  const url = `redis://localhost:${port}/0`;
  const target = { server, url, threads };
  return {
    port,
    experiment: await createExperiment(url, { name: 'swept', target, seconds: 0.05, rounds: 2 }),
  };
}

test('several numbers of server threads are as many servers, compared with one another', async () => {
  const { port, experiment } = await createSwept([1, 2]);
  const { code, stdout, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const folder = await experiment.resultsFolder();
  expect((await readdir(folder)).toSorted()).toEqual([
    'comparison.html',
    'comparison.json',
    'comparison.md',
    'swept-1thread',
    'swept-2threads',
  ]);
  const sides = [await readSide(folder, 'swept-1thread'), await readSide(folder, 'swept-2threads')];
  expect(sides.map(({ target }) => target.detected.threads)).toEqual([1, 2]);
  expect(sides.map(({ config }) => config.target)).toMatchObject([{ threads: [1] }, { threads: [2] }]);
  for (const { warnings } of sides) expect(warnings.join('\n')).not.toMatch('server threads');
  const ports = sides.map(({ target }) => Number(/started on 127\.0\.0\.1:(\d+)$/.exec(target.foundBy)?.[1]));
  expect(new Set([...ports, port]).size).toBe(3);
  for (const used of ports) expect(await answers(used)).toBe(false);

  const comparison = await readComparison(folder);
  expect(comparison.checks.find(({ name }) => name === 'server threads')).toEqual({
    name: 'server threads',
    state: 'ok',
    values: ['1', '2'],
    note: 'as target.threads asked for',
  });
  expect(stdout).toContain('swept-2threads against swept-1thread');
});

test('one number of server threads is a run like any other', async () => {
  const { port, experiment } = await createSwept(2, 'valkey');
  const { code, stdout, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/swept against valkey \S+, 2 threads/);
  const result = await experiment.result();
  expect(result.session).toBeUndefined();
  expect(result.target.detected.threads).toBe(2);
  expect(result.target.foundBy).toContain(`started on 127.0.0.1:${port}`);
});

test('check starts each of them and says what the sweep takes', async () => {
  const { experiment } = await createSwept([1, 2]);
  const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--seconds', '1']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/Target: redis \S+, 1 thread \([\s\S]*Target: redis \S+, 2 threads \(/);
  expect(stdout).toMatch(/Sides: swept-1thread and swept-2threads, [\s\S]* about\s+5 s in all/);
});

test.each([[1], [[1, 2]]])('a server that runs already cannot be given %j threads', async threads => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const target = { server: 'redis', url: server.url, threads };
  const experiment = await createExperiment(server.url, { target });
  for (const args of [
    ['run', experiment.configPath, '--out', join(experiment.folder, 'results')],
    ['check', experiment.configPath],
    ['versus', experiment.configPath, experiment.configPath, '--out', join(experiment.folder, 'results')],
  ]) {
    const { code, stderr } = await runPoolbench(args);
    expect(code).toBe(3);
    expect(stderr).toMatch(/poolbench: .* running at redis:\S+.*target\.threads\n$/);
  }
  expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
});

test.each([[0], [129], [1.5], ['2'], [[1, 0]]])('%j is no number of server threads', async threads => {
  const { experiment } = await createSwept(threads);
  expect(await rejection(readConfig(experiment.configPath))).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/target\.threads(\[1\])?: expected a whole number from 1 to 128, found /),
  });
});
