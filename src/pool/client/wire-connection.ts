import type { Socket } from 'node:net';
import { Connection } from '../connection.ts';
import { failureCode, PoolError } from '../errors.ts';
import type { Transport } from '../presets.ts';
import {
  type Acknowledgement,
  acknowledgementsOf,
  acknowledges,
  countAcknowledgements,
} from './acknowledgements.ts';
import { type Address, authArguments } from './address.ts';
import { Batch, type CommandSet, connectionName } from './batch.ts';
import { RequestEncoder } from './request-encoder.ts';
import { encodeRequest, type ReplyPlaces, RequestTemplates } from './request-templates.ts';
import { RespScanner } from './resp-scanner.ts';
import { RespReader, type RespValue } from './resp-values.ts';
import { openRing, type RingSocket } from './ring-socket.ts';
import { serverFinder } from './sentinel.ts';
import {
  connectTimeout,
  type DirectHandle,
  openDirectly,
  openSocket,
  received,
  type SocketOwner,
  writeDirectly,
} from './socket.ts';
import { WholeStrings } from './whole-strings.ts';

// A read is scanned to its end before the next one starts, so all connections of a thread share the next two, and the read buffer.

/** Batches whose last reply is followed by more bytes of the read that is being scanned. */
const answered: Batch[] = [];
/** Skips nearly all replies. */
const strings = new WholeStrings();

const ping = encodeRequest(['PING']);
const asking = encodeRequest(['ASKING']);

/** Maximum of an answer to `ask`. The slots of the largest cluster take some 10 MB. */
const maxAnswerBytes = 32 << 20;

/** A request outside the load, which keeps the text of an error reply. */
class Request extends Batch {
  refusal: string | undefined;

  override refused(code: string, message: string, index: number): void {
    this.fail(code, 1, index);
    this.refusal = message;
  }
}

/** The replies of a connection as values, for commands that acknowledge what they read. */
class KeptReplies {
  readonly #commandSet: CommandSet;
  readonly #reader = new RespReader(bytes => bytes.toString(), { maxBytes: maxAnswerBytes });
  readonly #values: RespValue[] = [];

  constructor(commandSet: CommandSet) {
    this.#commandSet = commandSet;
  }

