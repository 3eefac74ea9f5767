import type { Socket } from 'node:net';
import { PoolError } from '../errors.ts';
import { type Address, authArguments } from './address.ts';
import { encodeRequest } from './request-templates.ts';
import { ErrorReply, RespReader } from './resp-values.ts';
import { serverFinder } from './sentinel.ts';
import { openSocket } from './socket.ts';

/** What a subscriber receives, and the function that gets it. */
interface Subscriptions {
  /** SUBSCRIBE, SSUBSCRIBE or both. */
  readonly commands: readonly string[];
  readonly channels: readonly string[];
  /** Called with the beginning of each message. */
  readonly received: (payload: string) => void;
  readonly timeoutMs: number;
}

/** Max characters of a text that are read: only the beginning of a message matters. */
const maxTextBytes = 32;
const maxReplyBytes = 512 * 1024 * 1024;
const readBytes = 64 * 1024;

/** A connection that only receives messages. It is in no pool, and is not reopened. */
export class Subscriber {
  isClosed = false;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /**
   * Connects, logs in and subscribes to all channels.
   *
   * @throws Error of the socket, or with the server's refusal
   */
  static async open(
    address: Address,
    { commands, channels, received, timeoutMs }: Subscriptions,
  ): Promise<Subscriber> {
    const reader = new RespReader(bytes => bytes.toString('latin1', 0, maxTextBytes), {
      maxBytes: maxReplyBytes,
    });
    const buffer = Buffer.allocUnsafe(readBytes);
    const auth = authArguments(address);
    let unanswered = commands.length * channels.length + (auth.length > 0 ? 1 : 0);
    let settle: (refused?: Error) => void = () => {};
    const read = () => {
      for (let reply = reader.read(); reply !== undefined; reply = reader.read()) {
        if (Array.isArray(reply) && /^s?message$/.test(String(reply[0]))) received(String(reply[2]));
        else if (reply instanceof ErrorReply) settle(new Error(reply.message));
        else if (--unanswered === 0) settle();
      }
    };
    const server = await serverFinder(address, timeoutMs)();
    const socket = await openSocket(
      server,
      {
        buffer,
        callback: length => {
          reader.push(Buffer.from(buffer.subarray(0, length)));
          try {
            read();
          } catch (error) {
            socket.destroy(error instanceof Error ? error : undefined);
          }
          return true;
        },
      },
      timeoutMs,
    );
    const subscriber = new Subscriber(socket);
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new PoolError('TIMEOUT', `No subscription within ${timeoutMs} ms`)),
          timeoutMs,
        );
        settle = refused => {
          clearTimeout(timer);
          if (refused === undefined) resolve();
          else reject(refused);
        };
        socket.once('close', () =>
          settle(new PoolError('CONNECTION_CLOSED', 'The server closed a connection that subscribes')),
        );
        if (auth.length > 0) socket.write(encodeRequest(['AUTH', ...auth]));
        for (const command of commands) socket.write(encodeRequest([command, ...channels]));
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return subscriber;
  }

  close(): void {
    this.#socket.destroy();
  }
}
