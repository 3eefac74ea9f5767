import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { inject } from 'vitest';

/**
 * The environment of a machine on which no server can be had: nothing on PATH but tools, a Docker without an
 * engine and an apt-get without a network, and no server unpacked before.
 */
export async function bareMachine(folder: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const programs = {
    docker: 'echo "Cannot connect to the Docker daemon" >&2; exit 1',
    'apt-get': 'echo "E: Failed to fetch: no network" >&2; exit 100',
    dpkg: 'exit 1',
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return { PATH: [bin, inject('tools')].join(delimiter), XDG_CACHE_HOME: join(folder, 'cache') };
}
