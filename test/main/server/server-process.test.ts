import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startServer, supervise } from '../../../src/main/server/server-process.ts';
import { answers } from '../../support/observed-server.ts';

const compiled = new URL('../../../dist/main/server/', import.meta.url).href;

/** A process of its own that starts a binary and the embedded server, prints where, and then lives on, as a coordinator does. */
const parentProgram = () => `
  import { startServer } from '${compiled}server-process.js';
  import { startEmbedded } from '${compiled}embedded/start.js';
  const servers = await Promise.all([startServer('redis', ${JSON.stringify(inject('servers').redis)}), startEmbedded()]);
  console.log(servers.map(({ port }) => port).join(' '));
  process.stdin.on('data', line => {
    if (String(line).startsWith('throw')) throw new Error('crash');
    process.exit(0);
  });`;

const ways = {
  'kill -9': (parent: ChildProcess) => parent.kill('SIGKILL'),
  'a signal': (parent: ChildProcess) => parent.kill('SIGTERM'),
  'an exception': (parent: ChildProcess) => parent.stdin?.write('throw\n'),
  'process.exit': (parent: ChildProcess) => parent.stdin?.write('exit\n'),
} as const;

test.each(Object.entries(ways))(
  'a binary and the embedded server end when their parent ends by %s',
  async (_way, end) => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', parentProgram()], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const ports = String(line).split(' ').map(Number);
    const answering = () => Promise.all(ports.map(answers));
    expect(await answering()).toEqual([true, true]);
    end(parent);
    await once(parent, 'exit');
    await expect.poll(answering).toEqual([false, false]);
  },
);

test('a stopped server is gone, with its folder, when stop() returns', async () => {
  const server = await startServer('redis', inject('servers').redis);
  expect(await answers(server.port)).toBe(true);
  await server.stop();
  expect(await answers(server.port)).toBe(false);
  await server.stop();
});

test('a server that cannot start is an error with the reason', async () => {
  const starting = startServer('redis', inject('servers').redis, { args: ['--no-such-setting', '1'] });
  await expect(starting).rejects.toThrow(/ended at once: .*no-such-setting/s);
});

test('a command around the server is ended with the server, and its folder removed', async () => {
  const script = 'sleep 60 & echo $! > sleeping; wait';
  const process_ = supervise(() => ['sh', '-c', script]);
  const { directory } = process_;
  await expect.poll(() => existsSync(`${directory}/sleeping`)).toBe(true);
  expect(process_.running()).toBe(true);
  await process_.stop();
  expect(process_.running()).toBe(false);
  expect(existsSync(directory)).toBe(false);
});

test('a command that ignores the request to end is killed, and its folder removed', async () => {
  const process_ = supervise(() => ['sh', '-c', 'trap "" TERM; : > ready; exec sleep 60']);
  await expect.poll(() => existsSync(`${process_.directory}/ready`)).toBe(true);
  await Promise.all([process_.stop(), process_.stop()]);
  expect(process_.running()).toBe(false);
  expect(existsSync(process_.directory)).toBe(false);
});

test.each([
  ['ends with it', 'exec sleep 60'],
  ['has to be killed', 'trap "" TERM; exec sleep 60'],
])('the folder of a command that %s is removed after its parent ended by kill -9', async (_, script) => {
  const source = `
    import { supervise } from '${compiled}server-process.js';
    console.log(supervise(() => ['sh', '-c', ': > ready; ' + ${JSON.stringify(script)}]).directory);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [directory] = await once(createInterface({ input: parent.stdout }), 'line');
  await expect.poll(() => existsSync(`${directory}/ready`)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => existsSync(directory)).toBe(false);
});

/** Starts `sleep` under supervision in a process of its own. */
async function startSleeper(shell = 'sh') {
  const source = `
    import { supervise } from '${compiled}server-process.js';
    const { directory } = supervise(() => ['sh', '-c', 'echo $$ $PPID > pids; exec sleep 60']);
    console.log(directory);
    process.stdin.resume();`;
  const folder = await mkdtemp(join(tmpdir(), 'shell-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(shell, join(folder, 'sh'));
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  });
  const [line] = await once(createInterface({ input: parent.stdout }), 'line');
  const directory = String(line);
  const pids = () => readFile(`${directory}/pids`, 'utf8').catch(() => '');
  await expect.poll(pids).toMatch(/\n$/);
  const [sleeper = 0, supervisor = 0] = (await pids()).split(' ').map(Number);
  return { parent, directory, sleeper, supervisor };
}

/** Whether it runs: a zombie does not, whose new parent may take its time. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !readFileSync(stat, 'utf8').includes(') Z ');
}

const shells = ['/bin/sh', '/bin/bash'].filter(existsSync);

test.each(shells)(
  'a server ends with its folder if its shell, %s, is killed, and poolbench lives on',
  async shell => {
    const { parent, directory, sleeper, supervisor } = await startSleeper(shell);
    process.kill(supervisor, 'SIGKILL');
    await expect.poll(() => runs(sleeper)).toBe(false);
    await expect.poll(() => existsSync(directory)).toBe(false);
    expect(parent.exitCode).toBe(null);
    parent.stdin?.end();
    expect(await once(parent, 'exit')).toEqual([0, null]);
  },
);

test.each(shells)('a server ends with its folder if poolbench and the shell, %s, are killed', async shell => {
  const { parent, directory, sleeper, supervisor } = await startSleeper(shell);
  parent.kill('SIGKILL');
  process.kill(supervisor, 'SIGKILL');
  await expect.poll(() => runs(sleeper)).toBe(false);
  await expect.poll(() => existsSync(directory)).toBe(false);
});

test.each(shells)('a server that is killed just before poolbench leaves no folder to %s', async shell => {
  const { parent, directory, sleeper } = await startSleeper(shell);
  // Poolbench must not see that the server has ended.
  parent.kill('SIGSTOP');
  process.kill(sleeper, 'SIGKILL');
  await expect.poll(() => existsSync(directory)).toBe(false);
  parent.kill('SIGKILL');
});

test.each(shells)('a server without a folder ends with poolbench, under %s', async shell => {
  const { parent, directory, sleeper } = await startSleeper(shell);
  await rm(directory, { recursive: true });
  parent.kill('SIGKILL');
  await expect.poll(() => runs(sleeper)).toBe(false);
});

test('a server that ends by itself leaves no folder', async () => {
  const process_ = supervise(() => ['true']);
  await expect.poll(() => process_.running()).toBe(false);
  expect(existsSync(process_.directory)).toBe(false);
});

test('the folder of a command that cannot be started is removed', async () => {
  const process_ = supervise(() => ['true'], { env: { PATH: '/nonexistent' } });
  await expect.poll(() => process_.running()).toBe(false);
  await process_.stop();
  expect(existsSync(process_.directory)).toBe(false);
});
