import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { startServer } from '../../src/main/server/server-process.ts';
import { ownPort } from './ports.ts';

// So vitest ends a worker. Only an exit of its own ends the servers that the worker shares, and removes what libraries leave.
process.once('SIGTERM', () => process.exit());

export interface TestServer {
  /** Without a login; with TLS it starts with rediss://. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** More of the server's own arguments, such as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  /** A port to start on, when a test brings a server back. */
  readonly port?: number;
}

export const certificates = {
  ca: fileURLToPath(new URL('certs/ca.crt', import.meta.url)),
  certificate: fileURLToPath(new URL('certs/server.crt', import.meta.url)),
  key: fileURLToPath(new URL('certs/server.key', import.meta.url)),
} as const;

/** A server that ends with the test. */
export async function ofTest<T extends Pick<TestServer, 'stop'>>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

/** A redis-server of the test's own on a free loopback port, in memory only. */
export function startRedis(options: TestServerOptions = {}): Promise<TestServer> {
  return start('redis', options);
}

/** A valkey-server, likewise. */
export function startValkey(options: TestServerOptions = {}): Promise<TestServer> {
  return start('valkey', options);
}

/** Certificates of another authority: for `db.example` only, and one that has expired. Both have the same key. */
export const otherCertificates = {
  ca: fileURLToPath(new URL('certs/second-ca.crt', import.meta.url)),
  certificate: fileURLToPath(new URL('certs/named.crt', import.meta.url)),
  expired: fileURLToPath(new URL('certs/expired.crt', import.meta.url)),
  key: fileURLToPath(new URL('certs/named.key', import.meta.url)),
} as const;

/** The arguments with which a redis-server speaks TLS on a port, and trusts clients of {@link certificates}.ca. */
export function tlsArguments(
  port: number,
  { certificate, key }: { readonly certificate: string; readonly key: string } = certificates,
): string[] {
  return [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificates.ca],
  ];
}

/** A redis-server whose URL is `rediss://localhost:port`; its certificate is signed by {@link certificates}.ca. */
export function startRedisWithTls(options: TestServerOptions = {}): Promise<TestServer> {
  return onFreePorts(async () => {
    const tlsPort = await ownPort();
    const tls = tlsArguments(tlsPort);
    const server = await start('redis', { ...options, args: [...tls, ...(options.args ?? [])] });
    return { url: `rediss://localhost:${tlsPort}`, port: tlsPort, stop: server.stop };
  });
}

/** A redis-server whose URL is `unix:///…`. */
export async function startRedisOnSocket(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  const socket = join(directory, 'redis.sock');
  const server = await start('redis', {
    ...options,
    args: ['--unixsocket', socket, ...(options.args ?? [])],
  });
  return {
    url: `unix://${socket}`,
    port: server.port,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface SharedServer {
  readonly server: TestServer;
  /** Its settings as it was started. */
  readonly settings: ReadonlyMap<string, string>;
}

const sharedServers = new Map<string, SharedServer>();

/**
 * The server of its kind that all files of this worker share, as new: without keys, clients, users and counts, and
 * with the settings that it was started with. Its `stop` does nothing. For `beforeAll`, or for a test, in a file that
 * neither ends the server nor leaves its process stopped. Each call closes all
 * connections, so only one test at a time can use the server; another `number` is another server, for tests that need several.
 */
export async function shareServer(kind: 'redis' | 'valkey' = 'redis', number = 0): Promise<TestServer> {
  const name = `${kind} ${number}`;
  const known = sharedServers.get(name);
  if (known !== undefined && (await reset(known).catch(() => false))) return known.server;
  const { url, port } = await start(kind, {});
  const server = { url, port, stop: async () => {} };
  const settings = await look(url, async redis => pairsOf((await redis.config('GET', '*')) as string[]));
  sharedServers.set(name, { server, settings });
  return server;
}

/** Makes it as new. @returns whether that succeeded */
function reset({ server, settings }: SharedServer): Promise<boolean> {
  return look(server.url, async redis => {
    const looks = redis.pipeline([
      ['replicaof', 'NO', 'ONE'],
      ['client', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
      ['acl', 'USERS'],
      ['config', 'GET', '*'],
    ]);
    const [, , users, config] = ((await looks.exec()) ?? []).map(([, reply]) => reply as string[]);
    const changes = redis.pipeline();
    for (const user of users ?? []) if (user !== 'default') changes.acl('DELUSER', user);
    for (const [name, value] of pairsOf(config ?? [])) {
      const original = settings.get(name);
      if (original !== undefined && original !== value) changes.config('SET', name, original);
    }
    const outcomes = await changes.flushall().config('RESETSTAT').exec();
    return outcomes?.every(([error]) => error === null) ?? false;
  });
}

/** A connection that is gone before the test counts clients. */
async function look<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { retryStrategy: () => null, commandTimeout: 2000, lazyConnect: true });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const result = await work(redis);
    await redis.quit();
    return result;
  } finally {
    redis.disconnect();
  }
}

function pairsOf(list: readonly string[]): Map<string, string> {
  const names = list.filter((_, index) => index % 2 === 0);
  return new Map(names.map((name, index) => [name, list[2 * index + 1] ?? '']));
}

/** Starts once more, on other ports, if a port that was free has been taken meanwhile, for instance by a client's end of a connection. */
export async function onFreePorts<T>(start: () => Promise<T>, tries = 4): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (tries <= 1 || !String(error).includes('Address already in use')) throw error;
    return await onFreePorts(start, tries - 1);
  }
}

async function start(server: 'redis' | 'valkey', options: TestServerOptions): Promise<TestServer> {
  const { port, stop } = await onFreePorts(
    async () =>
      startServer(server, inject('servers')[server], { ...options, port: options.port ?? (await ownPort()) }),
    2,
  );
  return { url: `redis://127.0.0.1:${port}`, port, stop };
}
