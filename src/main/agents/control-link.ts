import { randomUUID } from 'node:crypto';
import { type Address, socketPlace, tlsOptions } from '../../pool/client/address.ts';
import { Redis } from '../../pool/client/ioredis.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { connectControl, withTimeout } from '../server/control.ts';
import { lifeOf } from '../server/server-info.ts';
import { parseAddress, shownAddress, withoutPassword } from '../server/url.ts';
import { type ControlClock, readClock } from './clock.ts';
import { maxMessageCharacters, prefix } from './messages.ts';
import { type Patience, usualPatience } from './patience.ts';

const connectTimeoutMs = 5000;
/** Default timeout of a request to the control server. */
const answerTimeoutMs = 10_000;
const maxRetryMs = 500;

/**
 * A server closes a connection whose waiting messages are larger than its limit (client-output-buffer-limit pubsub,
 * usually 32 MB). A longer message is sent as a letter: it waits in a key, and only the name of the key is published.
 */
const maxPublishedCharacters = 2 ** 20;
/** A letter that nobody reads expires after this time. */
const letterMs = 60_000;
const letterKey = /^poolbench:letter:[\da-f-]{36}$/;

/**
 * A connection to the control server for commands, and one for messages. Unlike connections to a target, they reconnect
 * by themselves: their user decides how long a run can do without.
 */
export class ControlLink {
  /** `host:port`. */
  readonly where: string;
  /** What distinguishes this server from others; undefined if it does not report it. */
  readonly life: string | undefined;
  /** For BullMQ, which never closes a connection that it was given. */
  readonly redis: Redis;
  readonly #subscriber: Redis;
  readonly #pauseMs: number;
  readonly #handlers = new Map<string, (text: string) => void>();
  #cuts = 0;
  /** Since when it has answered without a pause. */
  #workingSinceMs = performance.now();
  /** Messages that it has not yet answered, and since when one of them waits. */
  #unanswered = 0;
  #waitingSinceMs = 0;

  private constructor(address: Address, life: string | undefined, { pauseMs }: Patience) {
    this.where = shownAddress(address);
    this.life = life;
    this.#pauseMs = pauseMs;
    this.redis = connectionTo(address);
    this.#subscriber = this.redis.duplicate();
    for (const connection of [this.redis, this.#subscriber]) {
      // It is retried; `workingSinceMs` and `cuts` show that it happened.
      connection.on('error', () => {});
      connection.on('close', () => this.#cuts++);
      connection.on('ready', () => {
        this.#workingSinceMs = performance.now();
      });
    }
    this.#subscriber.on('message', (channel, text) => {
      if (letterKey.test(text)) void this.#readLetter(channel, text).catch(() => {});
      else this.#handlers.get(channel)?.(text);
    });
  }

