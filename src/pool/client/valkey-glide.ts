import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type * as glide from '@valkey/valkey-glide';
import type { ClientModule, Place, SentCommand } from './client-module.ts';

type Library = Pick<typeof glide, 'Batch' | 'Decoder' | 'GlideClient' | 'Logger' | 'ProtocolVersion'>;
type Options = glide.GlideClientConfiguration;

/** Options that a config cannot set: the target, the login, and anything that would hide losses. */
export const keptOptions = [
  ...['addresses', 'credentials', 'databaseId', 'clientName', 'useTLS', 'protocol', 'readFrom'],
  'lazyConnect',
] as const;

/** poolbench has its own time limit, the same for all clients. */
const requestTimeoutMs = 600_000;

/**
 * valkey-glide, with a client for each connection. It does not report a lost connection, and reopens it between two
 * commands. This cannot be turned off: without retries, commands then wait forever. Only a command in flight reveals
 * that its connection is lost.
 */
export function valkeyGlideModule({
  Batch,
  Decoder,
  GlideClient,
  Logger,
  ProtocolVersion,
}: Library): ClientModule {
  // It would write every error reply to standard error.
  Logger.setLoggerConfig('off');
  removeSocketAtExit();
  return {
    multiplexes: true,
    async open(place) {
      const protocol = place.protocol === 2 ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3;
      // It rejects a reply that is no text, as it decodes all of them.
      const decoding = place.binary ? { decoder: Decoder.Bytes } : {};
      const client = await GlideClient.createClient({ ...optionsOf(place), protocol });
      return {
        sendOne: command => client.customCommand([...command], decoding).catch(refuse),
        async send(commands) {
          const batch = new Batch(false);
          for (const command of commands) batch.customCommand([...command]);
          const replies = (await client.exec(batch, false, decoding)) ?? [];
          return replies.map((reply, place) => toReply(reply, commands[place]));
        },
        ping: () => client.ping(),
        close: () => client.close(),
      };
    },
  };
}

let removesSocket = false;

/**
 * Removes the socket of glide's core when the process ends: glide leaves it in /tmp
 * (valkey-io/valkey-glide#4747). Not earlier, because all clients of all threads share it.
 */
function removeSocketAtExit(): void {
  if (removesSocket || !isMainThread) return;
  removesSocket = true;
  process.once('exit', () => {
    try {
      const left = readdirSync('/tmp').filter(name => name.startsWith(`glide-socket-${process.pid}-`));
      for (const name of left) rmSync(join('/tmp', name), { force: true });
    } catch {
      // A folder that cannot be listed keeps it.
    }
  });
}

function optionsOf({
  host,
  port,
  tls,
  username,
  password,
  database,
  name,
  timeoutMs,
  options,
}: Place): Options {
  const { advancedConfiguration, ...others } = options as Partial<Options>;
  return {
    requestTimeout: requestTimeoutMs,
    ...others,
    addresses: [{ host, port }],
    useTLS: tls !== undefined,
    ...(password === undefined
      ? {}
      : { credentials: { ...(username === undefined ? {} : { username }), password } }),
    ...(name === undefined ? {} : { clientName: name }),
    databaseId: database,
    advancedConfiguration: {
      connectionTimeout: timeoutMs,
      ...(tls === undefined ? {} : { tlsAdvancedConfiguration: tlsOf(tls) }),
      ...advancedConfiguration,
    },
  };
}

/** It knows no certificates of clients. */
function tlsOf({ ca, rejectUnauthorized }: NonNullable<Place['tls']>) {
  return {
    ...(ca === undefined ? {} : { rootCertificates: ca }),
    ...(rejectUnauthorized === false ? { insecure: true } : {}),
  };
}

/** A reply as the server sent it, as far as poolbench looks at it. */
function toReply(reply: unknown, command: SentCommand | undefined): unknown {
  if (reply instanceof Error) return asReply(reply);
  if (!Array.isArray(reply)) return reply;
  switch (command?.[0]) {
    case 'EXEC':
      return reply.map(one => toReply(one, command));
    case 'XREADGROUP':
      return reply.map(({ key, value }: KeyValue) => [
        key,
        (value as KeyValue[]).map(entry => [entry.key, entry.value]),
      ]);
    default:
      return reply;
  }
}

/** Glide's form of an element of a map. */
interface KeyValue {
  readonly key: unknown;
  readonly value: unknown;
}

function refuse(error: Error): never {
  throw asReply(error);
}

/** Codes of the server for which glide has names of its own. Other names are the code in another case, or the code. */
const codes: Readonly<Record<string, string>> = {
  ResponseError: 'ERR',
  BusyLoadingError: 'LOADING',
  PermissionDenied: 'NOPERM',
};

/**
 * The server's error within glide's own: "An error was signalled by the server: - ResponseError: value is not …", or
 * "NOGROUP: No such key …".
 */
function asReply(error: Error): Error {
  if (error.name === 'ReplyError') return error;
  const [, kind, text = ''] =
    /(?:signalled by the server: - |^(?=[A-Z]+:))(\w+): (.*)/s.exec(error.message) ?? [];
  if (kind === undefined) return error;
  const code = codes[kind] ?? kind.replace(/Error$/, '').toUpperCase();
  const reply = new Error(`${code} ${text}`);
  reply.name = 'ReplyError';
  return reply;
}
