// Compiles native/ring.c, the io_uring transport of wire, to prebuilds/linux-<architecture>/: needs Linux, a C compiler and Node's
// headers, and nothing else. With --try it keeps an existing build, and a machine that cannot build is no error.
// src/pool/client/ring-socket.ts loads the result.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonFile } from './addon-file.cjs';

const source = fileURLToPath(new URL('ring.c', import.meta.url));
const output = addonFile();
const folder = dirname(output);
const isTry = process.argv.includes('--try');

const headers = [
  process.env.npm_config_nodedir && join(process.env.npm_config_nodedir, 'include/node'),
  join(dirname(process.execPath), '../include/node'),
  '/usr/include/node',
].find(place => place && existsSync(join(place, 'node_api.h')));

removeOthers();
const reason = isTry && existsSync(output) ? undefined : (missing() ?? compile());
if (reason !== undefined) {
  if (!isTry) process.exitCode = 1;
  process.stderr.write(`The io_uring transport of wire is not built: ${reason}\n`);
}

/** Of an earlier source: a package would have them, too. */
function removeOthers() {
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder))
    if (file.endsWith('.node') && file !== basename(output)) rmSync(join(folder, file));
}

/** @returns what the machine lacks */
function missing() {
  if (process.platform !== 'linux') return `expected Linux, found ${process.platform}`;
  if (headers === undefined)
    return 'expected the headers of Node (node_api.h), found none: set npm_config_nodedir to a Node installation that has include/node';
  return undefined;
}

/** @returns why it failed */
function compile() {
  mkdirSync(folder, { recursive: true });
  const part = `${output}.${process.pid}`;
  const compiler = process.env.CC ?? 'cc';
  const more = process.env.CFLAGS?.split(' ') ?? [];
  const flags = ['-O2', '-Wall', '-Wextra', ...more, '-shared', '-fPIC', '-I', headers, source, '-o', part];
  const { status, error, stderr } = spawnSync(compiler, flags, { encoding: 'utf8' });
  if (status === 0) {
    renameSync(part, output);
    return undefined;
  }
  rmSync(part, { force: true });
  if (error?.code === 'ENOENT') return `expected a C compiler, found no ${compiler} on PATH: install one, or set CC`;
  const lines = error?.message ?? stderr.trim();
  // Who only tries gets one line, and who builds gets all.
  return `${compiler} failed: ${isTry ? (/^.*\berror\b.*$/m.exec(lines)?.[0] ?? lines) : lines}`;
}
