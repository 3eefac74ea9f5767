import { codeOfReply, PoolError } from '../errors.ts';
import { WholeStrings } from './whole-strings.ts';

const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Type bytes of RESP2 and RESP3. */
const type = {
  simple: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  array: 0x2a, // *
  nil: 0x5f, // _
  bool: 0x23, // #
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  blobError: 0x21, // !
  verbatim: 0x3d, // =
  map: 0x25, // %
  set: 0x7e, // ~
  push: 0x3e, // >
  attribute: 0x7c, // |
} as const;

/** What the scanner expects next, kept between two chunks. */
const expecting = { type: 0, length: 1, line: 2, payload: 3, lengthEnd: 4 } as const;

/** Maximum of bytes or elements: no server keeps more in one value, so a larger length is no RESP, or an attack. */
const maxLength = 2 ** 32 - 1;

/**
 * Called for each error reply, before it counts, with its first word, its whole text, and the number of replies that the
 * current scan has completed before it.
 */
type OnError = (code: string, message: string, replies: number) => void;

/** Called for a reply, before it counts, with the number of replies that the current scan has completed before it. */
type OnReply = (replies: number) => void;

/**
 * Counts and classifies the replies in a RESP2 or RESP3 byte stream, cut anywhere, without building their values.
 *
 * A reply is complete when `#pending` is down to 0: an aggregate of n adds n and completes itself, so no stack is needed.
 * Attributes add their elements, and the reply follows them. Pushes are not replies.
 * Streamed types (`$?`, `*?`) are in the RESP3 specification, but no server sends them; they are a protocol error.
 */
export class RespScanner {
  /** Where the last scan ended: at `end`, or after the last reply that it was allowed to complete. */
  at = 0;
  readonly #strings: WholeStrings;
  readonly #onError: OnError;
  readonly #onNull: OnReply;
  readonly #onEmpty: OnReply;
  readonly #onInnerError: OnError;
  #expecting: number = expecting.type;
  /** Missing elements of the current reply; 0 between two replies. */
  #pending = 0;
  /** Whether the current reply is an aggregate: errors and nulls inside it are not separate outcomes. */
  #insideAggregate = false;
  #isPush = false;
  #type = 0;
  /** The length that is being read; below 0 before its first digit. */
  #length = -1;
  #negative = false;
  /** Missing bytes of the payload, with the CRLF at its end. */
  #remaining = 0;
  /** Replies that the current scan completed before the one that is being read. Set only for replies read in steps. */
  #repliesBefore = 0;
  /** Text of the error being read. */
  #error = '';
  /** Whether the reply that is being read is an integer, and 0 so far. */
  #isZero = false;

  /**
   * @param on.null called for each null reply
   * @param on.empty called for each reply that is an aggregate without elements, or 0
   * @param on.innerError called for each error inside a reply that is an aggregate
   */
  constructor(
    onError: OnError,
    on: { readonly null?: OnReply; readonly empty?: OnReply; readonly innerError?: OnError } = {},
    strings: WholeStrings = new WholeStrings(),
  ) {
    this.#strings = strings;
    this.#onError = onError;
    this.#onNull = on.null ?? ignore;
    this.#onEmpty = on.empty ?? ignore;
    this.#onInnerError = on.innerError ?? ignore;
  }

  get isBetweenReplies(): boolean {
    return this.#pending === 0 && this.#expecting === expecting.type;
  }

