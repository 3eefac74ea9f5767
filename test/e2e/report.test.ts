import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { calm, createExperiment } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { readFiles } from '../support/read-files.ts';
import { buildResult, buildRound, buildScenario } from '../support/result-builder.ts';
import { startRedis } from '../support/servers.ts';

describe('report renders a result again', () => {
  test('report prints what the run printed, from the folder and from the file, and renews every other file', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const experiment = await createExperiment(server.url, {
      scenarios: [{ client: 'wire', workers: [4, 6], ...calm }],
      seconds: 0.3,
      // No server is so fast.
      thresholds: { 'response.p50': '> 0us' },
    });
    const run = await experiment.run();
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^Thresholds crossed: 0 of 2 checks\.\n/);
    const folder = await experiment.resultsFolder();
    const files = await readFiles(folder);
    expect(Object.keys(files).length).toBeGreaterThan(5 + 2 * 2);
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
      ['not JSON', /result\.json.* found at 1:1: not valid JSON: [^\n]*found a word without quotes\n$/],
      ['{"name": "a", "scenarios": [{}]}', /result\.json.* found a config; to run it: /],
      ['{ // of init\n "name": "a", "scenarios": [{}] }', /result\.json.* found a config; to run it: /],
      ['{ "schemaVersion": 1, }', /result\.json.* found JSON with comments or trailing commas/],
      ['{"a": 1}', /of schemaVersion 1, found no schemaVersion$/m],
      [JSON.stringify({ ...result, name: undefined }), /of schemaVersion 1, found no name$/m],
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
});

test('report and compare of a folder with results only below it list them, or the last ten of many', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const add = async (name: string) => {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, 'result.json'), '{}');
  };
  const listed = async (...args: string[]) => {
    const { code, stderr } = await runPoolbench(args);
    expect(code).toBe(2);
    return stderr.split('\n').slice(1, -1);
  };
  const none = await runPoolbench(['report', parent]);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/^poolbench: .*no such file\n$/) });
  await add('b it');
  await add('a');
  const [a, b] = ['a', 'b it'].map(name => relative('.', join(parent, name)));
  expect(await listed('compare', parent, parent)).toEqual([`  ${a}`, `  '${b}'`]);
  const words = await listed('report', parent);
  expect(words).toEqual([expect.stringContaining(` report ${a}`), expect.stringContaining(` report '${b}'`)]);
  await writeFile(join(parent, 'comparison.json'), '{}');
  expect((await listed('report', parent)).slice(2)).toEqual([
    expect.stringContaining(` compare ${a} '${b}'`),
  ]);
  await rm(join(parent, 'comparison.json'));
  for (let number = 10; number < 20; number++) await add(`run ${number}`);
  const last = await listed('report', parent);
  expect(last).toHaveLength(10);
  expect(last.at(-1)).toContain('run 19');
});

describe('compare writes a page where it is told to', () => {
  test('compare leaves its page, text and figures in a folder of their own with --out, and nothing without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const rounds = [1, 2, 3, 4, 5].map(round => buildRound(round, 20_000));
    const paths = await Promise.all(
      ['../redis', 'valkey'].map(async (name, index) => {
        const path = join(folder, `${index}.json`);
        await writeFile(path, JSON.stringify(buildResult([buildScenario({}, rounds)], { name, claims: [] })));
        return path;
      }),
    );
    const out = join(folder, 'out');
    const silent = await runPoolbench(['compare', ...paths]);
    expect(silent).toMatchObject({ code: 0, stderr: '' });
    expect((await readdir(folder)).toSorted()).toEqual(['0.json', '1.json']);

    const outcome = await runPoolbench(['compare', ...paths, '--out', out]);
    expect(outcome).toMatchObject({ code: 0, stdout: silent.stdout });
    const [made = '', ...others] = await readdir(out);
    expect(others).toEqual([]);
    // The names are of results from elsewhere: none leads out of the folder.
    expect(made).toMatch(/^[\dTZ-]+-compare-\.\._redis-valkey$/);
    expect((await readdir(join(out, made))).toSorted()).toEqual([
      'comparison.html',
      'comparison.json',
      'comparison.md',
    ]);
    expect(await readFile(join(out, made, 'comparison.html'), 'utf8')).toContain(
      '<h1>valkey against ../redis</h1>',
    );
    expect(outcome.stderr).toContain('comparison.json, .md and .html');
  });
});