  /** Takes bytes that have arrived. @throws RespSyntaxError */
  push(bytes: Buffer): void {
    this.#reader.push(bytes);
    for (let value = this.#reader.read(); value !== undefined; value = this.#reader.read())
      this.#values.push(value);
  }

  /** Takes the replies to a batch; a lost connection has not received all of them. @returns what has to be acknowledged */
  take(batch: Batch, places: ReplyPlaces | undefined): Acknowledgement[] {
    const replies = this.#values.splice(0, places?.total(batch) ?? batch.size);
    if (batch instanceof Request) return [];
    const last = Array.from({ length: batch.size }, (_, index) =>
      places === undefined ? replies[index] : replies[places.endOf(batch, index) - 1],
    );
    return acknowledgementsOf(batch, this.#commandSet, last);
  }
}

/** Options of wire that a scenario can set. All are required, so that the compiler finds any code that forgets one. */
export interface WireOptions {
  readonly transport: Transport;
}

/**
 * The client with the least overhead: one `write` for each batch of pre-encoded requests, and replies counted as they arrive. It
 * builds no values, promises or timers. With a thousand connections the memory of each one is cold at its turn, and fetching
 * it is the largest cost of an operation. So a connection has few fields, and what is rarely needed is made when needed.
 *
 * The next replies belong to the oldest batch, `#batch`; the others queue in `#later`.
 */
export class WireConnection extends Connection implements SocketOwner {
  readonly #socket: Socket;
  /** Undefined if the connection has to use the socket's stream. */
  readonly #handle: DirectHandle | undefined;
  /** Undefined with another transport than io_uring. */
  readonly #ring: RingSocket | undefined;
  readonly #encoder: RequestEncoder;
  /** For other replies than strings in one piece, and for reads with replies to several batches. */
  #scanner: RespScanner | undefined;
  /** The batch whose replies come next, and the number of missing ones; 0 when nothing is in flight. */
  #batch: Batch | undefined;
  #missing = 0;
  /** Commands of the batch that have failed, and the index of the last one of them. */
  #failed = 0;
  #failedAt = 0;
  #misses = 0;
  #later: Batch[] | undefined;
  /** Undefined if no command needs them. */
  readonly #kept: KeptReplies | undefined;
  /** Called with each read while `ask` waits for its reply. */
  #listener: ((bytes: Buffer) => void) | undefined;
  #alive = true;
  #closedAs = 'CONNECTION_CLOSED';

  private constructor(
    socket: Socket,
    encoder: RequestEncoder,
    kept: KeptReplies | undefined,
    { transport }: WireOptions,
  ) {
    super();
    this.#socket = socket;
    this.#ring = transport === 'io_uring' ? openRing(socket, this) : undefined;
    this.#handle = transport === 'direct' ? openDirectly(socket, this) : undefined;
    this.#encoder = encoder;
    this.#kept = kept;
    socket.on('error', error => {
      this.#closedAs = failureCode(error);
    });
    socket.on('close', () => this.#lost());
  }

  /** Makes the connections of one pool. An attempt that is unanswered after `timeoutMs` rejects with ETIMEDOUT. */
  static connector(
    address: Address,
    commandSet: CommandSet,
    timeoutMs: number,
    options: WireOptions,
  ): () => Promise<WireConnection> {
    const encoder = new RequestEncoder(new RequestTemplates(commandSet));
    const name = connectionName(commandSet);
    const findServer = serverFinder(address, timeoutMs);
    return async () => {
      let connection: WireConnection | undefined;
      const onread = {
        buffer: received,
        callback: (length: number) => {
          connection?.receive(received, 0, length);
          return true;
        },
      };
      const server = await findServer();
      const deadlineMs = performance.now() + timeoutMs;
      const socket = await openSocket(server, onread, timeoutMs);
      connection = new WireConnection(
        socket,
        encoder,
        acknowledges(commandSet) ? new KeptReplies(commandSet) : undefined,
        options,
      );
      let late: Error | undefined;
      const deadline = setTimeout(() => {
        late = connectTimeout(timeoutMs);
        connection?.close();
      }, deadlineMs - performance.now());
      try {
        const opened = connection;
        await logIn((...args) => opened.#request(encodeRequest(args)), address, name);
        // The reply to HELLO needs a scanner, replies to the load mostly do not.
        if (opened.#scanner?.isBetweenReplies) opened.#scanner = undefined;
        return opened;
      } catch (error) {
        connection.close();
        throw late ?? error;
      } finally {
        clearTimeout(deadline);
      }
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  send(batch: Batch): void {
    batch.restart();
    // Nearly always the system has copied the bytes by now, and they can be used for the next batch.
    if (!this.#transmit(batch, this.#encoder.encode(batch))) this.#encoder.giveAway(batch);
  }

  /** Sends a batch of one command after ASKING, to a cluster's node that is only importing the command's slot. */
  sendAsking(batch: Batch): void {
    this.#transmit(new Request(1, { done: () => {} }), asking);
    this.send(batch);
  }

  async ping(): Promise<void> {
    await this.#request(ping);
  }

  /** Sends one request while nothing else is in flight, and returns its reply. Rejects like `ping`. */
  async ask(...args: string[]): Promise<RespValue | undefined> {
    const reader = new RespReader(bytes => bytes.toString(), { maxBytes: maxAnswerBytes });
    let answer: RespValue | undefined;
    this.#listener = bytes => {
      reader.push(bytes);
      answer ??= reader.read();
    };
    await this.#request(encodeRequest(args)).finally(() => {
      this.#listener = undefined;
    });
    return answer;
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    // A connection that is lost already has its reason.
    if (this.#alive) this.#closedAs = code;
    this.#alive = false;
    this.#socket.destroy();
  }

  /** Processes the bytes from `from` to `to`, which are valid until it returns. */
  receive(bytes: Buffer, from: number, to: number): void {
    try {
      this.#listener?.(Buffer.from(bytes.subarray(from, to)));
      this.#kept?.push(Buffer.from(bytes.subarray(from, to)));
      let at = from;
      if (this.#scanner === undefined || this.#scanner.isBetweenReplies) {
        this.#missing -= strings.skip(bytes, from, to, this.#missing);
        at = strings.at;
      }
      if (at < to) this.#scan(bytes, at, to);
    } catch (error) {
      this.#giveUp(failureCode(error));
      return;
    }
    // The whole read is scanned before any `done`, so a batch that is sent from there gets no earlier reply.
    const last = this.#missing === 0 && this.#batch !== undefined ? this.#finish(this.#batch) : undefined;
    if (answered.length > 0) this.#settle(answered.splice(0));
    if (last === undefined) return;
    this.settled++;
    this.#end(last);
  }

  writeFailed(error: Error): void {
    this.#alive = false;
    // If the connection is already lost, `error` is EBADF, and the reason is known. Else the error event sets it.
    this.#socket.destroy(error);
  }

  /** After the last reply to a batch come replies to the next ones, pushes, or unexpected replies. */
  #scan(bytes: Buffer, from: number, to: number): void {
    this.#scanner ??= this.#newScanner();
    const scanner = this.#scanner;
    for (let at = from; at < to; at = scanner.at) {
      if (this.#missing === 0 && this.#batch !== undefined) answered.push(this.#finish(this.#batch));
      const asked = this.#missing > 0;
      const replies = scanner.scan(bytes, at, to, asked ? this.#missing : 1);
      if (asked) this.#missing -= replies;
      else if (replies > 0)
        throw new PoolError('PROTOCOL', 'Expected no reply, because nothing is in flight, found one');
    }
  }

  #newScanner(): RespScanner {
    // `#missing` is updated only when a scan has ended.
    return new RespScanner(
      (code, message, replies) => this.#refused(code, message, replies, false),
      {
        null: replies => this.#miss(replies, false),
        empty: replies => this.#miss(replies, true),
        innerError: (code, message, replies) => this.#refused(code, message, replies, true),
      },
      strings,
    );
  }

  /** Which replies to a batch belong to which commands; undefined if each command has one. */
  #placesIn(batch: Batch): ReplyPlaces | undefined {
    const { replyPlaces } = this.#encoder;
    return replyPlaces === undefined || batch instanceof Request ? undefined : replyPlaces;
  }

  /** Counts a failure: of several replies to a command the first error. One inside a reply is a value, but not that of EXEC. */
  #refused(code: string, message: string, replies: number, isInside: boolean): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const places = this.#placesIn(batch);
    const reply = this.#received(batch, places) + replies;
    if (isInside && places?.endsSeveral(batch, reply) !== true) return;
    const index = places === undefined ? reply : places.commandOf(batch, reply);
    if (this.#failed > 0 && this.#failedAt === index) return;
    this.#failed++;
    this.#failedAt = index;
    batch.refused(code, message, index);
  }

  /** Replies to the batch that have come, before the scan that is under way. */
  #received(batch: Batch, places: ReplyPlaces | undefined): number {
    return (places === undefined ? batch.size : places.total(batch)) - this.#missing;
  }

  /** Counts a miss. An empty reply is one for some commands only. */
  #miss(replies: number, isEmpty: boolean): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const places = this.#placesIn(batch);
    const reply = this.#received(batch, places) + replies;
    const index = places === undefined ? reply : places.commandOf(batch, reply);
    // A reply to a part of a transaction says nothing about the whole.
    if (places !== undefined && places.endOf(batch, index) !== reply + 1) return;
    if (isEmpty && !this.#encoder.emptyIsMiss(batch.commandAt(index))) return;
    this.#misses++;
    batch.missedAt(index);
  }

  /** The bytes cannot be assigned to commands: in batches that are not done no command counts as answered. */
  #giveUp(code: string): void {
    this.#closedAs = code;
    this.#alive = false;
    const open = answered.splice(0);
    if (this.#batch !== undefined) open.push(this.#batch, ...(this.#later ?? []));
    for (const batch of open) batch.restart();
    this.#expect(open.shift());
    this.#later = open;
    this.#socket.destroy();
  }

  #expect(batch: Batch | undefined): void {
    this.#batch = batch;
    this.#missing = batch === undefined ? 0 : (this.#placesIn(batch)?.begin(batch) ?? batch.size);
    this.#failed = 0;
    this.#misses = 0;
  }

  /** Counts the outcome of the oldest batch and turns to the next. */
  #finish(batch: Batch): Batch {
    batch.completed = this.#answered(batch) - this.#failed;
    batch.misses = this.#misses;
    this.#expect(this.#later === undefined ? undefined : this.#later.shift());
    return batch;
  }

  /** Commands that have all their replies, or have failed. */
  #answered(batch: Batch): number {
    if (this.#missing === 0) return batch.size;
    const places = this.#placesIn(batch);
    const received = this.#received(batch, places);
    if (places === undefined) return received;
    const answered = places.commandOf(batch, received);
    return this.#failed > 0 && this.#failedAt === answered ? answered + 1 : answered;
  }

  #settle(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.settled++;
      this.#end(batch);
    }
  }

