import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { usableTransports } from '../support/connections.ts';
import { runProgram } from '../support/poolbench.ts';
import { startSlowly } from '../support/proxy.ts';
import { shareServer } from '../support/servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

interface Package {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const described = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Package;

const addon = /^prebuilds\/linux-\w+\/ring-\w+\.uv1\.node$/;

/** A folder of a user, in which the package is installed. */
let home: string;
let packed: string[];

const call = (program: string, args: readonly string[], cwd = home) =>
  promisify(execFile)(program, args, { cwd, env: { ...process.env, PATH: inject('usersPath') } });

/**
 * Packs what the set-up of the tests has compiled, and unpacks the package as npm would, beside links to its dependencies, which are not fetched here:
 * npm needs a registry for that. What is no dependency of the package cannot be imported from it.
 */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'poolbench-package-'));
  // npm would do this first, and the set-up has done it.
  expect(described.scripts.prepack).toBe('node build.mjs --declaration && node native/build.mjs --try');
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', home];
  const { stdout } = await call('npm', pack, root);
  const [{ files, filename }] = JSON.parse(stdout);
  packed = files.map(({ path }: { readonly path: string }) => path);

  const installed = join(home, 'node_modules/poolbench');
  await mkdir(installed, { recursive: true });
  await call('tar', ['-xzf', filename, '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(described.dependencies)) {
    const link = join(home, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(modules, name), link);
  }
  await mkdir(join(home, 'node_modules/.bin'));
  for (const [name, path] of Object.entries(described.bin)) {
    await chmod(join(installed, path), 0o755);
    await symlink(join(installed, path), join(home, 'node_modules/.bin', name));
  }
});

afterAll(() => rm(home, { recursive: true, force: true }));

test('the package has what it runs with, and nothing that it is made of', () => {
  const wanted = [
    ...['dist/main/cli.js', 'dist/main/library.js', 'dist/main/library.d.ts', 'dist/workers/thread.js'],
    ...['configs/smoke.json', 'configs/schema.json', 'docs/library.md', 'README.md', 'LICENSE'],
    ...['native/addon-file.cjs', 'native/build.mjs', 'native/ring.c'],
  ];
  expect(packed).toEqual(expect.arrayContaining(wanted));
  expect(packed.filter(path => path.startsWith('prebuilds/'))).toEqual(
    inject('whyNoAddon') === '' ? [expect.stringMatching(addon)] : [],
  );
  expect(packed.filter(path => /^(src|test|bench|results)\/|tsbuildinfo|sha256/.test(path))).toEqual([]);
});

test('npm’s link runs the command, with worker threads of its own', async () => {
  const url = await startSlowly((await shareServer()).port);
  const load = ['--workers', '3', '--seconds', '0.2', '--warmup', '0', '--rounds', '1', '--quiet', '--json'];
  const clients = ['--client', 'ioredis,wire', '--transport', usableTransports.at(-1) ?? ''];
  const { stdout } = await call(join(home, 'node_modules/.bin/poolbench'), [url, ...clients, ...load]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ complete: true, tool: { version: described.version } });
  expect(result.scenarios.map(({ transport }: { readonly transport: string }) => transport)).toEqual(
    expect.arrayContaining(['direct', usableTransports.at(-1)]),
  );
});

test('without its addon, check refuses the transport io_uring, and mentions it only if transports are compared', async () => {
  const server = await shareServer();
  const installed = join(home, 'node_modules/poolbench');
  await rm(join(installed, 'prebuilds'), { recursive: true, force: true });
  const program = pathToFileURL(join(installed, described.bin.poolbench ?? ''));
  const check = (...transport: string[]) =>
    runProgram(program, ['check', server.url, '--client', 'wire', ...transport]);
  expect(await check('--transport', 'io_uring')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/io_uring.*(npm run build:native|Linux)/),
  });
  const compared = await check('--transport', 'direct,stream');
  expect(compared.stdout).toMatch(/wire cannot use io_uring here.*(npm run build:native|Linux)/);
  const plain = await check();
  expect(plain.code).toBe(0);
  expect(plain.stdout).not.toMatch(/io_uring/);
});

test('the example of the docs runs, and its types are right', async () => {
  const url = await startSlowly((await shareServer()).port);
  const docs = await readFile(join(home, 'node_modules/poolbench/docs/library.md'), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(docs) ?? [];
  // Shorter, on another server, and with thresholds that a busy machine can meet.
  const short = example
    .replace('redis://127.0.0.1:6379', url)
    .replace('20ms', '60000ms')
    .replace('rounds: 10', 'rounds: 1, seconds: 0.2, warmupSeconds: 0');
  expect(short).toContain('seconds: 0.2');
  await writeFile(join(home, 'example.mjs'), short);
  const { stdout, stderr } = await call('node', ['example.mjs']);
  expect(stdout).toMatch(/^(\S+ [\d.]+ operations a second, limited by \w+\n){2}$/);
  expect(stderr).toMatch(/^Plan: pools$/m);

  // A type that the compiler does not find would be any, and allow everything.
  await writeFile(
    join(home, 'example.mts'),
    `${short}
// @ts-expect-error
await run({ name: 'pools', target: { server: 'redis', url: '' }, scenarios: [], rounds: 'many' });
// @ts-expect-error
(await run('config.json')).results[0].complete.toFixed();
`,
  );
  const tsc = join(modules, 'typescript/bin/tsc');
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
  const types = ['--typeRoots', join(modules, '@types'), '--types', 'node'];
  await call('node', [tsc, ...strict, ...types, 'example.mts']);
});
