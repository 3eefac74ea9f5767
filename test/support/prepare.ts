import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { findServerBinary, howToInstall } from '../../src/main/target/find-server.ts';
import type { ServerBinary } from '../../src/main/target/server-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

declare module 'vitest' {
  interface ProvidedContext {
    /** Found once for all tests: to look takes several processes. */
    readonly servers: Record<'redis' | 'valkey', ServerBinary>;
  }
}

/**
 * vitest's global set-up: compiles, because threads, the embedded server and the command line are tested as they ship,
 * and finds real servers.
 */
export async function setup({ provide }: TestProject): Promise<void> {
  compile();
  const [redis, valkey] = [await find('redis'), await find('valkey')];
  if (typeof redis === 'string' || typeof valkey === 'string') {
    const missing = [redis, valkey].filter(found => typeof found === 'string');
    throw new Error(
      `The tests run against real servers that cannot be had here:\n${missing.join('\n')}\n` +
        'With Docker, run the tests themselves in a container: docker run --rm -v "$PWD":/poolbench -w /poolbench node:20 sh -c "npm ci && npm test"',
    );
  }
  provide('servers', { redis, valkey });
}

/** The server's program, or what to say where there is none. */
async function find(server: 'redis' | 'valkey'): Promise<ServerBinary | string> {
  const found = await findServerBinary(server, line => console.log(`test set-up: ${line}`));
  return 'reason' in found ? `${server}-server: ${found.reason}\n  ${howToInstall(server)}` : found;
}

function compile(): void {
  // Type errors are the business of `npm run check`, which `npm test` runs first; tsc emits in spite of them.
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  const { stdout } = spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' });
  if (!existsSync(new URL('../../dist/main/target/embedded/process.js', import.meta.url))) {
    throw new Error(`npm run build made no dist/:\n${stdout}`);
  }
}
