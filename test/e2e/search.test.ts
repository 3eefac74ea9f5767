import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Search, searchSchema } from '../../src/aggregate/search/schema.ts';
import { createExperiment, type TestExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ofTest, shareServer, startRedis } from '../support/servers.ts';

/** Conditions that every rate meets: the search climbs until it is stopped, or the generator is at its end. */
const climbing = {
  // An open loop of such a rate keeps a core busy: the windows are as short as the number of operations in a repeat allows.
  scenarios: [{ client: 'wire', workers: 4, arrival: { kind: 'constant', rate: 1000 } }],
  seconds: 0.1,
  search: { completedShare: 0, failedShare: 1 },
};

async function readSearch(experiment: TestExperiment): Promise<Search> {
  const text = await readFile(join(await experiment.resultsFolder(), 'search.json'), 'utf8');
  return searchSchema.parse(JSON.parse(text));
}

test('an interrupted search ends with 130, without keys, and with the steps it had', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, climbing);
  const redis = await connectObserver(server.url);
  const running = experiment.start([], { command: 'search' });
  await running.said('step 2: 2,000/s PASS');
  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.outcome;
  expect(code, stderr).toBe(130);
  expect(stdout).toMatch(/^INCOMPLETE: /);
  expect(stdout).toMatch(/So far: [\d,]+\/s/);
  expect(stderr).not.toMatch(/^\s+at |defect/m);
  const { complete, knee, steps } = await readSearch(experiment);
  expect(complete).toBe(false);
  expect(knee).toMatchObject({ high: null, lowerBound: true });
  expect(knee.low).toBeGreaterThanOrEqual(2000);
  expect(steps.slice(0, 2)).toMatchObject([
    { step: 1, rate: 1000, verdict: 'pass', repeats: { length: 4 } },
    { step: 2, rate: 2000, verdict: 'pass', repeats: { length: 4 } },
  ]);
  for (const { repeats } of steps) for (const { offered } of repeats) expect(offered).toBeGreaterThan(0);
  expect(await redis.dbsize()).toBe(0);
});

test('a search that was stopped in its first step is not resumed as a run', async () => {
  const experiment = await createExperiment((await shareServer()).url, climbing);
  const running = experiment.start([], { command: 'search' });
  await running.said('step 1  1,000/s  repeat 1');
  running.kill('SIGINT');
  expect((await running.outcome).code).toBe(130);
  const steps = join(await experiment.resultsFolder(), 'steps');
  const before = await readFile(join(steps, 'result.json'), 'utf8');
  const { code, stderr } = await runPoolbench(['run', '--resume', steps]);
  expect(code, stderr).toBe(2);
  expect(stderr).toMatch(/only a result of the run command can be resumed/);
  expect(await readFile(join(steps, 'result.json'), 'utf8')).toBe(before);
});

test('a target that is lost ends it with 1; what was found is kept', async () => {
  const server = await ofTest(startRedis());
  // Longer than a busy machine leaves a server without a core.
  const experiment = await createExperiment(server.url, { ...climbing, timeoutMs: 2500 });
  const running = experiment.start([], { command: 'search' });
  await running.said('step 1: 1,000/s PASS');
  await server.stop();
  const { code, stdout, stderr } = await running.outcome;
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/\npoolbench: .*redis .* 5 s/);
  expect(stdout).toMatch(/^INCOMPLETE: /);
  expect((await readSearch(experiment)).steps[0]).toMatchObject({ rate: 1000, verdict: 'pass' });
});

test('with --json and --quiet search.json is all there is on standard output, and beside it where the results are', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    ...climbing,
    // No server answers so fast: it falls to the lowest rate that can be judged, 100 operations in 0.1 s.
    scenarios: [{ client: 'wire', workers: 4, arrival: { kind: 'poisson', rate: 2000 } }],
    search: { responseP99Ms: 0.001 },
  });
  const out = join(experiment.folder, 'results');
  const run = await runPoolbench(['search', experiment.configPath, '--json', '--quiet', '--out', out]);
  expect(run).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Written: \S+\/search\.json .*\n$/) });
  const search = searchSchema.parse(JSON.parse(run.stdout));
  expect(search.complete).toBe(true);
  expect(search.steps.map(({ rate, verdict }) => [rate, verdict])).toEqual([
    [2000, 'fail'],
    [1000, 'fail'],
    // The end of the range is tried twice.
    [1000, 'fail'],
  ]);
  expect(search.knee).toMatchObject({ rate: null, low: null, high: 1000, lowerBound: false });
  expect(search.knee.gist).toMatch('1,000/s');
  expect(await readSearch(experiment)).toEqual({ ...search, finishedAt: expect.any(String) });
});
