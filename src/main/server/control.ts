import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, nodeAddress, socketPlace, tlsOptions } from '../../pool/client/address.ts';
import { Redis } from '../../pool/client/ioredis.ts';
import { replicatedFinder, serverFinder } from '../../pool/client/sentinel.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { connectError } from './connect-error.ts';
import { shownAddress } from './url.ts';

/** A command and its arguments. */
export type Request = readonly [string, ...(string | number | Buffer)[]];

/** A primary, and its replicas that are in service. */
export interface Shard {
  readonly primary: Control;
  readonly replicas: readonly Control[];
}

/** The outcome of one command of a pipeline. */
export type Outcome = { readonly value: unknown } | { readonly error: Error };

/**
 * Commands without side effects, which can be sent again. A proxy that does not know one may close the connection
 * instead of refusing it, as twemproxy does.
 */
const questions = new Set(['HELLO', 'INFO', 'COMMAND', 'CLUSTER', 'DBSIZE', 'SCAN']);
/**
 * Subcommands without side effects, of commands that can also change something for others (CLIENT KILL, CONFIG SET). A
 * name affects only this connection.
 */
const askingSubcommands = new Set([
  'CLIENT SETNAME',
  'CLIENT LIST',
  'CLIENT ID',
  'CLIENT INFO',
  'CONFIG GET',
]);

/** The name of a request without side effects; undefined for other requests. */
function questionIn([command, subcommand]: Request): string | undefined {
  const both = `${command} ${String(subcommand)}`;
  if (askingSubcommands.has(both)) return both;
  return questions.has(command) ? command : undefined;
}

/** Codes of a connection attempt that the server has answered. */
const answeredCodes: readonly string[] = ['TARGET_REFUSED_LOGIN', 'TARGET_TOO_SMALL'];

/**
 * Opens the coordinator's one connection to the target.
 * @param timeoutMs bounds connecting, and later every single request.
 * @throws PoolbenchError TARGET_UNREACHABLE, TARGET_REFUSED_LOGIN or TARGET_TOO_SMALL (at maxclients). Its `cause` has
 * the socket's error, so that `ECONNREFUSED` can be recognised.
 */
export async function connectControl(address: Address, options: { timeoutMs: number }): Promise<Control> {
  const control = new Control(address, options.timeoutMs);
  await control.connect();
  return control;
}

/**
 * The coordinator's connection, which never measures. It does not reconnect by itself; the next request after a loss
 * tries once, so a server that returns is found, and one that does not costs one attempt per request.
 */
export class Control {
  /** As it was declared, as text. */
  readonly address: Address;
  readonly #timeoutMs: number;
  #redis: Redis | undefined;
  #connecting: Promise<Redis> | undefined;
  #closed = false;
  readonly #findServer: () => Promise<Address>;
  /** Of the master that a Sentinel names. */
  readonly #replicas = new Map<string, Control>();
  #server: Address;
  #shutOut: string | undefined;
  #goneAs: string | undefined;
  /** Requests on which the server closes the connection: they are not sent again. */
  readonly #closesAt = new Set<string>();
  #infoRefusal: string | undefined;
  #name: string | undefined;

  constructor(address: Address, timeoutMs: number) {
    this.address = address;
    this.#server = address;
    this.#timeoutMs = timeoutMs;
    this.#findServer = serverFinder(address, timeoutMs);
  }

  /**
   * The server that answered last, by its IP address if it was declared by a host name. With a Sentinel it is the
   * master, which changes with a failover.
   */
  get server(): Address {
    return this.#server;
  }

  /** The end of the open connection on this machine; undefined without one, or on a unix socket. */
  get localAddress(): string | undefined {
    const stream: Redis['stream'] | undefined = this.#redis?.stream;
    return stream?.localAddress;
  }

  /**
   * Where the load connects: directly to the server's IP address, so that it reaches the same server; but through the
   * Sentinel, if there is one.
   */
  get answering(): Address {
    return this.address.sentinel === undefined ? this.#server : this.address;
  }

  /** The servers that work together, as last looked up: only this one. */
  get nodes(): readonly Control[] {
    return [this];
  }

  /** Looks them up. @throws PoolbenchError TARGET_LOST */
  findNodes(): Promise<readonly Control[]> {
    return Promise.resolve(this.nodes);
  }

