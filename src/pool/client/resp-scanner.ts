import { PoolError } from '../errors.ts';
import { WholeStrings } from './whole-strings.ts';

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
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

/** What the scanner expects next: its place in the stream, kept between two chunks. */
const expecting = { type: 0, length: 1, line: 2, payload: 3, lengthEnd: 4 } as const;

/** More bytes or elements than any server keeps in one value: who announces more speaks no RESP, or means harm. */
const maxLength = 2 ** 32 - 1;

/**
 * Is called for each error reply, before it counts, with its first word, its whole text, and how many replies the scan
 * that is going on has completed before it.
 */
export type OnError = (code: string, message: string, replies: number) => void;

/**
 * Counts and classifies the replies in a RESP2 or RESP3 byte stream, cut anywhere, without building their values.
 *
 * A reply is complete when `#pending` elements have been seen: an aggregate of n adds n and completes itself, so no
 * stack is needed. Attributes add their elements and leave the reply still to come; pushes are not replies.
 * Streamed types (`$?`, `*?`) are in the RESP3 text but no server sends them; they are a protocol error.
 */
export class RespScanner {
  /** Null replies so far. */
  nils = 0;
  /** Where the last scan ended: at `end`, or behind the last of the replies it was to stop at. */
  at = 0;
  readonly #strings: WholeStrings;
  readonly #onError: OnError;
  readonly #onNull: (replies: number) => void;
  #expecting: number = expecting.type;
  /** Elements that the current reply still lacks; 0 between two replies. */
  #pending = 0;
  /** Whether the current reply is an aggregate: errors and nulls inside it are values, not outcomes. */
  #insideAggregate = false;
  #isPush = false;
  #type = 0;
  /** Below 0 before its first digit. */
  #length = -1;
  #negative = false;
  /** Payload bytes still to come, the closing CRLF included. */
  #remaining = 0;
  /** Replies that the scan going on has completed before the one being read: noted only where one is read in steps. */
  #repliesBefore = 0;
  /** Text of the error being read. */
  #error = '';

  /** `onNull` is called for each null reply, before it counts, with how many replies the scan has completed before it. */
  constructor(
    onError: OnError,
    onNull: (replies: number) => void = () => {},
    strings: WholeStrings = new WholeStrings(),
  ) {
    this.#strings = strings;
    this.#onError = onError;
    this.#onNull = onNull;
  }

  get isBetweenReplies(): boolean {
    return this.#pending === 0 && this.#expecting === expecting.type;
  }

  /**
   * Scans the bytes `from` … `end` and returns how many replies were completed in them. It stops behind the `most`th:
   * what follows is the next batch's.
   *
   * @throws PoolError PROTOCOL at a byte that starts no reply, or at a length that is none.
   */
  scan(bytes: Uint8Array, from: number, end: number, most: number): number {
    let replies = 0;
    let at = from;
    this.#repliesBefore = 0;
    while (at < end && replies < most) {
      if (this.#expecting === expecting.type) {
        if (this.#pending === 0) {
          replies += this.#strings.skip(bytes, at, end, most - replies);
          at = this.#strings.at;
          if (at === end || replies === most) break;
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
    return this.#close();
  }

  #null(): number {
    if (this.#isOutcome) {
      this.nils++;
      this.#onNull(this.#repliesBefore);
    }
    return this.#close();
  }

  /** One element is complete; returns 1 if that completes a reply. */
  #close(): number {
    this.#expecting = expecting.type;
    this.#pending--;
    return this.#pending === 0 && !this.#isPush ? 1 : 0;
  }

  /** Whether the element being read is the reply itself and not a part of one. */
  get #isOutcome(): boolean {
    return this.#pending === 1 && !this.#insideAggregate;
  }

  #keepError(bytes: Uint8Array, start: number, end: number): void {
    if (this.#error.length < 256)
      this.#error += String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 256)));
  }

  #errorRead(): void {
    if (!this.#isOutcome) return;
    const message = this.#error.trimEnd();
    let codeEnd = 0;
    while (codeEnd < message.length && message.charCodeAt(codeEnd) !== SPACE) codeEnd++;
    this.#onError(message.slice(0, codeEnd) || 'ERR', message, this.#repliesBefore);
  }
}

function unexpected(what: string, byte: number): PoolError {
  const found = `byte 0x${byte.toString(16).padStart(2, '0')}`;
  return new PoolError('PROTOCOL', `Expected ${what} of the Redis protocol, found ${found}`);
}
