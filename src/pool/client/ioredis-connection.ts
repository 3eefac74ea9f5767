import { Redis, type RedisOptions } from 'ioredis';
import { type Connect, Connection } from '../connection.ts';
import { failureCode } from '../errors.ts';
import { type Address, socketPlace, tlsOptions } from './address.ts';
import { type Batch, type CommandSet, type CommandTemplate, connectionName, KEY, keyName } from './batch.ts';
import { serverFinder } from './sentinel.ts';

/** What an application pays: commands go through ioredis as it would send them. */
export class IoredisConnection extends Connection {
  readonly #redis: Redis;
  readonly #commandSet: CommandSet;
  /** Why it is lost or closed, once that is known. */
  #closedAs: string | undefined;

  private constructor(redis: Redis, commandSet: CommandSet) {
    super();
    this.#redis = redis;
    this.#commandSet = commandSet;
    redis.on('error', error => {
      const code = failureCode(error);
      // The socket's errors have codes. The others say that what arrived is no reply, or that nobody asked for it.
      this.#closedAs ??= code === 'CONNECTION_CLOSED' ? 'PROTOCOL' : code;
      redis.disconnect();
    });
  }

  /**
   * Makes the connections of one pool. A connect unanswered after `timeoutMs` rejects with ETIMEDOUT.
   * With `autoPipelining`, ioredis writes single commands of one turn of the event loop together, and holds back what
   * comes while the last ones are unanswered.
   */
  static connector(
    address: Address,
    commandSet: CommandSet,
    timeoutMs: number,
    { autoPipelining = false }: { autoPipelining?: boolean } = {},
  ): Connect {
    const findServer = serverFinder(address, timeoutMs);
    return async () => {
      const redis = new Redis({
        ...redisOptions(await findServer()),
        connectionName: connectionName(commandSet),
        enableAutoPipelining: autoPipelining,
      });
      let cause: Error | undefined;
      let refusal: Error | undefined;
      redis.on('error', error => {
        cause ??= error;
      });
      // A server that is full says so before it closes; ioredis tells of the end only.
      redis.once('connect', () => {
        redis.stream.once('data', (bytes: Buffer) => {
          const said = bytes.toString('latin1', 0, 256);
          if (said.startsWith('-ERR max number of clients')) refusal = new Error(said.slice(1).trimEnd());
        });
      });
      // ioredis's own limit ends with the TCP connect: a login that is never answered would wait for ever.
      const deadline = setTimeout(() => {
        cause ??= Object.assign(new Error(`No connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
        redis.disconnect();
      }, timeoutMs);
      // ioredis tells of a refused login or SELECT in an event only, and may be "ready" after it.
      const outcome: unknown = await redis.connect().catch((error: unknown) => error);
      clearTimeout(deadline);
      if (cause !== undefined || outcome instanceof Error) {
        redis.disconnect();
        throw refusal ?? cause ?? outcome;
      }
      return new IoredisConnection(redis, commandSet);
    };
  }

  /** ioredis itself says "ready" until the socket is gone: some turns after its end, or after our own close. */
  get alive(): boolean {
    return this.#redis.status === 'ready' && this.#redis.stream.writable;
  }

  send(batch: Batch): void {
    batch.restart();
    this.sent++;
    if (batch.size === 1) this.#sendOne(batch);
    else this.#sendPipeline(batch);
  }

  async ping(): Promise<void> {
    this.sent++;
    try {
      await this.#redis.ping();
    } finally {
      this.settled++;
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#closedAs ??= code;
    this.#redis.disconnect();
  }

  #sendOne(batch: Batch): void {
    this.#redis.call(nameOf(this.#commandSet, batch, 0), argsOf(this.#commandSet, batch, 0)).then(
      value => {
        count(batch, 0, undefined, value);
        this.#settle(batch);
      },
      (error: unknown) => {
        batch.fail(this.#codeOf(error), 1, 0);
        this.#settle(batch);
      },
    );
  }

  #sendPipeline(batch: Batch): void {
    const pipeline = this.#redis.pipeline();
    for (let i = 0; i < batch.size; i++) {
      pipeline.call(nameOf(this.#commandSet, batch, i), argsOf(this.#commandSet, batch, i));
    }
    pipeline.exec().then(
      outcomes => {
        for (const [index, [error, value]] of (outcomes ?? []).entries())
          count(batch, index, error === null ? undefined : this.#codeOf(error), value);
        this.#settle(batch);
      },
      (error: unknown) => {
        batch.fail(this.#codeOf(error), batch.size);
        this.#settle(batch);
      },
    );
  }

  /** An error reply counts under its own code, a lost connection under what the socket said. */
  #codeOf(error: unknown): string {
    if (error instanceof Error && error.name === 'ReplyError') return error.message.split(' ', 1)[0] || 'ERR';
    const code = failureCode(error);
    return code === 'CONNECTION_CLOSED' ? (this.#closedAs ?? code) : code;
  }

  #settle(batch: Batch): void {
    this.settled++;
    batch.done();
  }
}

/** Name of one command of a batch. */
export function nameOf(commandSet: CommandSet, batch: Batch, index: number): string {
  return templateOf(commandSet, batch, index).name;
}

/** Its arguments, keys and numbers spelled out. */
export function argsOf(commandSet: CommandSet, batch: Batch, index: number): string[] {
  const { numbers, stride } = batch;
  let next = index * stride;
  return templateOf(commandSet, batch, index).args.map(arg => {
    if (arg === KEY) return keyName(commandSet.keyPrefix, numbers[next++] as number);
    return typeof arg === 'string' ? arg : spellOut(arg, numbers, index * stride);
  });
}

function spellOut(parts: readonly (string | number)[], numbers: Uint32Array, first: number): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : String(numbers[first + part]);
  return text;
}

function templateOf({ commands }: CommandSet, batch: Batch, index: number): CommandTemplate {
  return commands[batch.commandAt(index)] as CommandTemplate;
}

/** Counts the outcome of the command at `index`: a failure where there is a code. */
export function count(batch: Batch, index: number, code: string | undefined, value: unknown): void {
  if (code !== undefined) batch.fail(code, 1, index);
  else {
    batch.completed++;
    if (value !== null) return;
    batch.misses++;
    batch.missedAt(index);
  }
}

/** Set so that ioredis measures and does not flatter: nothing is queued, retried or resent behind the measurement. */
export function redisOptions(address: Address) {
  const { username, password, database, protocol } = address;
  return {
    ...socketPlace(address),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: tlsOptions(address) } : {}),
    ...(protocol === undefined ? {} : { protocol }),
    db: database,
    connectTimeout: 0,
    // ioredis would wait two seconds for the server to close a connection that we close: an answer that never comes.
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
}