  /**
   * Looks up the servers that work together, with their replicas; the replicas of a single server are not known. The connections to
   * replicas are opened by their first request.
   * @throws PoolbenchError as `connectControl`
   */
  async findShards(): Promise<readonly Shard[]> {
    if (this.address.sentinel === undefined) return [{ primary: this, replicas: [] }];
    const { replicas } = await replicatedFinder(this.address, this.#timeoutMs)().catch(
      async (error: unknown) => {
        throw await connectError(error, this.address, this.#timeoutMs);
      },
    );
    return [{ primary: this, replicas: replicas.map(place => this.#replicaAt(place)) }];
  }

  /** Every known node of the cluster; undefined: a server alone. */
  get cluster(): readonly Address[] | undefined {
    return undefined;
  }

  /** Max keys of one command, within sensible limits. */
  get keysPerCommand(): number {
    return 1000;
  }

  /** Another connection to the same place as the load. It is opened by its first request, and closed separately. */
  another(): Control {
    return new Control(this.answering, this.#timeoutMs);
  }

  /**
   * Names the connection on the server (CLIENT LIST), also whenever it is opened again. A server may refuse that.
   * @throws PoolbenchError TARGET_LOST, or as {@link connectControl}
   */
  async setName(name: string): Promise<void> {
    this.#name = name;
    await this.call('CLIENT', 'SETNAME', name).catch(unlessRefusal);
  }

  /** Connects and logs in unless that is done. @throws as {@link connectControl} */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /**
   * Sends one command. An error reply rejects with an Error whose message is the reply; so does a request on which the
   * server closes the connection twice although it answers PING.
   * @throws PoolbenchError TARGET_LOST when no answer came in time, or as {@link connectControl}.
   */
  async call(...request: Request): Promise<unknown> {
    const question = questionIn(request);
    if (question === undefined) return await this.#call(request);
    for (let attempt = 0; attempt < 2 && !this.#closesAt.has(question); attempt++) {
      try {
        return await this.#call(request);
      } catch (error) {
        if (!wasClosed(error)) throw error;
        await this.#call(['PING']).catch(() => {
          throw error;
        });
      }
    }
    this.#closesAt.add(question);
    throw Object.assign(new Error(`the server closes the connection on ${question}`), { name: 'ReplyError' });
  }

  async #call([command, ...args]: Request): Promise<unknown> {
    const redis = await this.#connected();
    return this.#bounded(redis, command, redis.call(command, args));
  }

  /**
   * Sends commands together; their outcomes come in order, error replies among them.
   * @throws PoolbenchError TARGET_LOST when they were not all answered in time or the connection broke.
   */
  async pipeline(requests: readonly Request[]): Promise<Outcome[]> {
    if (requests.length === 0) return [];
    const redis = await this.#connected();
    const pipeline = redis.pipeline();
    for (const [command, ...args] of requests) pipeline.call(command, args);
    const answers = await this.#bounded(redis, `${requests.length} commands`, pipeline.exec());
    return (answers ?? []).map(([error, value]) => (error === null ? { value } : { error }));
  }

  /** INFO as a map; `section` narrows it (`commandstats`, `cpu`, …). */
  async info(section?: string): Promise<Map<string, string>> {
    try {
      const answer = await (section === undefined ? this.call('INFO') : this.call('INFO', section));
      this.#infoRefusal = undefined;
      return parseInfo(String(answer));
    } catch (error) {
      if (isRefusal(error) && !error.message.startsWith('NOPERM')) this.#infoRefusal = error.message;
      throw error;
    }
  }

  /**
   * INFO during the load, without a timeout: a late reply does no harm, whereas a timeout would close the connection
   * under other requests.
   * @throws the refusal; Error if the connection is lost, or closed at INFO
   */
  async infoWithoutLimit(): Promise<Map<string, string>> {
    if (this.#closesAt.has('INFO')) throw new Error('the server closes the connection on INFO');
    const redis = await this.#connected();
    return parseInfo(String(await redis.call('INFO')));
  }

  /**
   * The refusal of INFO, unless it applies only to this user: the server may be a proxy with several servers behind it.
   * Undefined until INFO was asked for, and when it is answered.
   */
  get infoRefusal(): string | undefined {
    return this.#infoRefusal;
  }

  /** Whether the server answers PING in time, and serves at least reads. */
  async alive(): Promise<boolean> {
    try {
      await this.call('PING');
      this.#shutOut = undefined;
      this.#goneAs = undefined;
      return true;
    } catch (error) {
      if (servesReads(error)) return true;
      this.#goneAs = causeCode(asError(error));
      const answered =
        isRefusal(error) || (error instanceof PoolbenchError && answeredCodes.includes(error.code));
      this.#shutOut = answered ? error.message : undefined;
      return false;
    }
  }

  /** Why the server refused us when it was last asked whether it is alive; undefined if it did not answer. */
  get shutOut(): string | undefined {
    return this.#shutOut;
  }

  /**
   * The code of the error, such as ECONNREFUSED, with which it could not be connected to when it was last asked whether it is
   * alive; undefined if it was silent, or answered.
   */
  get goneAs(): string | undefined {
    return this.#goneAs;
  }

  /** Closes the connection; further requests are refused. */
  close(): void {
    this.#closed = true;
    if (this.#redis !== undefined) disconnect(this.#redis);
    this.#redis = undefined;
    for (const replica of this.#replicas.values()) replica.close();
  }

  #replicaAt({ host, port }: { readonly host: string; readonly port: number }): Control {
    const key = `${host} ${port}`;
    const known = this.#replicas.get(key);
    if (known !== undefined) return known;
    const replica = new Control(nodeAddress(this.address, host, port), this.#timeoutMs);
    this.#replicas.set(key, replica);
    return replica;
  }

  #connected(): Promise<Redis> {
    if (this.#closed)
      throw new PoolbenchError(
        'TARGET_LOST',
        `expected an open connection to ${this.#where}, found that it has been closed on this side: start the command again`,
      );
    if (this.#redis?.status === 'ready') return Promise.resolve(this.#redis);
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<Redis> {
    const server = await this.#find();
    const redis = new Redis({
      ...socketPlace(server),
      ...(server.tls ? { tls: tlsOptions(server) } : {}),
      lazyConnect: true,
      connectTimeout: this.#timeoutMs,
      // The login is done below, command by command, so that each refusal is seen and nothing is retried.
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      retryStrategy: () => null,
    });
    let lastError: unknown;
    redis.on('error', error => {
      lastError ??= error;
    });
    try {
      await withTimeout(logIn(redis, server, this.#name), this.#timeoutMs);
      this.#redis = redis;
      this.#server = withIp(server, redis.stream.remoteAddress);
      if (this.#closed) disconnect(redis);
      return redis;
    } catch (error) {
      disconnect(redis);
      throw await connectError(lastError ?? error, asDeclared(server, this.address), this.#timeoutMs);
    }
  }

  /** Once found, a server that was declared directly keeps its address. */
  async #find(): Promise<Address> {
    if (this.address.sentinel === undefined) return this.#server;
    try {
      return await this.#findServer();
    } catch (error) {
      throw await connectError(error, this.address, this.#timeoutMs);
    }
  }

  async #bounded<T>(redis: Redis, what: string, answer: Promise<T>): Promise<T> {
    try {
      return await withTimeout(answer, this.#timeoutMs);
    } catch (error) {
      if (isRefusal(error)) throw error;
      disconnect(redis);
      if (this.#redis === redis) this.#redis = undefined;
      const reason =
        error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT'
          ? 'no answer came in time'
          : 'the connection was lost';
      throw new PoolbenchError(
        'TARGET_LOST',
        `expected ${this.#where} to answer ${what} within ${this.#timeoutMs} ms, but ${reason}`,
        { cause: error },
      );
    }
  }

  get #where(): string {
    return shownAddress(asDeclared(this.#server, this.address));
  }
}

/** A message names a server as it was declared: by the host name, if there is one. */
function asDeclared(server: Address, declared: Address): Address {
  return declared.sentinel === undefined ? declared : server;
}

function withIp(address: Address, ip: string | undefined): Address {
  const isName = address.path === undefined && isIP(address.host) === 0;
  return isName && ip !== undefined ? { ...address, host: ip } : address;
}

/** On a socket that is already closed, ioredis would wait two seconds for it to close, and delay the process. */
function disconnect(redis: Redis): void {
  const stream: Redis['stream'] | undefined = redis.stream;
  if (stream?.destroyed !== true) redis.disconnect();
}

/**
 * Connects, logs in, waits until the server has read its data, and selects the database. Rejects with the first refusal.
 * @param name of the connection, which the server may refuse; undefined: none
 */
async function logIn(redis: Redis, address: Address, name: string | undefined): Promise<void> {
  await redis.connect();
  if (address.password !== undefined) {
    const { username, password } = address;
    await (username === undefined ? redis.call('AUTH', password) : redis.call('AUTH', username, password));
  }
  for (;;) {
    try {
      await redis.call('PING');
      break;
    } catch (error) {
      // A server that has just been started reads its data first; the caller's time limit bounds this wait.
      if (servesReads(error)) break;
      if (!(error instanceof Error) || !error.message.startsWith('LOADING')) throw error;
      await sleep(100);
    }
  }
  if (address.database !== 0) await redis.call('SELECT', address.database);
  if (name !== undefined) await redis.call('CLIENT', 'SETNAME', name).catch(unlessRefusal);
}

/** Whether the error is an error reply, and not a lost connection. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Ignores an error reply. @throws any other error */
function unlessRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error;
}

/** The code of what caused an error, but for the end of a time limit, which is silence. */
function causeCode({ cause }: { readonly cause?: unknown }): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code === 'ETIMEDOUT' ? undefined : code;
}

/** Whether the server closed the connection while a request waited for its answer. */
function wasClosed(error: unknown): boolean {
  if (!(error instanceof PoolbenchError) || error.code !== 'TARGET_LOST') return false;
  const { cause } = error;
  return cause instanceof Error && !('code' in cause && cause.code === 'ETIMEDOUT');
}

/** A server that could not save refuses PING like every write, but still serves reads. */
function servesReads(error: unknown): boolean {
  return isRefusal(error) && error.message.startsWith('MISCONF');
}

/** Reads the text that INFO answers with: `key:value` lines, section headings after `#`. */
export function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

/** Rejects with ETIMEDOUT after `timeoutMs`. */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
