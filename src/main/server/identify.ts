import { knowsNoHello } from '../../pool/client/wire-connection.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import { infoNumber } from './info.ts';
import { shownAddress } from './url.ts';

export type ServerKind = 'redis' | 'valkey' | 'dragonfly' | 'embedded' | 'unknown';

/** What a server says of itself. Null stands where it does not tell. */
export interface Identity {
  readonly server: ServerKind;
  readonly version: string;
  /** Threads that serve clients: io-threads of Redis and Valkey, proactor threads of Dragonfly. */
  readonly threads: number | null;
  /** What it writes to disk, in words; empty when it keeps everything in memory. */
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

/** Asks INFO, HELLO and CONFIG GET. What the server does not know, or does not tell this user, is left out. */
export async function identifyServer(control: Control): Promise<Identity> {
  const info = await control.info().catch(onlyReplies(new Map<string, string>()));
  const hello = fields(await control.call('HELLO').catch(onlyReplies([])));
  const config = new Map<string, string>();
  // One at a time: servers before Redis 7 take a single pattern.
  for (const name of ['io-threads', 'save', 'maxclients']) {
    for (const [key, value] of fields(await control.call('CONFIG', 'GET', name).catch(onlyReplies([])))) {
      config.set(key, value);
    }
  }
  return identify(info, hello, config);
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
  // Others answer a redis_version for their clients' sake, and name themselves beside it.
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

/** A refused question is an answer of its own; a lost connection is not. */
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
 * @throws PoolbenchError TARGET_NOT_AVAILABLE where the config asks for RESP3 and the server does not know it
 */
export async function spokenProtocol(control: Control): Promise<2 | 3> {
  const { protocol } = control.address;
  if (protocol === 2) return 2;
  const [greeting] = await control.pipeline([
    ['HELLO', 3],
    ['HELLO', 2],
  ]);
  // Any other refusal the load will meet, too, and tell.
  if (greeting === undefined || !('error' in greeting) || !knowsNoHello(greeting.error)) return 3;
  if (protocol === undefined) return 2;
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected the server at ${shownAddress(control.server)} to speak RESP3, as target.protocol is 3, found one that does not; set it to 2, or leave it out`,
  );
}

/** @throws PoolbenchError TARGET_UNREACHABLE where a Sentinel answers in the place of a server */
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
