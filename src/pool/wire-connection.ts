import type { Socket } from 'node:net';
import type { Address } from './address.ts';
import { Batch, type CommandSet } from './batch.ts';
import { type Connect, Connection } from './connection.ts';
import { failureCode } from './errors.ts';
import { connectTimeout, openSocket } from './open-socket.ts';
import { RequestEncoder } from './request-encoder.ts';
import { encodeRequest, RequestTemplates } from './request-templates.ts';
import { RespScanner } from './resp-scanner.ts';
import { logIn } from './wire-login.ts';

/** A read is scanned before the next one starts, so all connections of a thread can read into the same bytes. */
const received = Buffer.allocUnsafeSlow(64 * 1024);

const ping = encodeRequest(['PING']);

/**
 * The leanest way to the server: one `write` a batch of pre-encoded requests, replies counted as they arrive.
 * It builds no values, no promises and no timers.
 */
export class WireConnection extends Connection {
  readonly #socket: Socket;
  readonly #encoder: RequestEncoder;
  readonly #scanner: RespScanner;
  /** What is in flight, and how many of its replies are missing. */
  #batch: Batch | undefined;
  #missing = 0;
  #failed = 0;
  #nilsBefore = 0;
  #alive = true;
  #closedAs = 'CONNECTION_CLOSED';
  /** The last error reply, for login and PING, which need its text. */
  #refusal: Error | undefined;

  private constructor(socket: Socket, encoder: RequestEncoder) {
    super();
    this.#socket = socket;
    this.#encoder = encoder;
    this.#scanner = new RespScanner((code, message) => {
      this.#failed++;
      this.#refusal = new Error(message);
      this.#batch?.fail(code, 1);
    });
    socket.on('error', error => {
      this.#closedAs = failureCode(error);
    });
    socket.on('close', () => this.#lost());
  }

  /** Makes the connections of one pool. A connect unanswered after `timeoutMs` rejects with ETIMEDOUT. */
  static connector(address: Address, commandSet: CommandSet, timeoutMs: number): Connect {
    const templates = new RequestTemplates(commandSet);
    return async () => {
      // Requests are patched in place: an encoder belongs to one connection, as its bytes may still be on their way.
      const encoder = new RequestEncoder(templates);
      let connection: WireConnection | undefined;
      const onread = {
        buffer: received,
        callback: (length: number) => {
          connection?.receive(length);
          return true;
        },
      };
      const socket = await openSocket(address, onread, timeoutMs);
      connection = new WireConnection(socket, encoder);
      let late: Error | undefined;
      const deadline = setTimeout(() => {
        late = connectTimeout(timeoutMs);
        connection?.close();
      }, timeoutMs);
      try {
        const opened = connection;
        await logIn((...args) => opened.#request(encodeRequest(args)), address);
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
    this.sent++;
    this.#batch = batch;
    this.#missing = batch.size;
    this.#failed = 0;
    this.#nilsBefore = this.#scanner.nils;
    if (this.#alive) this.#socket.write(this.#encoder.encode(batch));
    else process.nextTick(() => this.#lost());
  }

  async ping(): Promise<void> {
    await this.#request(ping);
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#closedAs = code;
    this.#alive = false;
    this.#socket.destroy();
  }

  /** Takes in the first `length` bytes of the shared read buffer. */
  receive(length: number): void {
    let replies: number;
    try {
      replies = this.#scanner.scan(received, length);
    } catch (error) {
      this.#giveUp(failureCode(error));
      return;
    }
    if (replies === 0) return;
    this.#missing -= replies;
    if (this.#missing === 0) this.#settle();
    // A reply nobody asked for.
    else if (this.#missing < 0) this.#giveUp('PROTOCOL');
  }

  /** What arrived cannot be told apart: none of the batch's commands counts as answered. */
  #giveUp(code: string): void {
    this.#closedAs = code;
    this.#alive = false;
    if (this.#batch !== undefined) {
      this.#batch.restart();
      this.#missing = this.#batch.size;
      this.#failed = 0;
      this.#nilsBefore = this.#scanner.nils;
    }
    this.#socket.destroy();
  }

  #settle(): void {
    const batch = this.#batch as Batch;
    batch.completed = batch.size - this.#missing - this.#failed;
    batch.misses = this.#scanner.nils - this.#nilsBefore;
    this.#batch = undefined;
    this.settled++;
    batch.done();
  }

  #lost(): void {
    this.#alive = false;
    if (this.#batch === undefined) return;
    this.#batch.fail(this.#closedAs, this.#missing);
    this.#settle();
  }

  /** Sends one request outside of the load and waits for its reply. Rejects with the server's error or the loss. */
  #request(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#refusal = undefined;
      this.sent++;
      const request = new Batch(1, () => {
        if (request.failed === 0) resolve();
        else reject(this.#refusal ?? this.#closedError());
      });
      this.#batch = request;
      this.#missing = 1;
      this.#failed = 0;
      this.#nilsBefore = this.#scanner.nils;
      if (this.#alive) this.#socket.write(bytes);
      else process.nextTick(() => this.#lost());
    });
  }

  #closedError(): Error {
    return Object.assign(new Error('Connection lost'), { code: this.#closedAs });
  }
}
