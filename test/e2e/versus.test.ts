import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExperiment, type TestExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { type Outcome, runPoolbench } from '../support/poolbench.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { ofTest, shareServer, startValkey, type TestServer } from '../support/servers.ts';
import { parseComparison, readComparison, readSide } from '../support/session.ts';

const common = {
  scenarios: [{ client: 'wire', workers: [3, 4], ...unhurried }],
  rounds: 2,
  // Every round is to have its ratio, also on a busy machine.
  seconds: 0.2,
};

interface Duel {
  readonly redis: TestServer;
  readonly valkey: TestServer;
  readonly experiment: TestExperiment;
  readonly other: TestExperiment;
  versus(...args: string[]): Promise<Outcome>;
}

async function prepareDuel(
  changes: Readonly<Record<string, unknown>> = {},
  ofOther: Readonly<Record<string, unknown>> = {},
  starting = shareServer('valkey'),
): Promise<Duel> {
  const [redis, valkey] = await Promise.all([shareServer(), starting]);
  const experiment = await createExperiment(redis.url, { ...common, name: 'red', ...changes });
  const other = await createExperiment(valkey.url, {
    ...common,
    name: 'val',
    target: { server: 'valkey', url: valkey.url },
    ...changes,
    ...ofOther,
  });
  const out = ['--out', join(experiment.folder, 'results')];
  const versus = (...args: string[]) =>
    runPoolbench(['versus', experiment.configPath, other.configPath, ...out, ...args]);
  return { redis, valkey, experiment, other, versus };
}

test('Redis and Valkey are measured in turn, compared, and held to thresholds of their own; they keep none of our keys', async () => {
  const met = { failedShare: '< 0.1%' };
  // No server is so fast.
  const crossed = { 'wire-optimized-1pool-4workers-constant50: response.p50': '< 0.001us' };
  const { redis, valkey, experiment, versus } = await prepareDuel(
    { thresholds: met },
    { thresholds: { ...met, ...crossed } },
  );
  const { code, stdout, stderr } = await versus();
  expect(code, stderr).toBe(99);
  expect(stdout).toMatch(
    /^Thresholds crossed: 1 of 5 checks\.\ncrossed {2}response\.p50 .*\s+.* on\s+val\nmet {6}failedShare < 0\.1%: .* in 2 scenarios on 2 sides\n/,
  );

  // The plain progress lines tell the order: each scenario on both sides before the next.
  const turns = [...stderr.matchAll(/^round (\d)\/2 +\d\/4 .*? (red|val): (\S+)$/gm)].map(
    ([, ...parts]) => parts,
  );
  expect(turns).toHaveLength(8);
  for (let first = 0; first < turns.length; first += 2) {
    const [[roundA, sideA, idA] = [], [roundB, sideB, idB] = []] = turns.slice(first, first + 2);
    expect([roundA, idA]).toEqual([roundB, idB]);
    expect([sideA, sideB].toSorted()).toEqual(['red', 'val']);
  }

  const folder = await experiment.resultsFolder();
  expect(folder).toMatch(/\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-versus-red-val$/);
  expect((await readdir(folder)).toSorted()).toEqual([
    'comparison.html',
    'comparison.json',
    'comparison.md',
    'red',
    'val',
  ]);
  for (const side of ['red', 'val'])
    expect((await readdir(join(folder, side))).toSorted()).toEqual([
      'histograms',
      'histograms.hlog',
      'junit.xml',
      'report.html',
      'report.md',
      'result.json',
      'scenarios.csv',
      'series.csv',
      'server.csv',
    ]);

  const [red, val] = [await readSide(folder, 'red'), await readSide(folder, 'val')];
  expect(red).toMatchObject({ name: 'red', complete: true, target: { detected: { server: 'redis' } } });
  expect(val).toMatchObject({ name: 'val', complete: true, target: { detected: { server: 'valkey' } } });
  expect(red.session).toMatch(/\S/);
  expect(val.session).toBe(red.session);
  for (const { scenarios } of [red, val]) {
    expect(scenarios).toHaveLength(2);
    for (const { rounds } of scenarios) expect(rounds.map(({ round }) => round)).toEqual([1, 2]);
    const rounds = scenarios.flatMap(scenario => scenario.rounds);
    expect(rounds.some(({ completed }) => completed > 0)).toBe(true);
    for (const { completed, serverCalls } of rounds) {
      // Nothing of the other side's load reached this server.
      expect(serverCalls).toBe(completed);
    }
  }

  const comparison = await readComparison(folder);
  expect(comparison.sides).toMatchObject([
    { name: 'red', paired: null },
    { name: 'val', paired: true },
  ]);
  expect(comparison.scenarios).toHaveLength(2);
  for (const { sides } of comparison.scenarios) expect(sides[1]?.ratios).toMatchObject({ rounds: 2 });
  expect(comparison.thresholds.map(({ side, crossed }) => `${side} ${crossed}`)).toEqual([
    'red false',
    'red false',
    'val false',
    'val false',
    'val true',
  ]);
  expect([red, val].map(({ thresholds }) => thresholds.length)).toEqual([2, 3]);
  const states = new Map(comparison.checks.map(({ name, state }) => [name, state]));
  for (const name of [
    'measured in turn',
    'machine',
    'workload',
    'scenarios',
    'persistence off',
    'server threads',
  ])
    expect([name, states.get(name)]).toEqual([name, 'ok']);
  expect(stdout).toMatch(/^val against red\n/m);
  expect(stdout).toContain('Is it fair?');
  expect(await readFile(join(folder, 'comparison.md'), 'utf8')).toContain('# val against red');

  // The same from the files.
  const again = await runPoolbench(['compare', join(folder, 'red'), join(folder, 'val'), '--json']);
  expect(again.code, again.stderr).toBe(0);
  expect(parseComparison(again.stdout)).toEqual(comparison);

  for (const server of [redis, valkey]) expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
});

