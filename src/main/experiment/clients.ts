import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Result } from '../../aggregate/result.ts';
import { formatList, toOneLine } from '../../aggregate/text/format.ts';
import type { Address } from '../../pool/client/address.ts';
import { keptOptions as keptByIoredis } from '../../pool/client/ioredis-options.ts';
import { isLibrary, isModulePath, libraries, loadClient } from '../../pool/client/libraries.ts';
import { keptOptions as keptByNodeRedis } from '../../pool/client/node-redis.ts';
import { keptOptions as keptByGlide } from '../../pool/client/valkey-glide.ts';
import type { Client, ClientName } from '../../pool/presets.ts';
import { shippedFile } from '../command-words.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';
import type { PlannedSide } from './plan.ts';
import { populationsOf } from './populations.ts';
import type { Scenario } from './scenarios.ts';
import { checkModule } from './user-modules.ts';
import { expectScripts } from './workload-files.ts';

const ownRequire = createRequire(import.meta.url);
const { peerDependencies }: { readonly peerDependencies: Readonly<Record<string, string>> } =
  ownRequire('../../../package.json');

/** What a result stores about a client. */
type KeptClient = NonNullable<Result['clients']>[number];

/** A client of a run, and where a thread loads it from. */
export interface UsedClient extends KeptClient {
  /** Absent: installed with poolbench. */
  readonly file?: string;
}

/** Those of a side, by their names. */
export type UsedClients = ReadonlyMap<string, UsedClient>;

/** As results have them. */
export function keptClients(clients: UsedClients): KeptClient[] {
  return [...clients.values()].map(({ file: _, ...kept }) => kept);
}

/**
 * Options that `clientOptions` cannot set because poolbench sets them itself, by client; wire has no options. A user's
 * module gets all options.
 */
const keptOptions: Readonly<Record<string, readonly string[]>> = {
  ioredis: keptByIoredis,
  iovalkey: keptByIoredis,
  'node-redis': keptByNodeRedis,
  'valkey-glide': keptByGlide,
} satisfies Record<Exclude<ClientName, 'wire'>, readonly string[]>;

/** The folder where a config's clients are looked up: its own, unless it names another. Null: none needed. */
export function locateClients(
  { clientsFrom, scenarios, populations }: Pick<Experiment, 'clientsFrom' | 'scenarios' | 'populations'>,
  configPath: string,
): string | null {
  if (clientsFrom !== null)
    return isAbsolute(clientsFrom) ? clientsFrom : join(dirname(configPath), clientsFrom);
  const clients = [...scenarios, ...populations].flatMap(({ client }) => client);
  const isLoaded = clients.some(client => isLibrary(client) || isModulePath(client));
  return isLoaded ? dirname(configPath) : null;
}

/** What the threads of a side run: its scenarios and populations. */
export function allLoads({
  experiment,
  scenarios,
}: Pick<PlannedSide, 'experiment' | 'scenarios'>): readonly Scenario[] {
  return [...scenarios, ...populationsOf(experiment).map(({ scenario }) => scenario)];
}

/**
 * Finds the clients of a side's loads, and loads each of them and the scripts once, so that errors show before the
 * load. A package is looked up from the config's folder, then from poolbench's own.
 *
 * @param options.fallback where to look up what the config's folder does not have @default poolbench's own folder
 * @returns the clients by their names
 * @throws PoolbenchError CLIENT_NOT_USABLE, CONFIG_INVALID
 */
export async function findClients(
  side: Pick<PlannedSide, 'experiment' | 'scenarios'>,
  { fallback = ownRequire }: { readonly fallback?: NodeJS.Require } = {},
): Promise<UsedClients> {
  const { experiment } = side;
  const loads = allLoads(side);
  await expectScripts(experiment);
  const folder = resolve(experiment.clientsFrom ?? '.');
  const places = [createRequire(join(folder, 'config.json')), fallback];
  const names = [...new Set(loads.map(({ client }) => client))];
  const files = locateFiles(names, folder, places);
  const found = new Map<string, UsedClient>();
  for (const client of names) {
    const used = await findClient(client, files.get(client));
    found.set(client, used.client);
    if (!used.multiplexes && loads.some(one => one.client === client && one.preset === 'shared'))
      throw notUsable(
        `expected a client that multiplexes, because the pool is shared, found ${client}, whose connections serve one caller at a time: use another pool`,
      );
  }
  for (const { client, clientOptions } of loads) {
    const kept = keysOf(clientOptions).filter(key => keptOptions[client]?.includes(key));
    if (kept.length > 0)
      throw notUsable(
        `expected no clientOptions that poolbench sets itself, found ${formatList(kept)} for ${client}: remove them; ${shippedFile('docs/clients.md')} says why`,
      );
  }
  return found;
}

