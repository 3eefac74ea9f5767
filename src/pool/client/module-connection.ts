import { type Connect, Connection } from '../connection.ts';
import { codeOf, failureCode, isRefusal, PoolError } from '../errors.ts';
import { type Address, tlsOptions } from './address.ts';
import { type Batch, type CommandSet, callOf, connectionName } from './batch.ts';
import type { ClientConnection, ClientModule, Place } from './client-module.ts';
import { serverFinder } from './sentinel.ts';
import { connectTimeout } from './socket.ts';

/** How long a closed connection of a module may take to reject what is in flight. */
const maxRejectMs = 100;

/** A connection of a client module, which poolbench trusts no further than its accounting needs. */
export class ModuleConnection extends Connection {
  readonly #client: ClientConnection;
  readonly #commandSet: CommandSet;
  readonly #inFlight = new Set<Batch>();
  #alive = true;
  #closedAs: string | undefined;

  private constructor(client: ClientConnection, commandSet: CommandSet) {
    super();
    this.#client = client;
    this.#commandSet = commandSet;
  }

  /** Makes the connections of one pool. An attempt that is unanswered after `timeoutMs` rejects with ETIMEDOUT. */
  static connector(
    address: Address,
    commandSet: CommandSet,
    timeoutMs: number,
    { module, options }: { module: ClientModule; options: Place['options'] },
  ): Connect {
    const findServer = serverFinder(address, timeoutMs);
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
          connection = new ModuleConnection(client, commandSet);
          if (lost === undefined && !attempt.signal.aborted) {
            resolve(connection);
            return;
          }
          connection.close();
          reject(lost?.error ?? new Error('The connection was lost while it was opened'));
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
    this.#inFlight.add(batch);
    this.#transmit(commandsOf(this.#commandSet, batch)).then(
      replies => this.#answered(batch, replies),
      (error: unknown) => this.#failed(batch, error),
    );
  }

  async ping(): Promise<void> {
    this.sent++;
    try {
      if (!this.#alive) throw Object.assign(new Error('Connection lost'), { code: this.#closedAs });
      await this.#client.ping();
    } finally {
      this.settled++;
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#lose(code);
  }

  /** A module may throw where it should reject, and return what is no promise. */
  #transmit(commands: readonly (readonly string[])[]): Promise<unknown> {
    try {
      return Promise.resolve(this.#client.send(commands));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #answered(batch: Batch, replies: unknown): void {
    if (!this.#inFlight.delete(batch)) return;
    for (let index = 0; index < batch.size; index++) {
      const reply: unknown = Array.isArray(replies) ? replies[index] : undefined;
      if (reply === undefined) this.#fail(batch, noReply(), 1, index);
      else if (reply instanceof Error) this.#fail(batch, reply, 1, index);
      else batch.answered(reply, index, this.#commandSet);
    }
    this.#settle(batch);
  }

  #failed(batch: Batch, error: unknown): void {
    if (!this.#inFlight.delete(batch)) return;
    this.#fail(batch, error, batch.size, 0);
    this.#settle(batch);
  }

  /** Fails commands by the code of their error. Any other error than a refusal means that the connection is lost. */
  #fail(batch: Batch, error: unknown, count: number, first: number): void {
    if (!isRefusal(error) && !hasReplyCode(error)) this.#lose(failureCode(error));
    batch.fail(codeOf(error, this.#closedAs), count, first);
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
    if (this.#inFlight.size > 0) setTimeout(() => this.#abandon(code), maxRejectMs);
  }

  /** Fails what the module has left in flight. */
  #abandon(code: string): void {
    for (const batch of [...this.#inFlight]) {
      this.#inFlight.delete(batch);
      batch.fail(code, batch.size);
      this.#settle(batch);
    }
  }

  #settle(batch: Batch): void {
    this.settled++;
    batch.done();
  }
}

/** The socket's errors have codes. The others mean that the bytes are no reply, or one that nobody asked for. */
function codeOfLoss(error: Error): string {
  const code = failureCode(error);
  return code === 'CONNECTION_CLOSED' ? 'PROTOCOL' : code;
}

/** Whether an error, of whatever class, begins with the code of an error reply. */
function hasReplyCode(error: unknown): boolean {
  return error instanceof Error && !('code' in error) && failureCode(error) !== 'CONNECTION_CLOSED';
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
    ...(path === undefined ? {} : { path }),
    ...(server.tls ? { tls: tlsOptions(server) } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(server.unnamed ? {} : { name: connectionName(commandSet) }),
  };
}

function commandsOf(commandSet: CommandSet, batch: Batch): string[][] {
  const commands: string[][] = [];
  for (let index = 0; index < batch.size; index++) {
    const [name, args] = callOf(commandSet, batch, index);
    args.unshift(name);
    commands.push(args);
  }
  return commands;
}