  /** @throws PoolbenchError CONTROL_UNREACHABLE, USAGE for a URL that cannot be read */
  static async open(url: string, patience = usualPatience): Promise<ControlLink> {
    const address = readControlUrl(url);
    try {
      // It explains every refusal: of the login, of TLS, of the protocol.
      const probe = await connectControl(address, { timeoutMs: connectTimeoutMs });
      const life = await lifeOf(probe)
        .catch(() => undefined)
        .finally(() => probe.close());
      const link = new ControlLink(address, life, patience);
      await withTimeout(
        Promise.all([link.redis.connect(), link.#subscriber.connect()]),
        2 * connectTimeoutMs,
      ).catch(error => {
        link.close();
        throw error;
      });
      return link;
    } catch (cause) {
      throw new PoolbenchError(
        'CONTROL_UNREACHABLE',
        `expected a control server that can be used (--control, or POOLBENCH_CONTROL): ${asError(cause).message}`,
        { cause },
      );
    }
  }

  /** How often one of its connections was lost: messages of that time are lost, too. */
  get cuts(): number {
    return this.#cuts;
  }

  /**
   * Since when the control server is connected and answers, on the clock of `performance.now`; undefined while it does not.
   * Before that, no message could come.
   */
  get workingSinceMs(): number | undefined {
    const isConnected = this.redis.status === 'ready' && this.#subscriber.status === 'ready';
    return isConnected && !this.#isSilent ? this.#workingSinceMs : undefined;
  }

  get #isSilent(): boolean {
    return this.#unanswered > 0 && performance.now() - this.#waitingSinceMs > this.#pauseMs;
  }

  /**
   * @param channel of one receiver, if the message can be a long one
   * @returns how many have received it
   * @throws Error if the control server does not answer in time; PoolbenchError USAGE for a message that is too long
   */
  async publish(channel: string, message: object, timeoutMs = answerTimeoutMs): Promise<number> {
    const text = JSON.stringify(message);
    const published = text.length > maxPublishedCharacters ? await this.#writeLetter(text, timeoutMs) : text;
    if (this.#unanswered++ === 0) this.#waitingSinceMs = performance.now();
    const answer = this.redis.publish(channel, published).finally(() => {
      const now = performance.now();
      if (this.#isSilent) this.#workingSinceMs = now;
      this.#unanswered--;
      // Answers come in the order of the messages.
      this.#waitingSinceMs = now;
    });
    return await withTimeout(answer, timeoutMs);
  }

  /** @returns the key in which the message waits */
  async #writeLetter(text: string, timeoutMs: number): Promise<string> {
    if (text.length > maxMessageCharacters)
      throw new PoolbenchError(
        'USAGE',
        `expected the tasks of an agent to have at most ${maxMessageCharacters} characters, found ${text.length}; use smaller values (workload.valueBytes)`,
      );
    const key = `${prefix}:letter:${randomUUID()}`;
    await withTimeout(this.redis.set(key, text, 'PX', letterMs), timeoutMs);
    return key;
  }

  /** Reads a letter. If it is lost or invalid, it is repeated or ignored like any other message. */
  async #readLetter(channel: string, key: string): Promise<void> {
    const size = await withTimeout(this.redis.strlen(key), answerTimeoutMs);
    // In UTF-8, a character that JSON does not escape has at most three bytes.
    if (size > 3 * maxMessageCharacters) return;
    const text = await withTimeout(this.redis.getdel(key), answerTimeoutMs);
    if (text !== null) this.#handlers.get(channel)?.(text);
  }

  async subscribe(channel: string, handle: (text: string) => void): Promise<void> {
    this.#handlers.set(channel, handle);
    await withTimeout(this.#subscriber.subscribe(channel), answerTimeoutMs);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) this.#handlers.delete(channel);
    await withTimeout(this.#subscriber.unsubscribe(...channels), answerTimeoutMs).catch(() => {});
  }

  /** Compares the clock here with that of the control server. @throws Error if it does not answer in time */
  async readClock(timeoutMs = answerTimeoutMs): Promise<ControlClock> {
    return await withTimeout(
      readClock(async () => {
        const [seconds = 0, micros = 0] = await this.redis.time();
        return Number(seconds) * 1e6 + Number(micros);
      }),
      timeoutMs,
    );
  }

  close(): void {
    this.redis.disconnect();
    this.#subscriber.disconnect();
  }
}

/** @throws PoolbenchError USAGE */
function readControlUrl(url: string): Address {
  try {
    return parseAddress(url);
  } catch (cause) {
    throw new PoolbenchError(
      'USAGE',
      `control server (--control, or POOLBENCH_CONTROL): ${asError(cause).message}, found ${withoutPassword(url)}`,
    );
  }
}

function connectionTo(address: Address): Redis {
  const { username, password, database } = address;
  return new Redis({
    ...socketPlace(address),
    ...(address.tls ? { tls: tlsOptions(address) } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    db: database,
    protocol: 2,
    disableClientInfo: true,
    connectTimeout: connectTimeoutMs,
    lazyConnect: true,
    // BullMQ requires it. Each request here has a limit of its own.
    maxRetriesPerRequest: null,
    retryStrategy: times => Math.min(50 * times, maxRetryMs),
  });
}
