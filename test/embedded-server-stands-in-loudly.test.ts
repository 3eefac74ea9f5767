import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import { bareMachine } from './support/bare-machine.ts';
import { createExperiment } from './support/experiment.ts';
import { answers } from './support/observed-server.ts';

test('where no server can be had the run goes to the embedded one, and says so', async () => {
  const port = await freePort();
  const experiment = await createExperiment(`redis://localhost:${port}`, {
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4, pools: [1, 2], pipeline: [1, 10] }],
    rounds: 2,
    seconds: 0.1,
  });
  const env = await bareMachine(experiment.folder);
  // Not even --quiet makes a stand-in silent.
  const { code, stdout, stderr } = await experiment.run(['--quiet'], { env });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^STAND-IN: these are figures of embedded \S+, which stood in for redis\.\n/);
  expect(stdout.match(/STAND-IN/g)?.length).toBeGreaterThanOrEqual(1);
  expect(stdout).toMatch(/C1 not tested/);

  const result = await experiment.result();
  expect(result).toMatchObject({
    complete: true,
    target: { declared: { server: 'redis' }, detected: { server: 'embedded' }, standIn: true, local: true },
  });
  expect(result.target.foundBy).toBe(`embedded server, started on 127.0.0.1:${port}`);
  expect(result.claims[0]).toMatchObject({ id: 'C1', verdict: 'not tested', measured: null });
  const reasons = result.warnings.join('\n');
  expect(reasons).toMatch(/stand-in: embedded \S+ .*redis/);
  expect(reasons).toContain('redis: binary on PATH: no redis-server on PATH');
  expect(reasons).toMatch(/redis: Docker image: no Docker engine answers/);
  expect(reasons).toMatch(/redis: distribution package: .*no network/);

  expect(result.scenarios).toHaveLength(8);
  for (const round of result.scenarios.flatMap(scenario => scenario.rounds)) {
    expect(round.completed).toBeGreaterThan(0);
    expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, issued: round.completed });
    expect(round.service.count).toBe(round.completed);
    expect(round.serverCalls).toBe(round.completed);
  }
  expect(await answers(port)).toBe(false);
});

test('--no-stand-in makes it an error that names every step and what to install', async () => {
  const experiment = await createExperiment(`redis://localhost:${await freePort()}`);
  const env = await bareMachine(experiment.folder);
  const { code, stdout, stderr } = await experiment.run(['--no-stand-in', '--quiet'], { env });
  expect(code).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^poolbench: .*redis:/);
  for (const part of [
    'no redis-server on PATH',
    'no Docker engine answers',
    'no network',
    'apt install redis-server',
    'leave out --no-stand-in',
  ]) {
    expect(stderr).toContain(part);
  }
  expect(stderr).not.toMatch(/^\s+at |STAND-IN|embedded/m);
  expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
});
