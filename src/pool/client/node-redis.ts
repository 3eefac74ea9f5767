import type * as redis from 'redis';
import type { ClientConnection, ClientModule, Place } from './client-module.ts';
import { knowsNoHello } from './wire-connection.ts';

/** The part of the package `redis` that is used. */
type Library = Pick<typeof redis, 'createClient' | 'ErrorReply' | 'SocketClosedUnexpectedlyError'>;
type Options = redis.RedisClientOptions<
  redis.RedisModules,
  redis.RedisFunctions,
  redis.RedisScripts,
  redis.RespVersions
>;

/** Options that a config cannot set: whom to connect to and how to log in, and what would hide losses or change the keys. */
export const keptOptions = [
  ...['url', 'socket.host', 'socket.port', 'socket.path', 'socket.tls', 'socket.reconnectStrategy'],
  ...['username', 'password', 'credentialsProvider', 'name', 'database', 'disableOfflineQueue', 'keyPrefix'],
] as const;

/** node-redis, with a client for each connection. */
export function nodeRedisModule(library: Library): ClientModule {
  // Made here, its class is no part of the first connection attempt: it takes some 50 ms.
  const base = createBase(library);
  /** What the server was found to know. */
  let respOfServer: 2 | 3 = 3;
  return {
    multiplexes: true,
    async open(place) {
      const { RESP = place.protocol } = place.options as Options;
      try {
        return await openClient(library, base, place, RESP ?? respOfServer);
      } catch (error) {
        const isRefusal = error instanceof library.ErrorReply && knowsNoHello(error);
        if (RESP !== undefined || respOfServer === 2 || !isRefusal) throw error;
        respOfServer = 2;
        return await openClient(library, base, place, respOfServer);
      }
    },
  };
}

/** A client that never connects, of which all others are duplicates. */
function createBase({ createClient }: Library) {
  return createClient<redis.RedisModules, redis.RedisFunctions, redis.RedisScripts, redis.RespVersions>();
}

async function openClient(
  library: Library,
  base: ReturnType<typeof createBase>,
  place: Place,
  RESP: 2 | 3,
): Promise<ClientConnection> {
  const client = base.duplicate({ ...optionsOf(place), RESP });
  let isOpened = false;
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    const isClosed = error instanceof library.SocketClosedUnexpectedlyError;
    cause ??= error;
    if (isOpened) place.lost(isClosed ? undefined : error);
    // It would go on to wait for the reply to its login.
    else if (!isClosed && !('code' in error) && !(error instanceof library.ErrorReply)) client.destroy();
  });
  const giveUp = () => client.destroy();
  place.signal.addEventListener('abort', giveUp, { once: true });
  try {
    await client.connect();
    isOpened = true;
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw cause ?? error;
  } finally {
    place.signal.removeEventListener('abort', giveUp);
  }
  const toReply = (cause: unknown): Error => {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (error instanceof library.ErrorReply) error.name = 'ReplyError';
    return error;
  };
  return {
    // What is sent in one turn of the event loop leaves in one write.
    send: commands => Promise.all(commands.map(command => client.sendCommand(command).catch(toReply))),
    ping: () => client.ping(),
    close: () => client.destroy(),
  };
}

/** It queues, retries and resends nothing, as that would hide losses in latency. */
function optionsOf({ host, port, path, tls, username, password, database, name, options }: Place): Options {
  const { socket, ...others } = options as Options;
  const own = {
    ...(path === undefined ? { host, port } : { path }),
    ...(tls === undefined ? {} : { tls: true as const, ...tls }),
    connectTimeout: 0,
    reconnectStrategy: false as const,
  };
  return {
    disableClientInfo: true,
    // It would ask the server for what only Redis Enterprise knows.
    maintNotifications: 'disabled',
    ...others,
    socket: { ...socket, ...own } as NonNullable<Options['socket']>,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(name === undefined ? {} : { name }),
    database,
    disableOfflineQueue: true,
  };
}
