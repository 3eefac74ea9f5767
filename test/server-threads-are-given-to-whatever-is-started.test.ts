import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { resolveTarget, type Target } from '../src/main/server/resolve.ts';
import { type DeclaredServer, freePort } from '../src/main/server/server-process.ts';
import { bareMachine } from './support/bare-machine.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function resolveWithThreads(server: DeclaredServer, threads: number): Promise<Target> {
  const target = await resolveTarget({
    server,
    url: `redis://localhost:${await freePort()}`,
    threads,
    standInAllowed: true,
    say: () => {},
  });
  onTestFinished(() => target.stop());
  return target;
}

test('Dragonfly as a binary and in Docker is told, and so is its stand-in', async () => {
  const folder = await makeFolder();
  const [bin, log] = [join(folder, 'bin'), join(folder, 'log')];
  await mkdir(bin);
  const programs = {
    dragonfly: `[ "$1" = --version ] && echo "dragonfly v1.0.0" && exit\necho "binary $@" >> '${log}'; exit 1`,
    docker: `[ "$1" = info ] && echo 27.0.1 && exit\necho "docker $@" >> '${log}'; exit 1`,
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  vi.stubEnv('PATH', [bin, process.env.PATH].join(delimiter));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const target = await resolveWithThreads('dragonfly', 2);
  const calls = await readFile(log, 'utf8');
  expect(calls).toMatch(/^binary .*--proactor_threads=2$/m);
  expect(calls).toMatch(/^docker run .*dragonflydb\/dragonfly dragonfly .*--proactor_threads=2$/m);
  expect(target).toMatchObject({ standIn: true, detected: { threads: 2 } });
  expect(target.notes.join('\n')).not.toMatch(/server threads/);
});

test('a server that has other threads than it was started with is noted', async () => {
  const env = await bareMachine(await makeFolder());
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const target = await resolveWithThreads('redis', 2);
  expect(target).toMatchObject({ standIn: true, detected: { server: 'embedded', threads: 1 } });
  expect(target.notes.join('\n')).toMatch(/embedded \S+ was started with 2 server threads, but says 1/);
});
