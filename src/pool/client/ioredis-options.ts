import type { RedisOptions } from 'ioredis';

/** Options that a config can set; how replies are mapped is a type of its own. */
export type OwnOptions = Omit<RedisOptions, 'replyMapping'>;

/** Options of ioredis for measuring: it queues, retries and resends nothing, as that would hide losses in latency. */
export const measuringOptions = {
  connectTimeout: 0,
  // ioredis would wait two seconds for the server to close a connection that we close.
  disconnectTimeout: 0,
  lazyConnect: true,
  enableReadyCheck: false,
  disableClientInfo: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  retryStrategy: () => null,
  maxRetriesPerRequest: null,
} satisfies RedisOptions;

/** Options that a config cannot set: those, and what the target, the key prefix and `autoPipelining` decide. */
export const keptOptions: readonly string[] = [
  ...Object.keys(measuringOptions),
  ...['host', 'port', 'path', 'username', 'password', 'db', 'tls', 'connectionName', 'keyPrefix'],
  ...['sentinels', 'name', 'reconnectOnError', 'enableAutoPipelining'],
];
