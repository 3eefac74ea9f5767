import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { findServerBinary } from '../src/main/server/find-server.ts';
import { startServer } from '../src/main/server/server-process.ts';

/** Enough for the largest question, 10,000 connections. */
const maxClients = 12_000;

/** A program that needs more in its environment than this process has. */
export interface Program {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The server under test, on loopback, without persistence. */
export interface BenchServer {
  readonly port: number;
  /** The path of its unix socket. */
  readonly socket: string;
  readonly version: string;
  /** A program of the package that the server came from, whether it is there or not. */
  readonly beside: (program: string) => Program;
  /** What the server has done so far: commands, and seconds of CPU that its main thread used. */
  readonly work: () => Promise<{ readonly commands: number; readonly seconds: number }>;
  /** How many GETs it has run. */
  readonly gets: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** @throws Error where no redis-server is to be had. */
export async function startBenchServer(): Promise<BenchServer> {
  const binary = await findServerBinary('redis', console.log);
  if ('reason' in binary) throw new Error(binary.reason);
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-bench-'));
  const socket = join(folder, 'redis.sock');
  const args = ['--maxclients', String(maxClients), '--unixsocket', socket];
  const { port, stop } = await startServer('redis', binary, { args });
  const control = new Redis({ port, lazyConnect: true });
  await control.connect();
  return {
    ...{ port, socket },
    version: binary.version,
    beside: program => ({ path: join(dirname(binary.path), program), env: binary.env }),
    async work() {
      const cpu = (await control.info('cpu')).matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g);
      const stats = await control.info('stats');
      return {
        commands: Number(stats.match(/total_commands_processed:(\d+)/)?.[1]),
        seconds: [...cpu].reduce((sum, [, seconds]) => sum + Number(seconds), 0),
      };
    },
    async gets() {
      return Number((await control.info('commandstats')).match(/cmdstat_get:calls=(\d+)/)?.[1] ?? 0);
    },
    async stop() {
      control.disconnect();
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}