  /**
   * Scans the bytes from `from` to `end` and returns the number of replies completed in them. It stops after reply
   * `max`: the following ones belong to the next batch.
   *
   * @throws PoolError PROTOCOL for a byte that starts no reply, and for an invalid length
   */
  scan(bytes: Uint8Array, from: number, end: number, max: number): number {
    let replies = 0;
    let at = from;
    this.#repliesBefore = 0;
    while (at < end && replies < max) {
      if (this.#expecting === expecting.type) {
        if (this.#pending === 0) {
          replies += this.#strings.skip(bytes, at, end, max - replies);
          at = this.#strings.at;
          if (at === end || replies === max) break;
        }
        this.#repliesBefore = replies;
        this.#open(bytes[at++] as number);
      } else if (this.#expecting === expecting.length) {
        this.#readLength(bytes[at++] as number);
      } else if (this.#expecting === expecting.lengthEnd) {
        const byte = bytes[at++] as number;
        if (byte !== LF) throw unexpected('the end of a length', byte);
        replies += this.#lengthRead();
      } else if (this.#expecting === expecting.line) {
        let lineEnd = at;
        while (lineEnd < end && bytes[lineEnd] !== LF) lineEnd++;
        if (this.#type === type.error) this.#keepError(bytes, at, lineEnd);
        else if (this.#isZero) this.#isZero = isZeroFrom(bytes[at] as number);
        at = Math.min(lineEnd + 1, end);
        if (lineEnd < end) replies += this.#lineRead();
      } else {
        const taken = Math.min(this.#remaining, end - at);
        if (this.#type === type.blobError) this.#keepError(bytes, at, at + taken);
        at += taken;
        this.#remaining -= taken;
        if (this.#remaining === 0) {
          if (this.#type === type.blobError) this.#errorRead();
          replies += this.#close();
        }
      }
    }
    this.at = at;
    return replies;
  }

  #open(first: number): void {
    if (this.#pending === 0) {
      this.#pending = 1;
      this.#insideAggregate = false;
      this.#isPush = false;
    }
    this.#type = first;
    switch (first) {
      case type.simple:
      case type.error:
      case type.integer:
      case type.nil:
      case type.bool:
      case type.double:
      case type.bigNumber:
        this.#expecting = expecting.line;
        this.#error = '';
        this.#isZero = first === type.integer;
        return;
      case type.bulk:
      case type.array:
      case type.blobError:
      case type.verbatim:
      case type.map:
      case type.set:
      case type.push:
      case type.attribute:
        this.#expecting = expecting.length;
        this.#length = -1;
        this.#negative = false;
        this.#error = '';
        return;
      default:
        throw unexpected('a reply', first);
    }
  }

  #readLength(byte: number): void {
    if (byte >= ZERO && byte <= 0x39) {
      this.#length = Math.max(0, this.#length) * 10 + byte - ZERO;
      if (this.#length > maxLength) throw unexpected(`a length of at most ${maxLength}`, byte);
    } else if (byte === MINUS && this.#length < 0 && !this.#negative) this.#negative = true;
    else if (byte === CR && this.#length >= 0) this.#expecting = expecting.lengthEnd;
    else throw unexpected('a length', byte);
  }

  #lengthRead(): number {
    const length = this.#length;
    if (this.#negative) {
      // The null of RESP2; nothing else has a length below 0.
      if (length === 1 && (this.#type === type.bulk || this.#type === type.array)) return this.#null();
      throw new PoolError('PROTOCOL', `Expected a length of the Redis protocol, found -${length}`);
    }
    switch (this.#type) {
      case type.bulk:
      case type.verbatim:
      case type.blobError:
        this.#remaining = length + 2;
        this.#expecting = expecting.payload;
        return 0;
      case type.attribute:
        this.#pending += length * 2;
        this.#expecting = expecting.type;
        return 0;
      default:
        if (this.#pending === 1) {
          if (length === 0 && this.#type !== type.push && this.#isOutcome) this.#onEmpty(this.#repliesBefore);
          this.#isPush ||= this.#type === type.push;
          this.#insideAggregate = true;
        }
        this.#pending += this.#type === type.map ? length * 2 : length;
        return this.#close();
    }
  }

  #lineRead(): number {
    if (this.#type === type.nil) return this.#null();
    if (this.#type === type.error) this.#errorRead();
    else if (this.#isZero && this.#isOutcome) this.#onEmpty(this.#repliesBefore);
    return this.#close();
  }

  #null(): number {
    if (this.#isOutcome) this.#onNull(this.#repliesBefore);
    return this.#close();
  }

  /** One element is complete. @returns 1 if that completes a reply, else 0 */
  #close(): number {
    this.#expecting = expecting.type;
    this.#pending--;
    return this.#pending === 0 && !this.#isPush ? 1 : 0;
  }

  /** Whether the element that is being read is a whole reply and not a part of one. */
  get #isOutcome(): boolean {
    return this.#pending === 1 && !this.#insideAggregate;
  }

  #keepError(bytes: Uint8Array, start: number, end: number): void {
    if (this.#error.length < 256)
      this.#error += String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 256)));
  }

  #errorRead(): void {
    if (this.#isPush) return;
    const message = this.#error.trimEnd();
    const report = this.#isOutcome ? this.#onError : this.#onInnerError;
    report(codeOfReply(message), message, this.#repliesBefore);
  }
}

function ignore(): void {}

/** Whether an integer can be 0 by the first byte of a piece of its line: no server sends leading zeros. */
function isZeroFrom(byte: number): boolean {
  return byte === ZERO || byte <= CR;
}

function unexpected(what: string, byte: number): PoolError {
  const found = `byte 0x${byte.toString(16).padStart(2, '0')}`;
  return new PoolError('PROTOCOL', `Expected ${what} of the Redis protocol, found ${found}`);
}
