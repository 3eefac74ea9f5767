import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../../src/aggregate/result.ts';
import { trend } from '../../../src/main/cli/trend.ts';
import { rejection } from '../../support/connections.ts';
import { runPoolbench } from '../../support/poolbench.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

const build = (day: number, changes: Partial<Result> = {}) =>
  buildResult(
    [
      buildScenario(
        {},
        [1, 2].map(round => buildRound(round, 20_000 + day)),
      ),
    ],
    { claims: [], startedAt: `2026-11-0${day}T04:00:00.000Z`, ...changes },
  );

/** @param results by the path of their folder */
async function folderOf(results: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, result] of Object.entries(results)) {
    await mkdir(join(folder, path), { recursive: true });
    const text = typeof result === 'string' ? result : JSON.stringify(result);
    await writeFile(join(folder, path, 'result.json'), text);
  }
  return folder;
}

test('every result below the folder is read, and the page is written there, or elsewhere', async () => {
  const folder = await folderOf({
    one: build(1),
    'deep/er/two': build(2),
    other: build(3, { name: 'other' }),
    broken: '{"schemaVersion": 1}',
    undated: { ...build(4), startedAt: 'yesterday' },
  });
  await symlink(folder, join(folder, 'circle'));
  const { code, stdout, stderr } = await runPoolbench(['trend', folder]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^redis: 2 runs, 2026-11-01 04:00 UTC to 2026-11-02 04:00 UTC\n/);
  expect(stdout).toMatch(/\n {2}ops\/s +2 +20\.0k/);
  expect(stdout).toContain('other: config: other, not redis');
  expect(stdout).toMatch(/broken: expected the result\.json of a run/);
  expect(stdout).toMatch(/undated: expected [^\n]*(\n.*)?startedAt/);
  expect(stderr).toMatch(/^Written: .*trend\.html\n$/);
  const page = await readFile(join(folder, 'trend.html'), 'utf8');
  expect(page).toMatch(/^<!doctype html>/);
  expect((await runPoolbench(['trend', folder, 'other'])).stdout).toMatch(/^other: 1 run, /);
  expect(await runPoolbench(['trend', folder, 'othe'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/\(redis, other\), found othe \(did you mean other\?\)/),
  });
  expect((await runPoolbench(['trend', folder])).code).toBe(0);
  const out = join(folder, 'pages', 'new');
  expect((await runPoolbench(['trend', folder, '--out', out])).code).toBe(0);
  expect(await readFile(join(out, 'trend.html'), 'utf8')).toBe(page);
});

test('a folder without a finished run is refused by name', async () => {
  const folder = await folderOf({ early: build(1, { complete: false }), broken: 'x' });
  for (const [path, found] of [
    [folder, /found 1 of unfinished runs, and 1 that cannot be read/],
    [await folderOf({}), /found none/],
    [join(folder, 'missing'), /found no such folder$/],
    [join(folder, 'broken', 'result.json'), /found a file in place of a folder$/],
  ] as const) {
    const refused = await rejection(trend(path, {}));
    expect(refused).toMatchObject({ code: 'RESULT_INVALID', message: expect.stringMatching(found) });
    expect(refused.message).toContain(path);
  }
});