test('two sides on one server have keys of their own', async () => {
  const { experiment, redis } = await prepareDuel();
  const { configPath } = experiment;
  const out = join(experiment.folder, 'results');
  const { code, stdout, stderr } = await runPoolbench([
    ...['versus', configPath, configPath, configPath, '--out', out, '--rounds', '1', '--json'],
  ]);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toMatch(/warning: .*(poolbench:\d|other client)/);
  const folder = await experiment.resultsFolder();
  for (const name of ['red', 'red-2', 'red-3']) {
    const misses = (await readSide(folder, name)).scenarios.flatMap(({ rounds }) =>
      rounds.map(round => round.misses),
    );
    expect(misses).toEqual([0, 0]);
  }
  expect(parseComparison(stdout)).toEqual(await readComparison(folder));
  expect(await (await connectObserver(redis.url)).dbsize()).toBe(0);
});

test('a side that is lost ends the run on all, and what was measured is kept', async () => {
  const { valkey, experiment, other } = await prepareDuel(
    // Longer than a busy machine leaves a server without a core.
    { rounds: 100, timeoutMs: 2500 },
    {},
    ofTest(startValkey()),
  );
  const args = [
    'versus',
    experiment.configPath,
    other.configPath,
    '--out',
    join(experiment.folder, 'results'),
  ];
  let stopped = false;
  const outcome = await runPoolbench(args, {
    onOutput(output) {
      if (stopped || !output.includes('round 3/100')) return;
      stopped = true;
      void valkey.stop();
    },
  });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/^val: /m);
  expect(outcome.stderr).toMatch(/poolbench: .*valkey \(.* redis:\S+\)/);
  expect(outcome.stdout).toMatch('INCOMPLETE');
  const folder = await experiment.resultsFolder();
  for (const name of ['red', 'val']) {
    const { complete, scenarios } = await readSide(folder, name);
    expect(complete).toBe(false);
    for (const { rounds } of scenarios) expect(rounds.length).toBeGreaterThanOrEqual(2);
  }
  expect((await readComparison(folder)).complete).toBe(false);
});

test('an interrupt ends it with 130, the comparison of what was measured written', async () => {
  const { redis, experiment, other } = await prepareDuel({ rounds: 100 });
  const args = [
    'versus',
    experiment.configPath,
    other.configPath,
    '--out',
    join(experiment.folder, 'results'),
  ];
  let sent = false;
  const { code } = await runPoolbench(args, {
    onOutput(output, kill) {
      if (sent || !output.includes('round 2/100')) return;
      sent = true;
      kill('SIGINT');
    },
  });
  expect(code).toBe(130);
  const folder = await experiment.resultsFolder();
  expect(await readComparison(folder)).toMatchObject({ complete: false, scenarios: [{}, {}] });
  expect(await (await connectObserver(redis.url)).dbsize()).toBe(0);
});

test('an interrupt before the load leaves no folder', async () => {
  const { experiment, other } = await prepareDuel();
  const config = JSON.parse(await readFile(other.configPath, 'utf8'));
  // A target that takes its time: it accepts, and says nothing.
  const { port } = await startScriptedServer(() => {});
  const target = { server: 'valkey', url: `redis://127.0.0.1:${port}` };
  await writeFile(other.configPath, JSON.stringify({ ...config, target }));
  const out = join(experiment.folder, 'results');
  let sent = false;
  const { code } = await runPoolbench(['versus', experiment.configPath, other.configPath, '--out', out], {
    // What it waits for then would end in the process of the tests.
    ownProcess: true,
    onOutput(output, kill) {
      if (sent || !output.includes('red: Target:')) return;
      sent = true;
      kill('SIGINT');
    },
  });
  expect(code).toBe(130);
  expect(await readdir(out)).toEqual([]);
});

test.each([
  ['workloads', { workload: { keys: 201 } }, /keys 200 .*201 /],
  ['scenarios', { scenarios: [{ client: 'wire', workers: 5 }] }, /scenarios .* val/],
])('configs of different %s are refused before any load', async (_, changes, message) => {
  const { redis, experiment, other, versus } = await prepareDuel();
  const config = JSON.parse(await readFile(other.configPath, 'utf8'));
  await writeFile(other.configPath, JSON.stringify({ ...config, ...changes }));
  expect(await versus()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  expect(await readdir(experiment.folder)).toEqual(['config.json']);
  const observer = await connectObserver(redis.url);
  expect(await observer.info('commandstats')).not.toContain('cmdstat_set');
});
