import type * as glide from '@valkey/valkey-glide';
import type { ClientModule, Place } from './client-module.ts';

type Library = Pick<typeof glide, 'Batch' | 'GlideClient' | 'ProtocolVersion'>;
type Options = glide.GlideClientConfiguration;

/** Options that a config cannot set: whom to connect to and how to log in, and what would hide losses. */
export const keptOptions = [
  ...['addresses', 'credentials', 'databaseId', 'clientName', 'useTLS', 'protocol', 'readFrom'],
  ...['connectionBackoff', 'lazyConnect'],
] as const;

/** Poolbench has a time limit of its own, by which all clients are held. */
const requestTimeoutMs = 600_000;

/**
 * valkey-glide, with a client for each connection. It tells nobody that a connection is lost, and opens it again by itself:
 * here it is lost when a command says so.
 */
export function valkeyGlideModule({ Batch, GlideClient, ProtocolVersion }: Library): ClientModule {
  return {
    multiplexes: true,
    async open(place) {
      const protocol = place.protocol === 2 ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3;
      const client = await GlideClient.createClient({ ...optionsOf(place), protocol });
      return {
        async send(commands) {
          const [first] = commands;
          if (first !== undefined && commands.length === 1) return [await client.customCommand([...first])];
          const batch = new Batch(false);
          for (const command of commands) batch.customCommand([...command]);
          return (await client.exec(batch, false)) ?? [];
        },
        ping: () => client.ping(),
        close: () => client.close(),
      };
    },
  };
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
    connectionBackoff: { numberOfRetries: 0, factor: 1, exponentBase: 1 },
  };
}

/** It knows no certificates of clients. */
function tlsOf({ ca, rejectUnauthorized }: NonNullable<Place['tls']>) {
  return {
    ...(ca === undefined ? {} : { rootCertificates: ca }),
    ...(rejectUnauthorized === false ? { insecure: true } : {}),
  };
}
