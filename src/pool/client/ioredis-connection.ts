import type { ChainableCommander, RedisOptions } from 'ioredis';
import { type Connect, Connection } from '../connection.ts';
import { failureCode } from '../errors.ts';
import { acknowledgementsOf, acknowledges, countAcknowledgements } from './acknowledgements.ts';
import { type Address, socketPlace, tlsOptions } from './address.ts';
import {
  type Batch,
  type CommandSet,
  type CommandTemplate,
  connectionName,
  KEY,
  keyName,
  requestsOfCommand,
  type TemplateRequest,
} from './batch.ts';
import { Redis } from './ioredis.ts';
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

/** Name and arguments of one command of a batch, as `call` of ioredis takes them. The command has one request. */
export function callOf(
  set: CommandSet,
  batch: Batch,
  index: number,
): [name: string, args: (string | Buffer)[]] {
  const command = set.commands[batch.commandAt(index)] as CommandTemplate;
  return [command.name, textsOf(set, command, batch, index, 0)];
}

/** Whether the command is sent in several requests, such as those of a transaction. */
export function hasSeveralRequests({ commands }: CommandSet, batch: Batch, index: number): boolean {
  return commands[batch.commandAt(index)]?.followedBy !== undefined;
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
  let keys = 0;
  for (const request of requestsOfCommand(set.commands[batch.commandAt(index)] as CommandTemplate)) {
    // By these ioredis knows a transaction, which it sends to another node as a whole. This `exec` only queues an EXEC.
    if (request.name === 'MULTI') (pipeline as TransactionPipeline).multi();
    else if (request.name === 'EXEC') void pipeline.exec();
    else pipeline.call(request.name, textsOf(set, request, batch, index, keys));
    keys += request.args.filter(arg => arg === KEY).length;
  }
}

type Outcomes = readonly (readonly [error: Error | null, value: unknown])[];

/**
 * Counts the outcome of one command of a batch, whose replies are those of a pipeline from `at` on: of several the first
 * error, also at any depth inside the last one, as a transaction reports those of its commands there.
 *
 * @returns where the replies to the next command are
 */
export function countCommand(
  batch: Batch,
  index: number,
  set: CommandSet,
  outcomes: Outcomes,
  at: number,
  closedAs: string | undefined,
): number {
  const { followedBy } = set.commands[batch.commandAt(index)] as CommandTemplate;
  const last = at + (followedBy?.length ?? 0);
  let failure: unknown = null;
  for (let reply = at; reply <= last; reply++) failure ??= outcomes[reply]?.[0] ?? null;
  const value = outcomes[last]?.[1];
  if (last > at) failure ??= refusalIn(value) ?? null;
  if (failure === null) batch.answered(value, index, set);
  else batch.fail(codeOf(failure, closedAs), 1, index);
  return last + 1;
}

/** The first error in a reply. The client that scans bytes knows no depth either. */
function refusalIn(value: unknown): Error | undefined {
  if (!Array.isArray(value)) return isRefusal(value) ? value : undefined;
  for (const element of value) {
    const refusal = refusalIn(element);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** @param keys the number of keys that the requests before it have used up */
function textsOf(
  { keyPrefix }: CommandSet,
  { args }: TemplateRequest,
  { numbers, stride }: Batch,
  index: number,
  keys: number,
): (string | Buffer)[] {
  const first = index * stride;
  let nextKey = first + keys;
  return args.map(arg => {
    if (arg === KEY) return keyName(keyPrefix, numbers[nextKey++] as number);
    if (typeof arg === 'string' || Buffer.isBuffer(arg)) return arg;
    if ('sameKey' in arg) return keyName(keyPrefix, numbers[first + arg.sameKey] as number);
    let text = '';
    for (const part of arg) text += typeof part === 'string' ? part : String(numbers[first + part]);
    return text;
  });
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
