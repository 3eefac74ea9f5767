// A client of your own for poolbench. docs/clients.md explains each part. This one wraps ioredis.
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';

export default {
  // Whether one connection can serve several callers at a time, as the preset "shared" needs.
  multiplexes: true,
  // For the results.
  version: createRequire(import.meta.url)('ioredis/package.json').version,

  async open({ host, port, path, tls, username, password, database, protocol, name, options, signal, lost }) {
    const redis = new Redis({
      ...{ host, port, path, tls, username, password, protocol, db: database, connectionName: name },
      // A client that queues, retries or reconnects by itself hides losses.
      ...{ lazyConnect: true, enableOfflineQueue: false, retryStrategy: null, maxRetriesPerRequest: null },
      ...{ enableReadyCheck: false, disableClientInfo: true, connectTimeout: 0, disconnectTimeout: 0 },
      ...options,
    });
    let failure;
    redis.on('error', error => {
      failure ??= error;
      lost(error);
    });
    redis.on('close', () => lost());
    signal.addEventListener('abort', () => redis.disconnect());
    await redis.connect();
    if (failure) throw failure;

    return {
      // A command on its own: without it, send gets a list of one.
      sendOne: command => redis.call(...command),
      send(commands) {
        const pipeline = redis.pipeline();
        for (const command of commands) pipeline.call(...command);
        return pipeline.exec().then(outcomes => outcomes.map(([error, value]) => error ?? value));
      },
      ping: () => redis.ping(),
      close: () => redis.disconnect(),
    };
  },
};
