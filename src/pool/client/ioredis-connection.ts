import type { ChainableCommander, RedisOptions } from 'ioredis';
import { type CommandGuard, type Connect, Connection, type GuardedClient } from '../connection.ts';
import { codeOf, failureCode, isRefusal } from '../errors.ts';
import { acknowledgementsOf, acknowledges, countAcknowledgements } from './acknowledgements.ts';
import { type Address, socketPlace, tlsOptions } from './address.ts';
import { type Batch, type CommandSet, connectionName } from './batch.ts';
import { callOf, countCommand, hasSeveralRequests, requestsAt } from './calls.ts';
import { Redis } from './ioredis.ts';
import { measuringOptions, type OwnOptions } from './ioredis-options.ts';
import { serverFinder } from './sentinel.ts';
import { connectTimeout } from './socket.ts';

/** A connection as an application has it: commands go through ioredis. */
export class IoredisConnection extends Connection {
  readonly #redis: Redis;
  readonly #commandSet: CommandSet;
  readonly #acknowledges: boolean;
  /** Why it is lost or closed, once that is known. */
  #closedAs: string | undefined;

  private constructor(redis: Redis, commandSet: CommandSet) {
    super();
    this.#redis = redis;
    this.#commandSet = commandSet;
    this.#acknowledges = acknowledges(commandSet);
    redis.on('error', error => {
      const code = failureCode(error);
      // The socket's errors have codes. Others mean that the bytes are not a reply, or an unexpected one.
      this.#closedAs ??= code === 'CONNECTION_CLOSED' ? 'PROTOCOL' : code;
      redis.disconnect();
    });
  }

  /**
   * Makes the connections of one pool. An attempt that is unanswered after `timeoutMs` rejects with ETIMEDOUT.
   * With `autoPipelining`, ioredis writes single commands of one turn of the event loop together, and holds back later ones
   * until these are answered.
   *
   * @param more.options of ioredis, none of them among `keptOptions`
   * @param more.library a package with the interface of ioredis @default ioredis
   */
  static connector(
    address: Address,
    commandSet: CommandSet,
    timeoutMs: number,
    {
      autoPipelining,
      options,
      library = { Redis },
    }: { autoPipelining: boolean; options: OwnOptions; library?: { Redis: typeof Redis } },
  ): Connect {
    const findServer = serverFinder(address, timeoutMs);
    return async () => {
      const redis = new library.Redis({
        ...redisOptions(await findServer()),
        ...options,
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
      // ioredis's own limit ends with the TCP connection: a login that is never answered would wait forever.
      const deadline = setTimeout(() => {
        cause ??= connectTimeout(timeoutMs);
        redis.disconnect();
      }, timeoutMs);
      // ioredis reports a refused login or SELECT by an event only, and may be "ready" after it.
      const outcome: unknown = await redis
        .connect()
        .then(() => (library.Redis === Redis ? undefined : confirmLogin(redis)))
        .catch((error: unknown) => error);
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
    if (batch.size === 1 && !hasSeveralRequests(this.#commandSet, batch, 0)) this.#sendOne(batch);
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

  override get closedAs(): string | undefined {
    return this.#closedAs;
  }

  override guarded(guard: CommandGuard): GuardedClient {
    const redis = this.#redis;
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      const refusal = guard(command.name, command.args, 0);
      if (refusal === undefined) return send(command, stream);
      // A pipeline sends what it has when all of its commands have written.
      stream?.write('');
      command.reject(refusal);
      return command.promise;
    };
    return { client: redis, isReply: isRefusal };
  }

  #sendOne(batch: Batch): void {
    this.#redis.call(...callOf(this.#commandSet, batch, 0)).then(
      value => {
        batch.answered(value, 0, this.#commandSet);
        if (this.#acknowledges) this.#acknowledge(batch, [value]);
        else this.#settle(batch);
      },
      (error: unknown) => {
        batch.fail(codeOf(error, this.#closedAs), 1, 0);
        this.#settle(batch);
      },
    );
  }

  #sendPipeline(batch: Batch): void {
    const pipeline = this.#redis.pipeline();
    for (let i = 0; i < batch.size; i++) queueCommand(pipeline, this.#commandSet, batch, i);
    pipeline.exec().then(
      outcomes => {
        let at = 0;
        const values: unknown[] | undefined = this.#acknowledges ? [] : undefined;
        for (let i = 0; i < batch.size; i++) {
          at = countCommand(batch, i, this.#commandSet, outcomes ?? [], at, this.#closedAs);
          values?.push(outcomes?.[at - 1]?.[1]);
        }
        if (values === undefined) this.#settle(batch);
        else this.#acknowledge(batch, values);
      },
      (error: unknown) => {
        batch.fail(codeOf(error, this.#closedAs), batch.size);
        this.#settle(batch);
      },
    );
  }

  /** Acknowledges what the batch has read. @param replies to its commands */
  #acknowledge(batch: Batch, replies: readonly unknown[]): void {
    const acknowledgements = acknowledgementsOf(batch, this.#commandSet, replies);
    if (acknowledgements.length === 0) {
      this.#settle(batch);
      return;
    }
    const pipeline = this.#redis.pipeline();
    for (const { args } of acknowledgements) pipeline.call(...args);
    const count = (errorOf: (place: number) => unknown) => {
      countAcknowledgements(batch, acknowledgements, place => {
        const error = errorOf(place);
        return error === null ? undefined : codeOf(error, this.#closedAs);
      });
      this.#settle(batch);
    };
    pipeline.exec().then(
      outcomes => count(place => outcomes?.[place]?.[0] ?? null),
      (error: unknown) => count(() => error),
    );
  }

  #settle(batch: Batch): void {
    this.settled++;
    batch.done();
  }
}

/** A fork of ioredis 5 is "ready" before its login is answered. Rejects if the connection is lost, or lacks a login. */
async function confirmLogin(redis: Redis): Promise<void> {
  await redis.ping().catch((error: unknown) => {
    if (!isRefusal(error) || error.message.startsWith('NOAUTH')) throw error;
  });
}

/** A pipeline can hold transactions, which the types of ioredis leave out. */
type TransactionPipeline = ChainableCommander & { multi(): void };

/** Adds the requests of one command of a batch to a pipeline. */
export function queueCommand(
  pipeline: ChainableCommander,
  set: CommandSet,
  batch: Batch,
  index: number,
): void {
  if (!hasSeveralRequests(set, batch, index)) {
    pipeline.call(...callOf(set, batch, index));
    return;
  }
  for (const [name, args] of requestsAt(set, batch, index)) {
    // By these ioredis knows a transaction, which it sends to another node as a whole. This `exec` only queues an EXEC.
    if (name === 'MULTI') (pipeline as TransactionPipeline).multi();
    else if (name === 'EXEC') void pipeline.exec();
    else pipeline.call(name, args);
  }
}

/** Options of ioredis for a connection of the load. */
export function redisOptions(address: Address) {
  const { username, password, database, protocol } = address;
  return {
    ...socketPlace(address),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: tlsOptions(address) } : {}),
    ...(protocol === undefined ? {} : { protocol }),
    db: database,
    ...measuringOptions,
  } satisfies RedisOptions;
}
