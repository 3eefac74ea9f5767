import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findServerBinary, howToInstall } from '../../src/main/target/find-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * vitest's global set-up: compiles, because threads, the embedded server and the command line are tested as they ship,
 * and makes sure of real servers.
 */
export async function setup(): Promise<void> {
  compile();
  const missing: string[] = [];
  for (const server of ['redis', 'valkey'] as const) {
    const found = await findServerBinary(server, line => console.log(`test set-up: ${line}`));
    if ('reason' in found) missing.push(`${server}-server: ${found.reason}\n  ${howToInstall(server)}`);
  }
  if (missing.length > 0) {
    throw new Error(
      `The tests run against real servers that cannot be had here:\n${missing.join('\n')}\n` +
        'With Docker, run the tests themselves in a container: docker run --rm -v "$PWD":/poolbench -w /poolbench node:20 sh -c "npm ci && npm test"',
    );
  }
}

function compile(): void {
  // Type errors are the business of `npm run check`, which `npm test` runs first; tsc emits in spite of them.
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  const { stdout } = spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' });
  if (!existsSync(new URL('../../dist/main/target/embedded/process.js', import.meta.url))) {
    throw new Error(`npm run build made no dist/:\n${stdout}`);
  }
}
