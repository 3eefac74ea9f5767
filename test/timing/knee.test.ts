import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { searchSchema } from '../../src/aggregate/search/schema.ts';
import { createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { ofTest, startRedis } from '../support/servers.ts';

const workers = 12;
const seconds = 0.1;
/** The best guess lies in the middle, by ratio, of an interval as wide as that: within 5 % of its ends. */
const precision = 0.1;
/** Far from what a rate below the knee completes: a core that is away for half of a window makes no repeat fail. */
const completedShare = 0.5;
/** Operations of a repeat that reach the server. A limit by count holds however busy the machine is; one by time does not. */
const served = 73;

/** The highest rate of which half completes: the workers wait with one operation each, which completes behind the window. */
const knee = (served + workers) / completedShare / seconds;

/** How long after the end of a window a thread without a core still takes it to last. */
const leewayMs = 60;

/**
 * Lets GETs and SETs of the load through up to a number, and holds the others back until the window is over.
 *
 * @returns what begins anew
 */
function limitByCount(proxy: TestProxy): () => void {
  let passed = 0;
  let overMs = 0;
  const held: (() => void)[] = [];
  proxy.admission = (pass, [command, key]) => {
    const isOfLoad = /^[gs]et$/i.test(String(command)) && !/:claim$/.test(String(key));
    if (!isOfLoad) return pass();
    // The window begins with the load.
    if (++passed === 1) overMs = performance.now() + 1000 * seconds + leewayMs;
    if (passed <= served) return pass();
    held.push(pass);
    if (held.length > 1) return;
    setTimeout(
      () => {
        for (const pass of held.splice(0)) pass();
      },
      Math.max(leewayMs, overMs - performance.now()),
    );
  };
  return () => {
    passed = 0;
  };
}

test('a server that serves so many operations of a window: the knee is found within 5 % of what arithmetic gives', {
  timeout: 120_000,
}, async () => {
  const server = await ofTest(startRedis());
  const proxy = await startProxy(server.port);
  const experiment = await createExperiment(`redis://127.0.0.1:${proxy.port}`, {
    name: 'knee',
    scenarios: [{ client: 'wire', workers, arrival: { kind: 'constant', rate: 1000 } }],
    seconds,
    search: { completedShare, precision },
  });
  const out = join(experiment.folder, 'results');
  let beginAnew: (() => void) | undefined;
  const { code, stdout, stderr } = await runPoolbench(['search', experiment.configPath, '--out', out], {
    // A line for each repeat, when it is over. The first passes anyway, and the keys are written before it.
    onOutput(output) {
      if (beginAnew === undefined && /^step 1 .* repeat 1 /m.test(output)) beginAnew = limitByCount(proxy);
      beginAnew?.();
    },
  });
  expect(code, stderr).toBe(0);

  const folder = await experiment.resultsFolder();
  expect(folder).toMatch(/Z-knee-search$/);
  expect((await readdir(folder)).toSorted()).toEqual(['search.json', 'search.md', 'steps']);
  const search = searchSchema.parse(JSON.parse(await readFile(join(folder, 'search.json'), 'utf8')));
  expect(search).toMatchObject({
    complete: true,
    name: 'knee',
    precision,
    conditions: { responseP99Ms: null, completedShare, failedShare: 0.001 },
    config: { search: { completedShare, precision } },
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
      /: completed [\d.]+ %, at least 50 % (PASS|FAIL|UNCLEAR); failed [\d.]+ %, at most 0\.1 % PASS$/,
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
