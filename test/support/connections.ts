import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { ConnectGate } from '../../src/pool/circuit-breaker.ts';
import type { Address } from '../../src/pool/client/address.ts';
import { Batch, type CommandSet, KEY } from '../../src/pool/client/batch.ts';
import { IoredisConnection } from '../../src/pool/client/ioredis-connection.ts';
import { loadClient } from '../../src/pool/client/libraries.ts';
import { whyNoRing } from '../../src/pool/client/ring-socket.ts';
import { WireConnection, type WireOptions } from '../../src/pool/client/wire-connection.ts';
import type { Connect, Connection } from '../../src/pool/connection.ts';
import type { ConnectionPool } from '../../src/pool/connection-pool.ts';
import { openPool } from '../../src/pool/pool.ts';
import type { PoolOptions } from '../../src/pool/presets.ts';
import { type Preset, presets, transports } from '../../src/pool/presets.ts';

/** Those that poolbench brings along. */
export const clientNames = ['wire', 'ioredis'] as const;
export type ClientName = (typeof clientNames)[number];

const { resolve } = createRequire(import.meta.url);

/** Those that it loads, with their files: packages of the tests, and the module of the examples. */
const loadedFiles = {
  'node-redis': resolve('redis'),
  iovalkey: resolve('iovalkey'),
  'valkey-glide': resolve('@valkey/valkey-glide'),
  './my-client.mjs': fileURLToPath(new URL('../../configs/examples/my-client.mjs', import.meta.url)),
} as const;
type LoadedName = keyof typeof loadedFiles;
export const loadedNames = Object.keys(loadedFiles) as LoadedName[];
/** All of them but valkey-glide, which hides that it has lost a connection. */
export const losingNames = loadedNames.filter(name => name !== 'valkey-glide');

/** For a control connection whose time limit is not the point: on a busy machine an answer may take seconds. */
export const patient = { timeoutMs: 30_000 } as const;

/** wire with its default options. */
export const plainWire: WireOptions = { transport: 'direct' };

/** ioredis with its default options. */
export const plainIoredis = { autoPipelining: false, options: {} };

/** wire with its addon, where that is built and the kernel has io_uring. */
export const overRing = 'wire, io_uring';
export const ringNames = whyNoRing() === undefined ? ([overRing] as const) : [];
export const usableTransports = transports.filter(name => name !== 'io_uring' || ringNames.length > 0);

export type AnyClient = ClientName | LoadedName | typeof overRing;
export const allClients: readonly AnyClient[] = [...clientNames, ...ringNames, ...losingNames];
/** With valkey-glide, for tests in which no connection is lost. */
export const answeringClients: readonly AnyClient[] = [...allClients, 'valkey-glide'];

/** The file that a thread loads a client from; undefined if it brings it along. */
export function fileOf(client: string): string | undefined {
  return Object.hasOwn(loadedFiles, client) ? loadedFiles[client as LoadedName] : undefined;
}

/** Indices into {@link commands}: a read, a write, and a command that fails on keys which hold text. */
export const GET = 0;
export const SET = 1;
export const INCR = 2;

export const commands: CommandSet = {
  keyPrefix: 'test:',
  commands: [
    { name: 'GET', args: [KEY], readsOnly: true },
    { name: 'SET', args: [KEY, 'some text'] },
    { name: 'INCR', args: [KEY] },
  ],
};

export function loopback(port: number, changes: Partial<Address> = {}): Address {
  return { host: '127.0.0.1', port, tls: false, database: 0, ...changes };
}

export function connector(
  client: AnyClient,
  address: Address,
  timeoutMs = 5000,
  settings: {
    readonly options?: Readonly<Record<string, unknown>>;
    readonly autoPipelining?: boolean;
    readonly set?: CommandSet;
  } = {},
): Connect {
  const { options = {}, autoPipelining = false, set = commands } = settings;
  if (client === overRing)
    return WireConnection.connector(address, set, timeoutMs, { ...plainWire, transport: 'io_uring' });
  if (client === 'wire') return WireConnection.connector(address, set, timeoutMs, plainWire);
  const file = fileOf(client);
  if (file === undefined)
    return IoredisConnection.connector(address, set, timeoutMs, { options, autoPipelining });
  const connect = loadClient(client, file).then(loaded =>
    loaded.connector({ address, commands: set, timeoutMs, options, autoPipelining }),
  );
  return async () => (await connect)();
}

/** Opens a connection that closes with the test. */
export async function openConnection(
  client: AnyClient,
  address: Address,
  timeoutMs?: number,
): Promise<Connection> {
  const connection = await connector(client, address, timeoutMs)();
  onTestFinished(() => connection.close());
  return connection;
}

/** What became of a batch. */
export interface Outcome {
  readonly completed: number;
  readonly misses: number;
  readonly failures: Record<string, number>;
  /** How often `done` was called, counted on after the first time. */
  readonly doneCalls: () => number;
}

/** Sends commands, each with its key number, as one batch and waits until it is done. */
export function sendBatch(
  connection: Connection,
  operations: readonly (readonly [command: number, key: number])[],
): Promise<Outcome> {
  return new Promise(resolve => {
    let calls = 0;
    const batch = new Batch(operations.length, {
      done: () => {
        calls++;
        const { completed, misses, failures } = batch;
        if (calls === 1)
          resolve({
            completed,
            misses,
            failures: Object.fromEntries(failures ?? []),
            doneCalls: () => calls,
          });
      },
    });
    for (const [index, [command, key]] of operations.entries()) {
      batch.ownCommands()[index] = command;
      batch.numbers[index] = key;
    }
    connection.send(batch);
  });
}

/** A pool of these connections, closed with the test. Sizes and times are small, for tests to be quick. */
export function createPool(
  connect: Connect,
  preset: Preset,
  changes: Partial<PoolOptions> = {},
  gate?: ConnectGate,
): ConnectionPool {
  const options = {
    max: 4,
    minIdle: 2,
    probe: 'poll',
    healthTtlMs: 1000,
    timeoutMs: 5000,
    connects: 'parallel',
    metrics: true,
  } as const;
  const pool = openPool({ strategies: presets[preset], ...options, ...changes }, connect, gate);
  onTestFinished(() => pool.close({ timeout: 0 }));
  return pool;
}

/** The error a promise rejects with; fails the test if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('expected a promise that rejects with an Error');
  return outcome;
}

/** Resolves when `condition` holds, looked at every `pauseMs`; the test's own time limit ends the wait. */
export async function until(condition: () => boolean | Promise<boolean>, pauseMs = 5): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, pauseMs));
}
