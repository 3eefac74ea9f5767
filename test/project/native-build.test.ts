import { spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe.skipIf(process.platform !== 'linux')('the addon', () => {
  let folder: string;

  /** The sources of the addon, headers of Node that are empty, and a compiler that writes what it was called with. */
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-native-'));
    await cp(join(root, 'native'), join(folder, 'native'), { recursive: true });
    await mkdir(join(folder, 'include/node'), { recursive: true });
    await writeFile(join(folder, 'include/node/node_api.h'), '');
    const compiler = '#!/bin/sh\necho "$@" >> "$0.calls"\nfor last; do :; done\necho "$@" > "$last"\n';
    await writeFile(join(folder, 'compiler'), compiler, { mode: 0o755 });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const build = (args: readonly string[], compiler = join(folder, 'compiler')) =>
    spawnSync(process.execPath, ['native/build.mjs', ...args], {
      cwd: folder,
      env: { ...process.env, CC: compiler, npm_config_nodedir: folder },
      encoding: 'utf8',
    });
  const calls = async () =>
    (await readFile(join(folder, 'compiler.calls'), 'utf8')).trim().split('\n').length;
  const prebuilds = () => join(folder, 'prebuilds', `linux-${process.arch}`);

  test('is compiled once for each source, and again if that is asked; that of an earlier source does not stay', async () => {
    expect(build(['--try'])).toMatchObject({ status: 0, stderr: '' });
    const [first, ...others] = await readdir(prebuilds());
    expect(others).toEqual([]);
    build(['--try']);
    expect(await calls()).toBe(1);
    expect(build([])).toMatchObject({ status: 0, stderr: '' });
    expect(await calls()).toBe(2);

    await appendFile(join(folder, 'native/ring.c'), '\n');
    build(['--try']);
    expect(await calls()).toBe(3);
    expect(await readdir(prebuilds())).toEqual([expect.not.stringMatching(`^${first}$`)]);
  });

  test('is missing on a machine without a compiler: a line says so, and only who asked for it has an error', async () => {
    const missing = join(folder, 'no-compiler');
    const [tried, asked] = [build(['--try'], missing), build([], missing)];
    expect([tried.status, asked.status]).toEqual([0, 1]);
    for (const { stderr } of [tried, asked]) expect(stderr).toMatch(/^.* is not built: .*no-compiler.*\n$/);
    expect(await readdir(prebuilds())).toEqual([]);
  });
});
