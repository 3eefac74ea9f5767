import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { onTestFinished } from 'vitest';

type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>;

/** A look at a server from outside of poolbench. The connection closes when the test is over. */
export async function connectObserver(url: string, options: Login = {}): Promise<Redis> {
  const redis = new Redis(url, { ...options, retryStrategy: () => null, lazyConnect: true });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return redis;
}

/** How often the server has run a command, by its own count. */
export async function callsOf(redis: Redis, command: string): Promise<number> {
  const info = await redis.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`, 'i').exec(info)?.[1] ?? 0);
}

/**
 * Resolves when the load has begun: its GETs are the first that the server sees. That is in the warm-up of the threads, 0.2 s
 * before the first measurement.
 */
export async function loadBegun(redis: Redis): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await callsOf(redis, 'get')) === 0) {
    if (Date.now() > deadline) throw new Error('no load within a minute');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/**
 * Resolves when a load of some 50 operations a second and more has lasted for longer than the warm-up of the threads does: a
 * measurement is going on.
 */
export function measuring(redis: Redis): Promise<void> {
  return rising(() => callsOf(redis, 'get'), 5);
}

/** Resolves when a count has risen this many times in a row, looked at every 100 ms. */
export async function rising(count: () => Promise<number>, times: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  let before = 0;
  for (let rises = 0; rises < times; await sleep(100)) {
    const now = await count();
    if (Date.now() > deadline) throw new Error(`after a minute, the count is ${now}, and does not rise`);
    rises = now > before ? rises + 1 : 0;
    before = now;
  }
}

/** Whether anything listens on a loopback port. */
export function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The lines of CLIENT LIST for the connections with this name. */
export async function clientsNamed(redis: Redis, name: string): Promise<string[]> {
  const list = String(await redis.client('LIST'));
  return list.split('\n').filter(client => client.includes(` name=${name} `));
}

/** The server's process. */
export async function processId(redis: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
}

export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
