import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Connect } from '../connection.ts';
import { type Client, type ClientName, clientNames } from '../presets.ts';
import type { Address } from './address.ts';
import type { CommandSet } from './batch.ts';
import { type ClientModule, faultOfModule } from './client-module.ts';

/** The target of a connection, the commands that it sends, and the settings of its client. Plain data, so a thread can get it. */
export interface ClientLoad {
  readonly address: Address;
  readonly commands: CommandSet;
  readonly timeoutMs: number;
  readonly autoPipelining: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Clients whose packages the user installs, each with the name of its package. */
export const libraries = {
  'node-redis': 'redis',
  iovalkey: 'iovalkey',
  'valkey-glide': '@valkey/valkey-glide',
} as const satisfies Partial<Record<ClientName, string>>;

type LibraryName = keyof typeof libraries;

export function isLibrary(client: string): client is LibraryName {
  return Object.hasOwn(libraries, client);
}

/** The clients that are part of poolbench. */
export const bundledClients = clientNames.filter(client => !isLibrary(client));

/** Whether it is the path of a user's module. */
export function isModulePath(client: string): boolean {
  return /^(\.\.?)?\//.test(client);
}

/** A loaded client that is not installed with poolbench. */
export interface LoadedClient {
  /** Whether callers can share a connection. */
  readonly multiplexes: boolean;
  /** What a module says of itself. */
  readonly version?: string;
  connector(load: ClientLoad): Connect;
}

/**
 * Loads only a client that is not installed with poolbench.
 *
 * @param file its package's main file, or the user's module
 * @throws Error if the module does not meet the contract, or whatever the file throws itself
 */
export async function loadClient(client: Client, file: string): Promise<LoadedClient> {
  if (client === 'iovalkey') {
    const { IoredisConnection } = await import('./ioredis-connection.ts');
    // A fork of ioredis 5. The connection uses nothing that ioredis 6 has changed.
    const library = packageIn(file) as typeof import('ioredis');
    return {
      multiplexes: true,
      connector: ({ address, commands, timeoutMs, ...settings }) =>
        IoredisConnection.connector(address, commands, timeoutMs, { ...settings, library }),
    };
  }
  const { ModuleConnection } = await import('./module-connection.ts');
  const module = await moduleOf(client, file);
  return {
    multiplexes: module.multiplexes,
    ...(module.version === undefined ? {} : { version: module.version }),
    connector: ({ address, commands, timeoutMs, options }) =>
      ModuleConnection.connector(address, commands, timeoutMs, { module, options }),
  };
}

async function moduleOf(client: Client, file: string): Promise<ClientModule> {
  if (client === 'node-redis') {
    const { nodeRedisModule } = await import('./node-redis.ts');
    return nodeRedisModule(packageIn(file) as typeof import('redis'));
  }
  if (client === 'valkey-glide') {
    const { valkeyGlideModule } = await import('./valkey-glide.ts');
    return valkeyGlideModule(packageIn(file) as typeof import('@valkey/valkey-glide'));
  }
  const { default: module } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  const fault = faultOfModule(module);
  if (fault !== undefined) throw new Error(fault);
  return module as ClientModule;
}

/** Packages are loaded by `require`, which takes a thread far less time than `import` (see ioredis.ts). */
function packageIn(file: string): unknown {
  return createRequire(import.meta.url)(file);
}
