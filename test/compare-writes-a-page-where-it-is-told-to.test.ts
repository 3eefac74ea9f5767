import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runPoolbench } from './support/poolbench.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

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
