// Compiles native/ring.c, the io_uring transport of wire, to native/ring.node: needs Linux, a C compiler and Node's headers.
// With --try a machine without them is no error. It needs nothing but Node.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('ring.c', import.meta.url));
const output = fileURLToPath(new URL('ring.node', import.meta.url));
const isTry = process.argv.includes('--try');

const headers = [
  process.env.npm_config_nodedir && join(process.env.npm_config_nodedir, 'include/node'),
  join(dirname(process.execPath), '../include/node'),
  '/usr/include/node',
].find(folder => folder && existsSync(join(folder, 'node_api.h')));

const isNew = existsSync(output) && statSync(output).mtimeMs > statSync(source).mtimeMs;
const reason = isNew ? undefined : (missing() ?? compile());
if (reason !== undefined) {
  if (!isTry) process.exitCode = 1;
  process.stderr.write(`native/ring.node is not built: ${reason}\n`);
}

/** @returns what the machine lacks */
function missing() {
  if (process.platform !== 'linux') return `expected Linux, found ${process.platform}`;
  if (headers === undefined)
    return 'expected the headers of Node (node_api.h), found none: set npm_config_nodedir to the folder of a Node with include/';
  return undefined;
}

/** @returns why it failed */
function compile() {
  const part = `${output}.${process.pid}`;
  const more = process.env.CFLAGS?.split(' ') ?? [];
  const flags = ['-O2', '-Wall', '-Wextra', ...more, '-shared', '-fPIC', '-I', headers, source, '-o', part];
  const { status, error, stderr } = spawnSync(process.env.CC ?? 'cc', flags, { encoding: 'utf8' });
  if (status === 0) renameSync(part, output);
  else rmSync(part, { force: true });
  return status === 0 ? undefined : `the compiler failed: ${error?.message ?? stderr.trim()}`;
}
