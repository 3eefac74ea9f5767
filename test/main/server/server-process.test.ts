import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, inject, test } from 'vitest';
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
    await expect.poll(answering, { timeout: 10_000 }).toEqual([false, false]);
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
  await expect.poll(() => existsSync(directory), { timeout: 20_000 }).toBe(false);
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
