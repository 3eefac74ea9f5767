import { type CommandGuard, type Connect, Connection, type GuardedClient } from '../connection.ts';
import { codeOf, failureCode, isRefusal, PoolError } from '../errors.ts';
import {
  type Acknowledgement,
  acknowledgementsOf,
  acknowledges,
  countAcknowledgements,
} from './acknowledgements.ts';
import { type Address, tlsOptions } from './address.ts';
import { type Batch, type CommandSet, connectionName, requestsOfCommand } from './batch.ts';
import { countCommand, listMaker, type Outcome, requestsAt } from './calls.ts';
import {
  type ClientConnection,
  type ClientModule,
  faultOfConnection,
  type Place,
  type SentCommand,
} from './client-module.ts';
import { serverFinder } from './sentinel.ts';
import { connectTimeout } from './socket.ts';

/** How long a closed connection of a module may take to reject what is in flight. */
const maxRejectMs = 100;

type ListMaker = ReturnType<typeof listMaker>;

/** A connection of a client module, which poolbench does not trust with its accounting. */
export class ModuleConnection extends Connection {
  readonly #client: ClientConnection;
  readonly #commandSet: CommandSet;
  /** Makes the list of a command; undefined if some commands have several requests, or acknowledge what they have read. */
  readonly #listOf: ListMaker | undefined;
  /** In the order in which they were sent, as most modules answer in it. */
  readonly #inFlight: Batch[] = [];
  /** Reject the pings that are unanswered. */
  readonly #pings = new Set<(error: Error) => void>();
  #alive = true;
  #closedAs: string | undefined;

  private constructor(client: ClientConnection, commandSet: CommandSet, listOf: ListMaker | undefined) {
    super();
    this.#client = client;
    this.#commandSet = commandSet;
    this.#listOf = listOf;
  }

