import { PoolError } from '../errors.ts';

/** An error reply, as a value: at the top of a reply or inside one. */
export class ErrorReply {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** A value of RESP2 or RESP3. Bulk strings are decoded to `Text`. A map is the list of its keys and values. */
export type RespValue<Text = string> =
  | Text
  | string
  | number
  | bigint
  | boolean
  | null
  | ErrorReply
  | readonly RespValue<Text>[];

/** The bytes are not RESP, or a value exceeds the reader's limits. */
export class RespSyntaxError extends PoolError {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super('PROTOCOL', `Expected ${expected} of the Redis protocol, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

export interface RespLimits {
  /** Maximum of bytes of one value, with all elements. */
  readonly maxBytes: number;
  /** Maximum of nested lists: far more than any reply has, far fewer than a caller's stack holds. @default 32 */
  readonly maxDepth?: number;
  /** Type bytes that a value, and the values inside it, may begin with. @default all of RESP2 and RESP3 */
  readonly types?: { readonly first: string; readonly inside: string };
}

/** A list whose elements are still to come. */
interface OpenList<Text> {
  readonly type: string;
  missing: number;
  readonly elements: RespValue<Text>[];
}

const valueTypes = '+-:$*_#,(!=%~|';
const allTypes = { first: `${valueTypes}>`, inside: valueTypes };
/** Maximum of a line: an error, a simple string, a number or a length. */
const maxLineBytes = 64 * 1024;
const LF = 0x0a;
const incomplete = Symbol('incomplete');

/**
 * Reads RESP2 and RESP3 values from a stream of bytes that may be cut anywhere. It builds the values, so it is for requests
 * outside the load; `RespScanner` counts the replies to the load.
 *
 * Attributes and pushes are skipped: neither is a reply. Streamed types (`$?`, `*?`) are in the RESP3 text, but no
 * server sends them; they are syntax errors. After an error the reader is of no further use.
 */
export class RespReader<Text extends string | Buffer = string> {
  readonly #decode: (bytes: Buffer) => Text;
  readonly #maxBytes: number;
  readonly #maxDepth: number;
  readonly #types: { readonly first: string; readonly inside: string };
  /** The bytes that are being read, from `#at` on, and the chunks that came after them. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #later: Buffer[] = [];
  #laterBytes = 0;
  /** Bytes from `#at` on that must have arrived before reading on is worth a try. */
  #needed = 1;
  readonly #open: OpenList<Text>[] = [];
  /** Bytes of the current value that have been read. */
  #valueBytes = 0;

  /** @param decode makes a bulk string of its bytes, which are a view of a pushed chunk */
  constructor(decode: (bytes: Buffer) => Text, { maxBytes, maxDepth = 32, types = allTypes }: RespLimits) {
    this.#decode = decode;
    this.#maxBytes = maxBytes;
    this.#maxDepth = maxDepth;
    this.#types = types;
  }

  /** Adds bytes that have arrived. They are not copied, so they must not change afterwards. */
  push(chunk: Buffer): void {
    this.#later.push(chunk);
    this.#laterBytes += chunk.length;
  }

  /** The first byte that has not been read; undefined if there is none, or within a value. */
  peek(): number | undefined {
    return this.#open.length === 0 && this.#gather() ? this.#bytes[this.#at] : undefined;
  }

  /**
   * The next value; undefined while it has not arrived.
   * @throws RespSyntaxError
   */
  read(): RespValue<Text> | undefined {
    for (;;) {
      let value = this.#readPart();
      if (value === incomplete) return undefined;
      // A value goes into the open list, if there is one, and may complete that list and those around it.
      while (value !== undefined) {
        const list = this.#open.at(-1);
        if (list === undefined) {
          this.#valueBytes = 0;
          return value;
        }
        list.elements.push(value);
        if (--list.missing > 0) break;
        this.#open.pop();
        value = this.#endList(list);
      }
    }
  }

  /**
   * The text up to the next LF, for input that is not RESP, such as inline commands; undefined while it has not arrived.
   * @throws RespSyntaxError
   */
  readLine(): string | undefined {
    const end = this.#lineEnd();
    if (end === undefined) return undefined;
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#consume(end + 1 - this.#at);
    this.#valueBytes = 0;
    return line;
  }

  /** The next value without elements; undefined for the beginning of a list, and for skipped ones. */
  #readPart(): RespValue<Text> | undefined | typeof incomplete {
    if (!this.#gather()) return incomplete;
    const type = String.fromCharCode(this.#bytes[this.#at] as number);
    const allowed = this.#open.length === 0 ? this.#types.first : this.#types.inside;
    if (!allowed.includes(type))
      throw new RespSyntaxError(allowed.length === 1 ? `'${allowed}'` : 'a value', shown(type));
    const end = this.#lineEnd();
    if (end === undefined) return incomplete;
    const line = this.#bytes.toString('latin1', this.#at + 1, end).replace(/\r$/, '');
    const lineBytes = end + 1 - this.#at;
    if ('$!='.includes(type)) return this.#readBlob(type, line, lineBytes);
    this.#consume(lineBytes);
    return '*~%>|'.includes(type) ? this.#openList(type, line) : scalar(type, line);
  }

  #readBlob(type: string, line: string, lineBytes: number): RespValue<Text> | typeof incomplete {
    const length = this.#length(type, line);
    if (length === null) {
      this.#consume(lineBytes);
      return null;
    }
    const whole = lineBytes + length + 2;
    this.#expectRoom(whole);
    if (!this.#has(whole)) return incomplete;
    const start = this.#at + lineBytes;
    const bytes = this.#bytes.subarray(start, start + length);
    if (this.#bytes.toString('latin1', start + length, start + length + 2) !== '\r\n')
      throw new RespSyntaxError(`the end of a string of ${length} bytes`, 'more bytes');
    this.#consume(whole);
    if (type === '$') return this.#decode(bytes);
    return type === '!' ? new ErrorReply(bytes.toString()) : bytes.toString('utf8', 4);
  }

  #openList(type: string, line: string): RespValue<Text> | undefined {
    const length = this.#length(type, line);
    if (length === null) return null;
    const missing = type === '%' || type === '|' ? length * 2 : length;
    if (this.#open.length === this.#maxDepth)
      throw new RespSyntaxError(`lists in at most ${this.#maxDepth} levels`, 'more');
    // Each element takes three bytes at least.
    this.#expectRoom(missing * 3);
    const list = { type, missing, elements: [] };
    if (missing === 0) return this.#endList(list);
    this.#open.push(list);
    return undefined;
  }

  /** The value of a complete list; undefined for attributes and pushes, which are skipped. */
  #endList({ type, elements }: OpenList<Text>): RespValue<Text> | undefined {
    if (type !== '|' && type !== '>') return elements;
    if (this.#open.length === 0) this.#valueBytes = 0;
    return undefined;
  }

  /** A length; null for -1, the null of RESP2. */
  #length(type: string, line: string): number | null {
    if (line === '-1' && (type === '$' || type === '*')) return null;
    if (!/^\d{1,10}$/.test(line)) throw new RespSyntaxError('a length', shown(line));
    return Number(line);
  }

  #expectRoom(bytes: number): void {
    if (this.#valueBytes + bytes > this.#maxBytes)
      throw new RespSyntaxError(`a value of at most ${this.#maxBytes} bytes`, 'a larger one');
  }

  /** Where the LF of the next line stands; undefined while it has not arrived. */
  #lineEnd(): number | undefined {
    if (!this.#gather()) return undefined;
    const end = this.#bytes.indexOf(LF, this.#at);
    const bytes = (end < 0 ? this.#bytes.length : end + 1) - this.#at;
    if (bytes > maxLineBytes)
      throw new RespSyntaxError(`a line of at most ${maxLineBytes} bytes`, 'a longer one');
    this.#expectRoom(bytes);
    if (end >= 0) return end;
    this.#needed = bytes + 1;
    return undefined;
  }

  #consume(bytes: number): void {
    this.#expectRoom(bytes);
    this.#at += bytes;
    this.#valueBytes += bytes;
    this.#needed = 1;
  }

  #has(bytes: number): boolean {
    this.#needed = bytes;
    return this.#gather();
  }

  /** Joins the chunks once they are enough to read on: joining each one as it comes would copy the bytes repeatedly. */
  #gather(): boolean {
    const left = this.#bytes.length - this.#at;
    if (left >= this.#needed) return true;
    if (left + this.#laterBytes < this.#needed) return false;
    const rest = this.#bytes.subarray(this.#at);
    const [first = rest] = this.#later;
    this.#bytes = left === 0 && this.#later.length === 1 ? first : Buffer.concat([rest, ...this.#later]);
    this.#at = 0;
    this.#later = [];
    this.#laterBytes = 0;
    return true;
  }
}

function scalar(type: string, line: string): string | number | bigint | boolean | null | ErrorReply {
  const expect = (pattern: RegExp, expected: string) => {
    if (!pattern.test(line)) throw new RespSyntaxError(expected, shown(line));
  };
  switch (type) {
    case '+':
      return line;
    case '-':
      return new ErrorReply(line);
    case ':':
    case '(': {
      expect(/^[+-]?\d+$/, 'a whole number');
      const number = Number(line);
      return Number.isSafeInteger(number) ? number : BigInt(line.replace('+', ''));
    }
    case ',':
      expect(/^([+-]?(\d+(\.\d*)?(e[+-]?\d+)?|inf(inity)?)|nan)$/i, 'a number');
      return Number(line.replace(/inf(inity)?/i, 'Infinity'));
    case '#':
      expect(/^[tf]$/, "'t' or 'f'");
      return line === 't';
    default:
      return null;
  }
}

/** The text for a message: shortened, and without control characters. */
function shown(text: string): string {
  return `'${text.slice(0, 32).replace(/[^ -~]/g, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;
}