/**
 * Opens a connection with each of the user's modules, so that one that returns no connection is detected before the
 * load. Other connection errors are left to the load.
 *
 * @throws PoolbenchError CLIENT_NOT_USABLE
 */
export async function expectConnections(
  clients: Iterable<UsedClient>,
  side: Pick<PlannedSide, 'experiment' | 'scenarios'>,
  address: Address,
): Promise<void> {
  const loads = allLoads(side);
  for (const { client, file } of clients) {
    if (file === undefined || !isModulePath(client)) continue;
    const load = {
      ...{ address, autoPipelining: false, timeoutMs: side.experiment.timeoutMs },
      options: loads.find(one => one.client === client)?.clientOptions ?? {},
      commands: { keyPrefix: 'poolbench:', commands: [] },
    };
    try {
      await checkModule({ kind: 'client', client: client as Client, file, load });
    } catch (cause) {
      throw notUsable(`${client}: ${asError(cause).message}`, cause);
    }
  }
}

/** The files of the clients that are loaded. One message for all packages that are missing. */
function locateFiles(
  names: readonly Client[],
  folder: string,
  places: readonly NodeJS.Require[],
): ReadonlyMap<Client, string> {
  const files = new Map<Client, string>();
  const missing: Client[] = [];
  for (const name of names) {
    const file = isLibrary(name)
      ? locate(libraries[name], places)
      : isModulePath(name)
        ? resolve(folder, name)
        : undefined;
    if (file !== undefined) files.set(name, file);
    else if (isLibrary(name)) missing.push(name);
  }
  if (missing.length === 0) return files;
  const packages = missing.filter(isLibrary).map(name => libraries[name]);
  throw notUsable(
    `expected the packages of all clients to be installed, but not found: ${formatList(missing)}; run "npm install ${packages.join(' ')}" in ${relative('.', folder) || 'this folder'}`,
  );
}

/** The main file of a package, resolved from the first place that has it; undefined if none has. */
function locate(packageName: string, places: readonly NodeJS.Require[]): string | undefined {
  for (const place of places) {
    try {
      return place.resolve(packageName);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
    }
  }
  return undefined;
}

/** @param file to load it from; undefined if poolbench brings it along */
async function findClient(
  client: Client,
  file: string | undefined,
): Promise<{ readonly client: UsedClient; readonly multiplexes: boolean }> {
  if (file === undefined) {
    const from = client === 'wire' ? null : client;
    const version = from === null ? null : versionOf(from, ownRequire.resolve(from));
    return { client: { client, package: from, version }, multiplexes: true };
  }
  const from = isLibrary(client) ? libraries[client] : null;
  try {
    const installed = from === null ? null : versionOf(from, file);
    if (from !== null && installed !== null) expectSupported(from, installed);
    // A separate thread would unload the native code of a library when it ends.
    const { multiplexes, version: told = null } = isModulePath(client)
      ? await checkModule({ kind: 'client', client, file })
      : await loadClient(client, file);
    return { client: { client, package: from, version: installed ?? told, file }, multiplexes };
  } catch (cause) {
    throw notUsable(
      `expected a client that can be loaded, but ${client} at ${file} cannot: ${toOneLine(asError(cause).message)}`,
      cause,
    );
  }
}

/** @throws Error if its major version is below that of poolbench's peerDependencies: an older one has other functions */
function expectSupported(packageName: string, version: string): void {
  const range = peerDependencies[packageName] ?? '';
  if (Number.parseInt(version, 10) < Number(/\d+/.exec(range)?.[0]))
    throw new Error(`it is ${packageName} ${version}, but poolbench needs ${packageName} ${range}`);
}

/** From the package.json above its main file, which not every package exports. */
function versionOf(packageName: string, file: string): string | null {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (name === packageName) return String(version);
    } catch {
      // Most folders have none.
    }
  }
  return null;
}

/** "RESP", "socket.host": the keys of options, and those of the objects in them. */
function keysOf(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => [
    key,
    ...(typeof value === 'object' && value !== null
      ? Object.keys(value).map(inner => `${key}.${inner}`)
      : []),
  ]);
}

function notUsable(message: string, cause?: unknown): PoolbenchError {
  return new PoolbenchError('CLIENT_NOT_USABLE', message, { cause });
}
