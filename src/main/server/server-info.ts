import { knowsNoHello } from '../../pool/client/wire-connection.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import type { StartableServer } from './servers.ts';
import { shownAddress } from './url.ts';

/** A field as a number, or null if it is missing or not one. */
export function infoNumber(info: ReadonlyMap<string, string>, key: string): number | null {
  const text = info.get(key);
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/** CPU seconds the server has used since it started, user and system; null if INFO does not report it. */
export function serverCpu(info: ReadonlyMap<string, string>): {
  all: number | null;
  mainThread: number | null;
} {
  const sum = (suffix: string): number | null => {
    const user = infoNumber(info, `used_cpu_user${suffix}`);
    const system = infoNumber(info, `used_cpu_sys${suffix}`);
    return user === null || system === null ? null : user + system;
  };
  return { all: sum(''), mainThread: sum('_main_thread') };
}

/** What a server counts of one command since its start. */
interface CommandStat {
  readonly calls: number;
  /** Time it took to run them, in microseconds: without reading, waiting and answering. Null if it is not known. */
  readonly micros: number | null;
}

/** INFO commandstats by the name of the command, in small letters as Dragonfly prints `cmdstat_GET`. */
export function commandStats(info: ReadonlyMap<string, string>): ReadonlyMap<string, CommandStat> {
  const stats = new Map<string, CommandStat>();
  for (const [key, value] of info) {
    const [, name] = /^cmdstat_(.*)$/.exec(key.toLowerCase()) ?? [];
    if (name === undefined) continue;
    const micros = /\busec=(\d+)/.exec(value)?.[1];
    stats.set(name, {
      calls: Number(/\bcalls=(\d+)/.exec(value)?.[1] ?? 0),
      micros: micros === undefined ? null : Number(micros),
    });
  }
  return stats;
}

/** How often the server has run the named commands, from INFO commandstats; null if it keeps no such count. */
export function commandCalls(info: ReadonlyMap<string, string>, names: readonly string[]): number | null {
  const stats = commandStats(info);
  const wanted = new Set(names.map(name => name.toLowerCase()));
  return stats.size === 0 ? null : [...wanted].reduce((sum, name) => sum + (stats.get(name)?.calls ?? 0), 0);
}

/**
 * Whether io-threads spin while they have nothing to do, so that their CPU time does not show how full they are: those of
 * Valkey and of Redis before 8 do.
 */
export function ioThreadsSpin({
  server,
  version,
  threads,
}: Pick<Identity, 'version' | 'threads'> & { readonly server: string }): boolean {
  if (threads === null || threads < 2) return false;
  return server === 'valkey' || (server === 'redis' && Number.parseInt(version, 10) < 8);
}

/**
 * What distinguishes one start of a server from another one, and from other servers: the run id of Redis and Valkey; of Dragonfly,
 * which has none, that of its replication. Undefined if the server reports neither.
 * @throws the refusal if INFO is refused; PoolbenchError as `Control.call`
 */
export async function lifeOf(control: Control): Promise<string | undefined> {
  const server = await control.info('server');
  const runId = server.get('run_id');
  if (runId !== undefined) return runId;
  const replication = await control.info('replication').catch(onlyReplies(new Map<string, string>()));
  return replication.get('master_replid') ?? server.get('process_id');
}

type ServerKind = StartableServer | 'embedded' | 'unknown';

/** What a server reports about itself; null if it does not report it. */
export interface Identity {
  readonly server: ServerKind;
  readonly version: string;
  /** Threads that serve clients: io-threads of Redis and Valkey, proactor threads of Dragonfly. */
  readonly threads: number | null;
  /** What it writes to disk, as text; empty if it keeps everything in memory. */
  readonly persistence: readonly string[] | null;
  readonly maxClients: number | null;
  readonly connectedClients: number | null;
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null;
  readonly usedMemoryBytes: number | null;
  readonly maxMemoryPolicy: string | null;
  readonly role: 'master' | 'replica';
  readonly cluster: boolean;
}

type Fields = ReadonlyMap<string, string>;

/**
 * Tells servers apart. Dragonfly and Valkey answer a `redis_version`, too, and so does the embedded server, so their
 * own fields come first; `redis_version` alone is Redis.
 * @param hello the fields of HELLO, for servers whose INFO is closed to this user
 * @param config what CONFIG GET answered: only it tells io-threads and the snapshot schedule
 */
export function identify(info: Fields, hello: Fields = new Map(), config: Fields = new Map()): Identity {
  const { server, version } = kindAndVersion(info, hello);
  const ioThreads = infoNumber(config, 'io-threads');
  const role = info.get('role') ?? hello.get('role') ?? 'master';
  return {
    server,
    version,
    threads: infoNumber(info, 'thread_count') ?? (server === 'embedded' ? 1 : ioThreads),
    persistence: persistence(info, config),
    maxClients:
      infoNumber(info, 'maxclients') ?? infoNumber(info, 'max_clients') ?? infoNumber(config, 'maxclients'),
    connectedClients: infoNumber(info, 'connected_clients'),
    maxMemoryBytes: infoNumber(info, 'maxmemory'),
    usedMemoryBytes: infoNumber(info, 'used_memory'),
    maxMemoryPolicy: info.get('maxmemory_policy') ?? null,
    role: role === 'master' ? 'master' : 'replica',
    cluster: info.get('cluster_enabled') === '1',
  };
}

/** No server has so many clients: its counter has gone below 0, as that of Dragonfly does after weeks (its issue 4693). */
export function isImplausible(clients: number | null): clients is number {
  return clients !== null && (clients >= 2 ** 31 || clients < 0);
}

/** Asks INFO, HELLO and CONFIG GET. Whatever the server does not know, or refuses this user, is left out. */
export async function identifyServer(control: Control): Promise<Identity> {
  const info = await control.info().catch(onlyReplies(new Map<string, string>()));
  const hello = fields(await control.call('HELLO').catch(onlyReplies([])));
  const config: unknown[] = [];
  // One at a time: servers before Redis 7 take a single pattern.
  for (const name of ['io-threads', 'save', 'maxclients'])
    config.push(await control.call('CONFIG', 'GET', name).catch(onlyReplies([])));
  return identify(info, hello, fields(config.flat()));
}

function kindAndVersion(info: Fields, hello: Fields): { server: ServerKind; version: string } {
  const either = (key: string): string | undefined => info.get(key) ?? hello.get(key);
  const embedded = either('poolbench_embedded');
  if (embedded !== undefined) return { server: 'embedded', version: embedded };
  const dragonfly = either('dragonfly_version');
  if (dragonfly !== undefined) return { server: 'dragonfly', version: dragonfly.replace(/^df-v?/, '') };
  const name = info.get('server_name') ?? hello.get('server');
  const version = info.get('valkey_version');
  if (version !== undefined || name === 'valkey') {
    return { server: 'valkey', version: version ?? hello.get('version') ?? 'unknown' };
  }
  const redis = info.get('redis_version') ?? hello.get('version') ?? 'unknown';
  // Other servers report a redis_version for compatibility, in addition to their own fields.
  const other = ['garnet_version', 'kvrocks_version', 'keydb_version'].some(key => info.has(key));
  const isRedis = !other && (name === undefined || name === 'redis') && redis !== 'unknown';
  return { server: isRedis ? 'redis' : 'unknown', version: redis };
}

function persistence(info: Fields, config: Fields): string[] | null {
  const save = config.get('save');
  const appendOnly = info.get('aof_enabled');
  if (save === undefined && appendOnly === undefined) return null;
  return [
    ...(appendOnly === '1' ? ['append-only file'] : []),
    ...(save === undefined || save === '' ? [] : [`snapshots (save ${save})`]),
  ];
}

/** The fallback if the server refuses to answer; a lost connection is still an error. */
function onlyReplies<T>(fallback: T): (error: unknown) => T {
  return error => {
    if (isRefusal(error)) return fallback;
    throw error;
  };
}

/** RESP2 answers maps as flat lists of names and values. */
function fields(reply: unknown): Map<string, string> {
  const map = new Map<string, string>();
  if (!Array.isArray(reply)) return map;
  for (let at = 0; at + 1 < reply.length; at += 2) map.set(String(reply[at]), String(reply[at + 1]));
  return map;
}

/**
 * The RESP version in which the load's connections will speak: asked here as they ask when they log in.
 *
 * @throws PoolbenchError TARGET_NOT_AVAILABLE if the config asks for RESP3 and the server does not know it
 */
export async function spokenProtocol(control: Control): Promise<2 | 3> {
  const { protocol } = control.address;
  if (protocol === 2) return 2;
  try {
    await control.call('HELLO', 3);
    await control.call('HELLO', 2);
    return 3;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // The load will meet a refused login, too, and report it.
    if (!knowsNoHello(error)) return 3;
  }
  if (protocol === undefined) return 2;
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected the server at ${shownAddress(control.server)} to speak RESP3, as target.protocol is 3, found one that does not; set it to 2, or leave it out`,
  );
}

/** Whether the load's connections may name themselves, which some proxies answer by closing the connection. */
export async function takesNames(control: Control): Promise<boolean> {
  return await control.call('CLIENT', 'SETNAME', 'poolbench').then(() => true, onlyReplies(false));
}

/** @throws PoolbenchError TARGET_UNREACHABLE if a Sentinel answers in the place of a server */
export async function expectServer(control: Control): Promise<void> {
  const mode = await control.info('server').then(
    info => info.get('redis_mode'),
    () => undefined,
  );
  if (mode !== 'sentinel') return;
  throw new PoolbenchError(
    'TARGET_UNREACHABLE',
    `expected a server at ${shownAddress(control.server)}, but a Sentinel answers there; set target.sentinel.master to the name of its master`,
  );
}
