import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claims } from '../src/main/cli/claims.ts';
import { parseCommandLine } from '../src/main/cli/parse-command-line.ts';
import { rejection } from './support/connections.ts';
import { runPoolbench } from './support/poolbench.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  await writeFile(
    join(folder, 'threads.json'),
    JSON.stringify({
      name: 'threads',
      target: { server: 'redis', url: 'redis://127.0.0.1:1', threads: [1, 2] },
      scenarios: [{ workers: 4 }],
    }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each<[string, string[], RegExp]>([
  ['an unknown name', ['reddis'], /reddis.*\bredis\b.*dragonfly, redis, .*valkey\b/],
  ['several numbers of threads', ['threads.json'], /target\.threads.*1, 2/],
])('%s: one message, and 2', async (_, args, message) => {
  // From any folder: the package's own configs are found.
  const { code, stdout, stderr } = await runPoolbench(['claims', ...args], { cwd: folder });
  expect(code, stderr).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at |defect/m);
  expect(stdout).toBe('');
  expect(await readdir(folder)).toEqual(['threads.json']);
});

test.each<[string, string[], RegExp]>([
  ['no target', [], /claims TARGET/],
  ['two targets', ['redis', 'valkey'], /TARGET.*redis valkey/],
  ['a config that is not there', ['./nowhere.json'], /\.\/nowhere\.json/],
  ['a URL of something else', ['http://me:s3cret@h'], /target\.url.*redis:\/\//],
  ['--quick', ['redis', '--quick'], /--quick.*claims/],
  ['a setting out of range', ['redis', '--rounds', '0'], /--rounds.*from 1 to 1000/],
])('%s', async (_, args, message) => {
  const run = async () => {
    const line = parseCommandLine(['claims', ...args, '--out', folder]);
    if (line.command === 'claims') await claims(line.target, line.options);
  };
  const refused = await rejection(run());
  expect(refused).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  expect(refused.message).not.toContain('s3cret');
  expect(await readdir(folder)).toEqual(['threads.json']);
});

test('a target that is not there, and cannot be started', async () => {
  const { code, stderr } = await runPoolbench(['claims', 'rediss://127.0.0.1:1', '--seconds', '0.05'], {
    cwd: folder,
  });
  expect(code, stderr).toBe(3);
  expect(stderr).not.toMatch(/To go on|defect/);
  expect(await readdir(join(folder, 'results'))).toEqual([]);
});
