import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { runPoolbench } from './support/poolbench.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';
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

test('a result of nothing but failures, or of no round, has tables and no distribution', async () => {
  const experiment = await createExperiment('redis://127.0.0.1:1');
  const failed = buildScenario({ id: 'failed' }, [buildRound(1, 0, { issued: 10, failed: { OOM: 10 } })]);
  const file = join(experiment.folder, 'result.json');
  await writeFile(file, JSON.stringify(buildResult([failed, buildScenario({ id: 'none' }, [])])));
  const outcome = await runPoolbench(['report', file]);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const found = await readdir(experiment.folder);
  expect(found).toEqual(expect.arrayContaining(['scenarios.csv', 'series.csv', 'histograms.hlog']));
  expect(found).not.toContain('histograms');
});

test('ids from anywhere name files in the folder, and no two the same', async () => {
  const experiment = await createExperiment('redis://127.0.0.1:1');
  const rounds = [buildRound(1, 1000)];
  const ids = ['../../x', '..\\..\\x', '/x\u0000y,z', '', 'A', 'a'];
  const file = join(experiment.folder, 'result.json');
  await writeFile(file, JSON.stringify(buildResult(ids.map(id => buildScenario({ id }, rounds)))));
  expect(await runPoolbench(['report', file])).toMatchObject({ code: 0, stderr: '' });
  const names = await readdir(join(experiment.folder, 'histograms'));
  expect(names).toHaveLength(2 * ids.length);
  expect(new Set(names.map(name => name.toLowerCase())).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[\w.+-]+\.(response|service)\.hgrm$/);
});

test('what is no histogram is refused with one message', async () => {
  const experiment = await createExperiment('redis://127.0.0.1:1');
  const histograms = { service: 'bm8=', response: 'HISTFAAAAwJ4nDVT' };
  const scenario = buildScenario({}, [buildRound(1, 1000, { histograms })]);
  const file = join(experiment.folder, 'result.json');
  await writeFile(file, JSON.stringify(buildResult([scenario])));
  for (const args of [[], ['--as', 'memtier']]) {
    const { code, stderr } = await runPoolbench(['report', file, ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^poolbench: \S+result\.json: expected HDR histograms, .* found .*\n$/);
  }
});

test('--as takes memtier, and one scenario', async () => {
  const experiment = await createExperiment('redis://127.0.0.1:1');
  const scenarios = ['wire-a', 'wire-b'].map(id => buildScenario({ id }, [buildRound(1, 1000)]));
  const file = join(experiment.folder, 'result.json');
  await writeFile(file, JSON.stringify(buildResult(scenarios)));
  for (const [args, message] of [
    [['--as', 'wrk'], 'expected --as memtier, found --as wrk'],
    [['--scenario', 'wire-a'], 'expected --scenario with --as memtier only'],
    [['--as', 'memtier'], 'expected --scenario with one of:\n  wire-a\n  wire-b'],
    [['--as', 'memtier', '--scenario', 'wirea'], 'found wirea; did you mean wire-a?'],
  ] as const) {
    const { code, stdout, stderr } = await runPoolbench(['report', file, ...args]);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  }
  const { code, stdout } = await runPoolbench(['report', file, '--as', 'memtier', '--scenario', 'wire-b']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    'ALL STATS': {
      Totals: { Count: 1000, 'Ops/sec': 1000, Latency: null },
      Gets: { Count: null },
      Sets: { Count: null },
    },
    poolbench: { scenario: 'wire-b' },
  });
  expect((await readdir(experiment.folder)).toSorted()).toEqual(['config.json', 'result.json']);
});
