import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const language = [
  ...['Array<T>', 'Boolean', 'CallableFunction', 'Function', 'IArguments'],
  ...['NewableFunction', 'Number', 'Object', 'RegExp', 'String'],
]
  .map(name => `interface ${name} {}\n`)
  .join('');

let folder: string;

/** A project of two files, that is built as poolbench is. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-build-'));
  for (const file of ['build.mjs', 'package.json', 'tsconfig.json'])
    await cp(join(root, file), join(folder, file));
  const config = JSON.parse(await readFile(join(root, 'tsconfig.build.json'), 'utf8'));
  // These files need no types of Node, and of the language only those that no program is without: all take longer to read.
  const compilerOptions = { ...config.compilerOptions, types: [], lib: [] };
  const include = [...config.include, 'language.d.ts'];
  await writeFile(
    join(folder, 'tsconfig.build.json'),
    JSON.stringify({ ...config, compilerOptions, include }),
  );
  await writeFile(join(folder, 'language.d.ts'), language);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await mkdir(join(folder, 'src/part'), { recursive: true });
  await writeFile(join(folder, 'src/first.ts'), 'export const first: number = 1;\n');
  await writeFile(join(folder, 'src/part/second.ts'), 'export const second: number = 2;\n');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const buildAndCheck = (...args: string[]) =>
  spawnSync(process.execPath, ['build.mjs', '--listEmittedFiles', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
/** Most tests are not about types. */
const build = (...args: string[]) => buildAndCheck('--noCheck', ...args);
/** The files that the compiler wrote; null if it was not started. */
const emitted = ({ stdout }: { readonly stdout: string }) =>
  stdout === '' ? null : [...stdout.matchAll(/(\w+)\.js$/gm)].map(([, name]) => name).sort();

test('the compiler is started if a source, a file of dist, the end of the last build or its types have changed, and otherwise not', async () => {
  expect(emitted(build())).toEqual(['first', 'second']);
  expect(emitted(build())).toBeNull();

  // As a checkout of an earlier state may leave it.
  const source = join(folder, 'src/first.ts');
  await writeFile(source, 'export const first: number = 3;\n');
  await utimes(source, 0, 0);
  expect(emitted(build())).toEqual(['first']);
  expect(await readFile(join(folder, 'dist/first.js'), 'utf8')).toContain('3');

  await rm(join(folder, 'dist/part/second.js'));
  expect(emitted(build())).toEqual(['first', 'second']);

  // A package gets types; what is only started does without, and keeps none of another source.
  const types = join(folder, 'dist/first.d.ts');
  expect(existsSync(types)).toBe(false);
  build('--declaration');
  expect(existsSync(types)).toBe(true);
  expect(emitted(build('--declaration'))).toBeNull();
  expect(emitted(build())).toBeNull();

  await rm(join(folder, 'src/part/second.ts'));
  build();
  expect(existsSync(join(folder, 'dist/part/second.js'))).toBe(false);
  expect(existsSync(types)).toBe(false);
  expect(emitted(build())).toBeNull();

  // A build that fails is not the last: the next one reports the same.
  await writeFile(source, "export const first: number = 'text';\n");
  const failed = [buildAndCheck(), buildAndCheck()];
  for (const { status, stdout } of failed) {
    expect(status).not.toBe(0);
    expect(stdout).toContain('TS2322');
  }
});

test('without the packages, the command that installs them is shown instead of a stack trace', async () => {
  await rm(join(folder, 'node_modules'));
  const { status, stderr } = build();
  expect(status).toBe(2);
  expect(stderr).toMatch(/^poolbench: .*node_modules.* npm ci\n$/);
});