  /** Makes the connections of one pool. An attempt that is unanswered after `timeoutMs` rejects with ETIMEDOUT. */
  static connector(
    address: Address,
    commandSet: CommandSet,
    timeoutMs: number,
    { module, options }: { module: ClientModule; options: Place['options'] },
  ): Connect {
    const findServer = serverFinder(address, timeoutMs);
    const listOf = isSimple(commandSet) ? listMaker(commandSet) : undefined;
    return async () => {
      const server = await findServer();
      const attempt = new AbortController();
      let connection: ModuleConnection | undefined;
      let lost: { readonly error: Error | undefined } | undefined;
      const place: Place = {
        ...placeOf(server, commandSet),
        options,
        timeoutMs,
        signal: attempt.signal,
        lost: error => {
          lost ??= { error };
          if (connection !== undefined)
            connection.#lose(error === undefined ? 'CONNECTION_CLOSED' : codeOfLoss(error));
        },
      };
      return await new Promise<ModuleConnection>((resolve, reject) => {
        const deadline = setTimeout(() => {
          attempt.abort();
          reject(connectTimeout(timeoutMs));
        }, timeoutMs);
        const opened = (client: ClientConnection) => {
          const fault = faultOfConnection(client);
          if (fault !== undefined) {
            attempt.abort();
            closeAnyway(client);
            reject(new PoolError('CLIENT_NOT_USABLE', fault));
            return;
          }
          connection = new ModuleConnection(client, commandSet, listOf);
          if (lost === undefined && !attempt.signal.aborted) {
            resolve(connection);
            return;
          }
          connection.close();
          reject(lost?.error ?? new Error('The connection was lost while it was being opened'));
        };
        // A module may throw where it should reject.
        Promise.resolve(place)
          .then(place => module.open(place))
          .then(opened, error => reject(lost?.error ?? error))
          .finally(() => clearTimeout(deadline));
      });
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  send(batch: Batch): void {
    batch.restart();
    this.sent++;
    if (!this.#alive) {
      process.nextTick(() => {
        batch.fail(this.#closedAs ?? 'CONNECTION_CLOSED', batch.size);
        this.#settle(batch);
      });
      return;
    }
    this.#inFlight.push(batch);
    const client = this.#client;
    const listOf = this.#listOf;
    if (listOf === undefined)
      transmit(client, client.send, requestsOf(this.#commandSet, batch)).then(
        replies => this.#answeredSeveral(batch, replies),
        (error: unknown) => this.#failed(batch, error),
      );
    else if (batch.size === 1 && client.sendOne !== undefined)
      transmit(client, client.sendOne, listOf(batch, 0)).then(
        reply => this.#answeredOne(batch, reply),
        (error: unknown) => this.#failed(batch, error),
      );
    else
      transmit(client, client.send, listsOf(batch, listOf)).then(
        replies => this.#answered(batch, replies),
        (error: unknown) => this.#failed(batch, error),
      );
  }

  override get closedAs(): string | undefined {
    return this.#closedAs;
  }

  override guarded(guard: CommandGuard): GuardedClient | undefined {
    return this.#client.guarded?.(guard);
  }

  async ping(): Promise<void> {
    this.sent++;
    try {
      if (!this.#alive) throw connectionLost(this.#closedAs);
      await new Promise((resolve, reject) => {
        this.#pings.add(reject);
        transmit(this.#client, this.#client.ping, undefined)
          .finally(() => this.#pings.delete(reject))
          .then(resolve, reject);
      });
    } finally {
      this.settled++;
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#lose(code);
  }

  /** Removes a batch from those in flight. @returns false if it is not among them, because it was abandoned */
  #land(batch: Batch): boolean {
    const inFlight = this.#inFlight;
    const at = inFlight.indexOf(batch);
    if (at === 0) inFlight.shift();
    else if (at > 0) inFlight.splice(at, 1);
    return at >= 0;
  }

  #answeredOne(batch: Batch, reply: unknown): void {
    if (!this.#land(batch)) return;
    this.#count(batch, reply, 0);
    this.#settle(batch);
  }

  #answered(batch: Batch, replies: unknown): void {
    if (!this.#land(batch)) return;
    for (let index = 0; index < batch.size; index++)
      this.#count(batch, Array.isArray(replies) ? replies[index] : undefined, index);
    this.#settle(batch);
  }

  /** Counts the reply to a command of one request. */
  #count(batch: Batch, reply: unknown, index: number): void {
    if (reply === undefined) this.#fail(batch, noReply(), 1, index);
    else if (reply instanceof Error) this.#fail(batch, reply, 1, index);
    else batch.answered(reply, index, this.#commandSet);
  }

  /** Some commands have several replies, or acknowledge what they have read. */
  #answeredSeveral(batch: Batch, replies: unknown): void {
    if (!this.#inFlight.includes(batch)) return;
    const commandSet = this.#commandSet;
    const total = requestsOf(commandSet, batch).length;
    const outcomes = Array.from({ length: total }, (_, place) => this.#outcomeOf(replies, place));
    const last: unknown[] = [];
    let at = 0;
    for (let index = 0; index < batch.size; index++) {
      at = countCommand(batch, index, commandSet, outcomes, at, this.#closedAs);
      last.push(outcomes[at - 1]?.[1]);
    }
    const acknowledgements = acknowledgementsOf(batch, commandSet, last);
    this.#failUnreadable(batch, last, acknowledgements);
    if (acknowledgements.length === 0) {
      this.#land(batch);
      this.#settle(batch);
      return;
    }
    const count = (codeAt: (place: number) => unknown) => {
      if (!this.#land(batch)) return;
      countAcknowledgements(batch, acknowledgements, place => {
        const error = codeAt(place);
        return error === null ? undefined : codeOf(error, this.#closedAs);
      });
      this.#settle(batch);
    };
    const client = this.#client;
    const requests = acknowledgements.map(({ args }) => args);
    transmit(client, client.send, requests).then(
      replies => count(place => this.#outcomeOf(replies, place)[0]),
      (error: unknown) => {
        this.#loseUnlessRefused(error);
        count(() => error);
      },
    );
  }

  /** A reply to XREADGROUP that is in no form that poolbench knows would leave its entries pending, unnoticed. */
  #failUnreadable(
    batch: Batch,
    replies: readonly unknown[],
    acknowledgements: readonly Acknowledgement[],
  ): void {
    const read = new Set(acknowledgements.map(({ index }) => index));
    for (const [index, reply] of replies.entries()) {
      const isAcknowledged = this.#commandSet.commands[batch.commandAt(index)]?.acknowledges !== undefined;
      if (!isAcknowledged || reply === null || batch.failedAs(index) !== undefined || read.has(index))
        continue;
      batch.completed--;
      this.#fail(
        batch,
        new PoolError('PROTOCOL', 'Expected streams with their entries as the reply to XREADGROUP'),
        1,
        index,
      );
    }
  }

  #outcomeOf(replies: unknown, place: number): Outcome {
    const reply: unknown = Array.isArray(replies) ? replies[place] : undefined;
    if (reply !== undefined && !(reply instanceof Error)) return [null, reply];
    const error = reply ?? noReply();
    this.#loseUnlessRefused(error);
    return [error, null];
  }

  #failed(batch: Batch, error: unknown): void {
    if (!this.#land(batch)) return;
    this.#fail(batch, error, batch.size, 0);
    this.#settle(batch);
  }

  /** Fails commands by the code of their error. */
  #fail(batch: Batch, error: unknown, count: number, first: number): void {
    this.#loseUnlessRefused(error);
    batch.fail(codeOf(error, this.#closedAs), count, first);
  }

  /** Any other error than a refusal means that the connection is lost. */
  #loseUnlessRefused(error: unknown): void {
    if (!isRefusal(error) && !hasReplyCode(error)) this.#lose(failureCode(error));
  }

  #lose(code: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#closedAs = code;
    try {
      this.#client.close();
    } catch {
      // It is closed already.
    }
    // After a stall of the thread its rejections come in the turn after this timer.
    if (this.#inFlight.length + this.#pings.size > 0)
      setTimeout(() => setImmediate(() => this.#abandon(code)), maxRejectMs);
  }

  /** Fails what the module has left in flight. */
  #abandon(code: string): void {
    for (const reject of this.#pings) reject(connectionLost(code));
    for (const batch of this.#inFlight.splice(0)) {
      this.#failRest(batch, code);
      this.#settle(batch);
    }
  }

  /** Of a batch whose acknowledgements are unanswered, the commands were counted before: those that were done have failed. */
  #failRest(batch: Batch, code: string): void {
    const uncounted = batch.size - batch.completed - batch.failed;
    if (uncounted === batch.size) {
      batch.fail(code, batch.size, 0);
      return;
    }
    for (let index = 0; index < batch.size; index++) {
      const isOpen = this.#commandSet.commands[batch.commandAt(index)]?.acknowledges !== undefined;
      if (!isOpen || batch.failedAs(index) !== undefined || batch.hasMissed(index)) continue;
      batch.completed--;
      batch.fail(code, 1, index);
    }
  }

  /** Ends a batch; after a failure in the next turn of the event loop, which a module that fails at once would block otherwise. */
  #settle(batch: Batch): void {
    if (this.#alive) this.#end(batch);
    else setImmediate(() => this.#end(batch));
  }

  #end(batch: Batch): void {
    this.settled++;
    batch.done();
  }
}

/** An invalid connection can still have a socket, which would keep the process alive. */
function closeAnyway(opened: unknown): void {
  try {
    (opened as Partial<ClientConnection> | undefined)?.close?.();
  } catch {
    // There is nothing to close.
  }
}

/** The socket's errors have codes. Others mean that the bytes are not a reply, or an unexpected one. */
function codeOfLoss(error: Error): string {
  const code = failureCode(error);
  return code === 'CONNECTION_CLOSED' ? 'PROTOCOL' : code;
}

/** Whether an error, of whatever class, begins with the code of an error reply. */
function hasReplyCode(error: unknown): boolean {
  return error instanceof Error && !('code' in error) && failureCode(error) !== 'CONNECTION_CLOSED';
}

function connectionLost(code: string | undefined): Error {
  return Object.assign(new Error('Connection lost'), { code });
}

function noReply(): PoolError {
  return new PoolError('PROTOCOL', 'Expected a reply to each command, but one is missing');
}

function placeOf(
  server: Address,
  commandSet: CommandSet,
): Omit<Place, 'options' | 'timeoutMs' | 'signal' | 'lost'> {
  const { host, port, path, username, password, database, protocol } = server;
  return {
    ...{ host, port, database },
    binary: hasBytes(commandSet),
    ...(path === undefined ? {} : { path }),
    ...(server.tls ? { tls: tlsOptions(server) } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(server.unnamed ? {} : { name: connectionName(commandSet) }),
  };
}

function hasBytes({ commands }: CommandSet): boolean {
  return commands.some(command =>
    requestsOfCommand(command).some(({ args }) => args.some(arg => Buffer.isBuffer(arg))),
  );
}

/** Whether every command is one request with one reply, which is all there is to it. */
function isSimple(commandSet: CommandSet): boolean {
  return !acknowledges(commandSet) && commandSet.commands.every(({ followedBy }) => followedBy === undefined);
}

/** A module may throw instead of reject, or return something other than a promise. */
function transmit<T>(
  client: ClientConnection,
  send: (this: ClientConnection, sent: T) => unknown,
  sent: T,
): Promise<unknown> {
  try {
    return Promise.resolve(send.call(client, sent));
  } catch (error) {
    return Promise.reject(error);
  }
}

function listsOf(batch: Batch, listOf: ListMaker): SentCommand[] {
  const commands: SentCommand[] = [];
  for (let index = 0; index < batch.size; index++) commands.push(listOf(batch, index));
  return commands;
}

/** All requests of the batch's commands, some of which have several. */
function requestsOf(commandSet: CommandSet, batch: Batch): SentCommand[] {
  const requests: SentCommand[] = [];
  for (let index = 0; index < batch.size; index++)
    for (const [name, args] of requestsAt(commandSet, batch, index)) requests.push([name, ...args]);
  return requests;
}
