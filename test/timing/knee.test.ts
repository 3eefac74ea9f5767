import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { searchSchema } from '../../src/aggregate/search/schema.ts';
import { createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startProxy } from '../support/proxy.ts';
import { startRedis } from '../support/servers.ts';

/** So low that the proxy's timers keep it exactly. */
const capacity = 2000;
const workers = 12;
const seconds = 0.2;
const warmupSeconds = 0.05;
/** The proxy makes up for what it was late with: only a core that is away for 20 ms as a window ends takes this much. */
const completedShare = 0.9;

/**
 * The highest rate of which 90 % completes: what is not sent by the end is unsent, but for what the workers hold then.
 * The warm-up's backlog comes first. 11 % above the capacity.
 */
const knee =
  (capacity * (seconds + warmupSeconds) + workers) /
  (seconds + warmupSeconds - (1 - completedShare) * seconds);

test('a server limited to 2000/s: the knee is found within 5 % of what arithmetic gives', {
  timeout: 120_000,
}, async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await startProxy(server.port);
  proxy.requestsPerSecond = capacity;
  const experiment = await createExperiment(`redis://127.0.0.1:${proxy.port}`, {
    name: 'knee',
    scenarios: [{ client: 'wire', workers, arrival: { kind: 'constant', rate: 1600 } }],
    seconds,
    warmupSeconds,
    search: { completedShare },
  });
  const out = join(experiment.folder, 'results');
  const { code, stdout, stderr } = await runPoolbench(['search', experiment.configPath, '--out', out]);
  expect(code, stderr).toBe(0);

  const folder = await experiment.resultsFolder();
  expect(folder).toMatch(/Z-knee-search$/);
  expect((await readdir(folder)).toSorted()).toEqual(['search.json', 'search.md', 'steps']);
  const search = searchSchema.parse(JSON.parse(await readFile(join(folder, 'search.json'), 'utf8')));
  expect(search).toMatchObject({
    complete: true,
    name: 'knee',
    precision: 0.05,
    conditions: { responseP99Ms: null, completedShare, failedShare: 0.001 },
    config: { search: { completedShare } },
  });
  const { low, high, rate, gist } = search.knee;
  expect(Math.abs((rate ?? 0) / knee - 1), stderr).toBeLessThanOrEqual(0.05);
  expect(stdout.replace(/\s+/g, ' ')).toMatch(gist);
  expect(await readFile(join(folder, 'search.md'), 'utf8')).toMatch('## Steps, by rate');

  // A line for each step, with its verdict on each condition.
  const lines = [
    ...stderr.matchAll(/^step (\d+): ([\d,.]+)\/s (PASS|FAIL|UNCLEAR) \((\d) of \d passed\): .*$/gm),
  ];
  const words = { pass: 'PASS', fail: 'FAIL', unclear: 'UNCLEAR', unfinished: '' };
  expect(lines.map(([, step, at, verdict]) => [Number(step), Number(at?.replace(',', '')), verdict])).toEqual(
    search.steps.map(({ step, rate, verdict }) => [step, rate, words[verdict]]),
  );
  for (const [line] of lines)
    expect(line).toMatch(
      /: completed [\d.]+ %, at least 90 % (PASS|FAIL|UNCLEAR); failed [\d.]+ %, at most 0\.1 % PASS$/,
    );
  expect(stderr).toMatch(/\n {2}duration: usually .* to .*, at most /);

  // Every repeat is a round of the steps' result, and keeps the books.
  const result = resultSchema.parse(JSON.parse(await readFile(join(folder, 'steps', 'result.json'), 'utf8')));
  const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
  const repeats = search.steps.flatMap(step => step.repeats);
  expect(rounds.map(({ round }) => round).toSorted((a, b) => a - b)).toEqual(
    repeats.map(({ round }) => round),
  );
  expect(result.thresholds).toEqual([]);
  for (const { offered, sent, completed, completedShare: share, passed } of repeats) {
    expect(completed).toBe(sent);
    expect(share).toBeCloseTo(completed / offered, 12);
    expect(passed).toBe(share >= completedShare);
  }
  // Both ends were clear twice.
  for (const end of [low, high]) expect(search.steps.filter(step => step.rate === end)).toHaveLength(2);
  expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
});
