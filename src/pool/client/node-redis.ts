import type * as redis from 'redis';
import type { CommandGuard } from '../connection.ts';
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

/** Options that a config cannot set: the target, the login, and anything that would hide losses or change the keys. */
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
    guarded: guard => {
      guardSends(client, guard);
      return { client, isReply: error => error instanceof library.ErrorReply };
    },
  };
}

type Sent = readonly unknown[];
/** What is common to all that it sends: single commands, transactions and pipelines. */
interface Sender {
  sendCommand(args: Sent, ...more: unknown[]): Promise<unknown>;
  _executeMulti(commands: readonly { readonly args: Sent }[], ...more: unknown[]): Promise<unknown>;
  _executePipeline(commands: readonly { readonly args: Sent }[], ...more: unknown[]): Promise<unknown>;
}

/** A transaction or a pipeline of which one command is refused is not sent at all. */
function guardSends(client: object, guard: CommandGuard): void {
  // All other views of the connection, such as those with other options, are made from this one.
  const { _self: sender } = client as { readonly _self: Sender };
  const refusalOf = (args: Sent) => guard(String(args[0]), args, 1);
  const { sendCommand, _executeMulti, _executePipeline } = sender;
  sender.sendCommand = function (args, ...more) {
    const refusal = refusalOf(args);
    return refusal === undefined ? sendCommand.call(this, args, ...more) : Promise.reject(refusal);
  };
  const guardAll = (execute: Sender['_executeMulti'], before: readonly Sent[], behind: readonly Sent[]) =>
    function (this: Sender, commands: readonly { readonly args: Sent }[], ...more: unknown[]) {
      let refusal: Error | undefined;
      for (const args of [...before, ...commands.map(command => command.args), ...behind]) {
        // All are shown, as the end of a transaction ends it even if it is not sent.
        const found = refusalOf(args);
        refusal ??= found;
      }
      return refusal === undefined ? execute.call(this, commands, ...more) : Promise.reject(refusal);
    };
  sender._executeMulti = guardAll(_executeMulti, [['MULTI']], [['EXEC']]);
  sender._executePipeline = guardAll(_executePipeline, [], []);
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
