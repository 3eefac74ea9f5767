import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { findServerBinary } from '../../src/main/server/find-server.ts';
import { findProgram, type Program } from '../../src/main/server/server-process.ts';
import { howToInstall } from '../../src/main/server/servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

declare module 'vitest' {
  interface ProvidedContext {
    /** Found once for all tests: to look takes several processes. */
    readonly servers: Record<'redis' | 'valkey', Program>;
    /** A folder for PATH with what poolbench and the tests call, and no server. */
    readonly tools: string;
    /** What PATH was. */
    readonly usersPath: string;
    /** Why the addon of the transport io_uring is not built; '': it is. */
    readonly whyNoAddon: string;
  }
}

/** The supervisor of servers and the tests themselves need these. */
const tools = ['sh', 'cat', 'chmod', 'echo', 'env', 'head', 'mkdir', 'node', 'rm', 'script', 'sleep', 'stty'];

/**
 * vitest's global set-up: compiles, because threads, the embedded server and the command line are tested as they ship,
 * finds real servers, and gives the tests a PATH that is the same on every machine: these servers, a few tools, and
 * neither Docker nor another server of the user's. They have a temporary folder of their own, which goes with them: what
 * poolbench or a test leaves in it fails the run.
 */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  compile();
  provide('whyNoAddon', compileAddon());
  const [redis, valkey] = [await find('redis'), await find('valkey')];
  if (typeof redis === 'string' || typeof valkey === 'string') {
    const missing = [redis, valkey].filter(found => typeof found === 'string');
    throw new Error(
      `The tests run against real servers that cannot be had here:\n${missing.join('\n')}\n` +
        'With Docker, run the tests themselves in a container: docker run --rm -v "$PWD":/poolbench -w /poolbench node:20 sh -c "npm ci && npm test"',
    );
  }
  provide('servers', { redis, valkey });
  const usersPath = process.env.PATH ?? '';
  provide('usersPath', usersPath);
  // Short: the path of a socket in it has at most 107 characters.
  const folder = await mkdtemp(join(tmpdir(), 'pb-'));
  provide('tools', join(folder, 'tools'));
  // The workers of vitest are started with them.
  const variables = { PATH: await makePath(folder, { redis, valkey }), TMPDIR: folder };
  const users = { ...process.env };
  Object.assign(process.env, variables);
  return async () => {
    const left = await leftIn(folder);
    if (left.length > 0) {
      console.error(`left in the temporary folder: ${left.join(', ')}`);
      process.exitCode = 1;
    }
    for (const name of Object.keys(variables)) {
      if (users[name] === undefined) delete process.env[name];
      else process.env[name] = users[name];
    }
    await rm(folder, { recursive: true, force: true });
  };
}

/** How long servers may take that end because a worker of vitest has. They need the tools, to remove their folders. */
const maxEndMs = 10_000;

/** What poolbench and the tests have left, but not what their libraries have. */
async function leftIn(folder: string): Promise<string[]> {
  for (const endMs = Date.now() + maxEndMs; ; await sleep(50)) {
    const left = (await readdir(folder)).filter(name => name.startsWith('poolbench'));
    if (left.length === 0 || Date.now() > endMs) return left;
  }
}

/** Folders with the servers and the tools. @returns the two of them, as PATH */
async function makePath(folder: string, servers: Record<'redis' | 'valkey', Program>): Promise<string> {
  const [ours, theirs] = [join(folder, 'servers'), join(folder, 'tools')];
  await Promise.all([mkdir(ours), mkdir(theirs)]);
  for (const [name, { path, env }] of Object.entries(servers)) {
    const variables = Object.entries(env).map(([variable, value]) => `export ${variable}='${value}'\n`);
    const program = join(ours, `${name}-server`);
    await writeFile(program, `#!/bin/sh\n${variables.join('')}exec '${path}' "$@"\n`);
    await chmod(program, 0o755);
  }
  for (const tool of tools) {
    const path = await findProgram(tool);
    if (path !== undefined) await symlink(path, join(theirs, tool));
  }
  return [ours, theirs].join(delimiter);
}

/** The server's program, or what to say where there is none. */
async function find(server: 'redis' | 'valkey'): Promise<Program | string> {
  const found = await findServerBinary(server, line => console.log(`test set-up: ${line}`));
  return 'reason' in found ? `${server}-server: ${found.reason}\n  ${howToInstall(server)}` : found;
}

/** The transport io_uring, if the machine can compile it and it is not compiled yet. @returns why it is not, as text */
function compileAddon(): string {
  const { stderr } = spawnSync(process.execPath, ['native/build.mjs', '--try'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (stderr !== '') console.log(`test set-up: ${stderr.trim()}`);
  return stderr.trim();
}

function compile(): void {
  // Type errors are the business of `npm run check`, which `npm test` runs first: to check twice takes five seconds of CPU.
  // With the declarations of a package, which one test makes: to compile twice takes as long.
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['build.mjs', '--declaration', '--noCheck'],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`);
}
