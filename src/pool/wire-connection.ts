import net from 'node:net';
import tls from 'node:tls';
import type { Address } from './address.ts';
import { Batch, type CommandSet } from './batch.ts';
import type { Connect, Connection } from './connection.ts';
import { failureCode } from './errors.ts';
import { RequestEncoder } from './request-encoder.ts';
import { encodeRequest, RequestTemplates } from './request-templates.ts';
import { RespScanner } from './resp-scanner.ts';

/** A read is scanned before the next one starts, so all connections of a thread can read into the same bytes. */
const received = Buffer.allocUnsafeSlow(64 * 1024);

const ping = encodeRequest(['PING']);

/**
 * The leanest way to the server: one `write` a batch of pre-encoded requests, replies counted as they arrive.
 * It builds no values, no promises and no timers.
 */
export class WireConnection implements Connection {
  inUse = false;
  healthyAtMs = 0;
  sweptSettled = 0;
  stalledSinceMs = 0;
  sent = 0;
  settled = 0;
  readonly #socket: net.Socket;
  readonly #encoder: RequestEncoder;
  readonly #scanner: RespScanner;
  /** What is in flight, and how many of its replies are missing. */
  #batch: Batch | undefined;
  #missing = 0;
  #failed = 0;
  #nilsBefore = 0;
  #alive = true;
  #closedAs = 'CONNECTION_CLOSED';
  /** The last error reply, for the handshake and PING, which need its text. */
  #refusal: Error | undefined;

  private constructor(socket: net.Socket, encoder: RequestEncoder) {
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
      const deadline = setTimeout(() => connection?.close('TIMEOUT'), timeoutMs);
      try {
        await connection.#handshake(address);
        return connection;
      } catch (error) {
        connection.close();
        throw error;
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
      this.#closedAs = failureCode(error);
      this.#socket.destroy();
      return;
    }
    if (replies === 0) return;
    this.#missing -= replies;
    if (this.#missing === 0) this.#settle();
    else if (this.#missing < 0) {
      // A reply nobody asked for: what follows cannot be told apart any more.
      this.#missing += replies;
      this.#closedAs = 'PROTOCOL';
      this.#socket.destroy();
    }
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

  async #handshake({ username, password, database }: Address): Promise<void> {
    const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password];
    try {
      await this.#request(encodeRequest(['HELLO', '3', ...auth, 'SETNAME', 'poolbench']));
    } catch (error) {
      const code = failureCode(error);
      // Servers before RESP3 know no HELLO, or not its options.
      if (code !== 'ERR' && code !== 'NOPROTO') throw error;
      if (password !== undefined) {
        await this.#request(encodeRequest(['AUTH', ...(username === undefined ? [] : [username]), password]));
      }
      await this.#request(encodeRequest(['CLIENT', 'SETNAME', 'poolbench']));
    }
    if (database !== 0) await this.#request(encodeRequest(['SELECT', String(database)]));
  }

  #closedError(): Error {
    return Object.assign(new Error('Connection lost'), { code: this.#closedAs });
  }
}

type OnRead = NonNullable<net.TcpSocketConnectOpts['onread']>;

function openSocket(address: Address, onread: OnRead, timeoutMs: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const place =
      address.path === undefined ? { host: address.host, port: address.port } : { path: address.path };
    const options = { ...place, noDelay: true, onread };
    // An address is no server name: TLS refuses to send one.
    const servername = net.isIP(address.host) === 0 ? { servername: address.host } : {};
    const socket = address.tls ? tls.connect({ ...options, ...servername }) : net.connect(options);
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error(`No connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.removeListener('error', settle);
      if (error === undefined) resolve(socket);
      else reject(error);
    };
    socket.once('error', settle);
    socket.once(address.tls ? 'secureConnect' : 'connect', () => settle());
  });
}