  #end(batch: Batch): void {
    if (this.#kept === undefined) batch.done();
    else this.#acknowledge(batch, this.#kept);
  }

  /**
   * A batch is done when what it has read is acknowledged. On a lost connection the request fails, and with it the commands
   * that have read something. Apart from `#end`, because its closure costs an allocation even if it is not made.
   */
  #acknowledge(batch: Batch, kept: KeptReplies): void {
    const acknowledgements = kept.take(batch, this.#placesIn(batch));
    if (acknowledgements.length === 0) {
      batch.done();
      return;
    }
    const request = new Request(acknowledgements.length, {
      done: () => {
        countAcknowledgements(batch, acknowledgements, place => request.failedAs(place));
        batch.done();
      },
    });
    this.#transmit(request, Buffer.concat(acknowledgements.map(({ args }) => encodeRequest(args))));
  }

  #lost(): void {
    this.#alive = false;
    const lost: Batch[] = [];
    while (this.#batch !== undefined) {
      const answered = this.#answered(this.#batch);
      this.#batch.fail(this.#closedAs, this.#batch.size - answered, answered);
      lost.push(this.#finish(this.#batch));
    }
    this.#settle(lost);
  }

  /** @returns whether the bytes can be used again at once */
  #transmit(batch: Batch, bytes: Buffer): boolean {
    this.sent++;
    if (this.#batch === undefined) this.#expect(batch);
    else if (this.#later === undefined) this.#later = [batch];
    else this.#later.push(batch);
    if (this.#alive) return this.#write(bytes);
    process.nextTick(() => this.#lost());
    return true;
  }

  /** @returns whether the bytes can be used again at once */
  #write(bytes: Buffer): boolean {
    if (this.#handle !== undefined) return writeDirectly(this.#handle, bytes);
    if (this.#ring !== undefined) return this.#ring.write(bytes);
    // A stream can keep the bytes for long, and under TLS always does.
    this.#socket.write(Buffer.from(bytes));
    return true;
  }

  /** Sends one request outside the load and waits for its reply. Rejects with the error reply, or if it is lost. */
  #request(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        if (request.failed === 0) resolve();
        else reject(request.refusal === undefined ? this.#closedError() : new Error(request.refusal));
      };
      const request = new Request(1, { done });
      this.#transmit(request, bytes);
    });
  }

  #closedError(): Error {
    return Object.assign(new Error('Connection lost'), { code: this.#closedAs });
  }
}

/** Sends one request and waits for its reply; rejects with the text of an error reply. */
type Ask = (...args: string[]) => Promise<void>;

/**
 * Logs in, names the connection and selects its database. Uses the protocol of the address; if it has none, RESP3 if the
 * server knows it.
 */
async function logIn(ask: Ask, address: Address, name: string): Promise<void> {
  const { username, password, database, protocol, unnamed = false, readsReplicas = false } = address;
  const auth = authArguments(address);
  const helloAuth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
  const greeted =
    protocol !== 2 && (await greet(['HELLO', '3', ...helloAuth, ...(unnamed ? [] : ['SETNAME', name])]));
  if (!greeted) {
    if (auth.length > 0) await ask('AUTH', ...auth);
    // A connection without a name works all the same.
    if (!unnamed)
      await ask('CLIENT', 'SETNAME', name).catch((error: unknown) => {
        if (isLost(error)) throw error;
      });
  }
  if (database !== 0) await ask('SELECT', String(database));
  // A primary also accepts it, and still takes writes, so a node may change its role.
  if (readsReplicas) await ask('READONLY');

  async function greet(hello: readonly string[]): Promise<boolean> {
    try {
      await ask(...hello);
      return true;
    } catch (error) {
      if (protocol === 3 || !knowsNoHello(error)) throw error;
      return false;
    }
  }
}

/** Refusals of a login or of the connection, which another protocol does not change. */
const refusesLogin =
  /^(NOAUTH|WRONGPASS|NOPERM|-?DENIED|LOADING|ERR (invalid password|max number of clients|operation not permitted|AUTH ))/i;

/** Whether the error is a refusal of HELLO itself, by a server or proxy that does not know it or RESP3. */
export function knowsNoHello(error: unknown): boolean {
  return error instanceof Error && !isLost(error) && !refusesLogin.test(error.message);
}

/** Refusals have no code. */
function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}
