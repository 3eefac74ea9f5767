import type { RedisOptions } from 'ioredis';
import { type Connect, Connection } from '../connection.ts';
import { failureCode } from '../errors.ts';
import { type Address, socketPlace, tlsOptions } from './address.ts';
import { type Batch, type CommandSet, type CommandTemplate, connectionName, KEY, keyName } from './batch.ts';
import { Redis } from './ioredis.ts';
import { serverFinder } from './sentinel.ts';
import { connectTimeout } from './socket.ts';

/** A connection as an application has it: commands go through ioredis. */
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
      // The socket's errors have codes. The others mean that the bytes are no reply, or one that nobody asked for.
      this.#closedAs ??= code === 'CONNECTION_CLOSED' ? 'PROTOCOL' : code;
      redis.disconnect();
    });
  }

  /**
   * Makes the connections of one pool. An attempt that is unanswered after `timeoutMs` rejects with ETIMEDOUT.
   * With `autoPipelining`, ioredis writes single commands of one turn of the event loop together, and holds back later ones
   * until these are answered.
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
        ...(address.unnamed ? {} : { connectionName: connectionName(commandSet) }),
        enableAutoPipelining: autoPipelining,
      });
      let cause: Error | undefined;
      let refusal: Error | undefined;
      redis.on('error', error => {
        cause ??= error;
      });
      // A server that is full sends the reason before it closes. ioredis only reports the end.
      redis.once('connect', () => {
        redis.stream.once('data', (bytes: Buffer) => {
          const text = bytes.toString('latin1', 0, 256);
          if (text.startsWith('-ERR max number of clients')) refusal = new Error(text.slice(1).trimEnd());
        });
      });
      // ioredis's own limit ends with the TCP connection: a login that is never answered would wait for ever.
      const deadline = setTimeout(() => {
        cause ??= connectTimeout(timeoutMs);
        redis.disconnect();
      }, timeoutMs);
      // ioredis reports a refused login or SELECT by an event only, and may be "ready" after it.
      const outcome: unknown = await redis.connect().catch((error: unknown) => error);
      clearTimeout(deadline);
      if (cause !== undefined || outcome instanceof Error) {
        redis.disconnect();
        throw refusal ?? cause ?? outcome;
      }
      return new IoredisConnection(redis, commandSet);
    };
  }

  /** ioredis is "ready" until the socket is gone, which is some turns after its end or our own close. */
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
    this.#redis.call(...callOf(this.#commandSet, batch, 0)).then(
      value => {
        batch.answered(value, 0, this.#commandSet);
        this.#settle(batch);
      },
      (error: unknown) => {
        batch.fail(codeOf(error, this.#closedAs), 1, 0);
        this.#settle(batch);
      },
    );
  }

  #sendPipeline(batch: Batch): void {
    const pipeline = this.#redis.pipeline();
    for (let i = 0; i < batch.size; i++) pipeline.call(...callOf(this.#commandSet, batch, i));
    pipeline.exec().then(
      outcomes => {
        for (const [index, [error, value]] of (outcomes ?? []).entries()) {
          if (error === null) batch.answered(value, index, this.#commandSet);
          else batch.fail(codeOf(error, this.#closedAs), 1, index);
        }
        this.#settle(batch);
      },
      (error: unknown) => {
        batch.fail(codeOf(error, this.#closedAs), batch.size);
        this.#settle(batch);
      },
    );
  }

  #settle(batch: Batch): void {
    this.settled++;
    batch.done();
  }
}

/** Name and arguments of one command of a batch, as `call` of ioredis takes them. */
export function callOf(
  { keyPrefix, commands }: CommandSet,
  batch: Batch,
  index: number,
): [name: string, args: string[]] {
  const { name, args } = commands[batch.commandAt(index)] as CommandTemplate;
  const { numbers, stride } = batch;
  const first = index * stride;
  let nextKey = first;
  const texts = args.map(arg => {
    if (arg === KEY) return keyName(keyPrefix, numbers[nextKey++] as number);
    if (typeof arg === 'string') return arg;
    let text = '';
    for (const part of arg) text += typeof part === 'string' ? part : String(numbers[first + part]);
    return text;
  });
  return [name, texts];
}

/** The code of a failed command: the first word of an error reply, or the reason why the connection was lost. */
export function codeOf(error: unknown, closedAs: string | undefined): string {
  if (isRefusal(error)) return error.message.split(' ', 1)[0] || 'ERR';
  const code = failureCode(error);
  return code === 'CONNECTION_CLOSED' ? (closedAs ?? code) : code;
}

/** Whether the server answered with an error. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Options of ioredis for measuring: it queues, retries and resends nothing, as that would hide losses in latency. */
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
}
