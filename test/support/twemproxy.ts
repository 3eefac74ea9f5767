import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished, vi } from 'vitest';
import { programIn, unpackDebianPackages } from '../../src/main/server/debian-package.ts';
import { findProgram, type Program, supervise } from '../../src/main/server/server-process.ts';
import { userCache } from '../../src/main/server/unpacked-program.ts';
import { until } from './connections.ts';
import { answers } from './observed-server.ts';
import { ownPort } from './ports.ts';

/** nutcracker on PATH, else that of the distribution (Debian), unpacked into the user's cache folder. Never throws. */
export async function findTwemproxy(): Promise<Program | { reason: string }> {
  vi.stubEnv('PATH', inject('usersPath'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const path = await findProgram('nutcracker');
  if (path !== undefined) return { path, env: {} };
  return await unpackDebianPackages(
    {
      name: 'nutcracker',
      packages: ['nutcracker'],
      cache: userCache('servers'),
      folder: 'twemproxy',
      timeLimitMs: 60_000,
      programIn: root => programIn(root, ['usr', 'sbin', 'nutcracker']),
    },
    { say: line => console.log(line), runs },
  );
}

function runs({ path, env }: Program): Promise<boolean> {
  return new Promise(resolve => {
    execFile(path, ['--version'], { env: { ...process.env, ...env } }, error => resolve(error === null));
  });
}

/** A twemproxy that spreads the keys over these servers, until the test ends. */
export async function startTwemproxy({ path, env }: Program, serverPorts: readonly number[]) {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [port, statsPort] = [await ownPort(), await ownPort()];
  const config = [
    'test:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    '  distribution: ketama',
    '  servers:',
    ...serverPorts.map(serverPort => `    - 127.0.0.1:${serverPort}:1`),
  ];
  const file = join(folder, 'nutcracker.yml');
  await writeFile(file, `${config.join('\n')}\n`);
  const running = supervise(() => [path, '-c', file, '-s', String(statsPort), '-o', '/dev/stderr'], { env });
  onTestFinished(() => running.stop());
  await until(async () => {
    if (!running.running()) throw new Error(`twemproxy ended at once: ${running.lastWords()}`);
    return await answers(port);
  });
  return { url: `redis://127.0.0.1:${port}` };
}
