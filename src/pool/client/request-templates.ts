import { type Argument, type Batch, type CommandSet, type CommandTemplate, KEY, keyDigits } from './batch.ts';

/** Of all requests of an order: more would be much memory for each pool. Below, copying them is slower at any length. */
const maxLaidOutBytes = 1 << 20;
/** More than the mixes that ask for the leanest way have; each is kept once more, to be written to. */
const fewTemplates = 4;

/** Requests as bytes, and where in them the digits of their keys stand. Never written to. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: Int32Array;
  /** What writes it instead, where numbers are spelled out in it; then there are no bytes. */
  readonly composed: ComposedRequest | undefined;
}

/** The requests of a CommandSet, encoded once for all connections of a pool. */
export class RequestTemplates {
  /** One for each command. */
  readonly singles: readonly RequestTemplate[];
  /** Whether there are so few, all without numbers that are spelled out, that an encoder can have copies of its own. */
  readonly areFew: boolean;
  /** The order in which they come, where there is one and their requests can be laid out in it. */
  readonly order: Uint16Array | undefined;
  readonly #maxRequestBytes: number;

  constructor({ commands, keyPrefix, order }: CommandSet) {
    this.singles = commands.map(command => encodeTemplate(command, keyPrefix));
    this.#maxRequestBytes = this.singles.reduce((max, single) => Math.max(max, lengthOf(single)), 0);
    this.areFew =
      this.singles.length <= fewTemplates && this.singles.every(({ composed }) => composed === undefined);
    this.order = order !== undefined && this.#canBeLaidOut(order) ? order : undefined;
  }

  #canBeLaidOut(order: Uint16Array): boolean {
    if (this.singles.some(({ digitsAt }) => digitsAt.length !== 1)) return false;
    return (
      order.reduce((sum, command) => sum + lengthOf(this.singles[command] as RequestTemplate), 0) <=
      maxLaidOutBytes
    );
  }

  /** Bytes that these commands take at most. Where their values vary, the longest would be far too much for most. */
  maxBytesOf(batch: Batch): number {
    if (this.areFew) return batch.size * this.#maxRequestBytes;
    let bytes = 0;
    for (let i = 0; i < batch.size; i++)
      bytes += lengthOf(this.singles[batch.commandAt(i)] as RequestTemplate);
    return bytes;
  }
}

/** A request as RESP has it: an array of bulk strings. */
export function encodeRequest(args: readonly string[]): Buffer {
  const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`);
}

function encodeTemplate({ name, args }: CommandTemplate, keyPrefix: string): RequestTemplate {
  if (args.some(arg => typeof arg === 'object')) {
    const composed = new ComposedRequest(name, args, keyPrefix);
    return { bytes: Buffer.alloc(0), digitsAt: new Int32Array(0), composed };
  }
  const key = `${keyPrefix}${'0'.repeat(keyDigits)}`;
  const bytes = encodeRequest([name, ...args.map(arg => (arg === KEY ? key : String(arg)))]);
  const digitsAt: number[] = [];
  // Behind the head of the request, argument by argument: a key's text may stand in another argument, too.
  let at = `*${args.length + 1}\r\n`.length + bulkLength(name);
  for (const arg of args) {
    const text = arg === KEY ? key : String(arg);
    at += bulkLength(text);
    if (arg === KEY) digitsAt.push(at - keyDigits - 2);
  }
  return { bytes, digitsAt: Int32Array.from(digitsAt), composed: undefined };
}

/** Bytes of an argument in a request. */
function bulkLength(text: string): number {
  const bytes = Buffer.byteLength(text);
  return `$${bytes}\r\n`.length + bytes + 2;
}

function lengthOf({ bytes, composed }: RequestTemplate): number {
  return composed === undefined ? bytes.length : composed.maxBytes;
}

/** Digits of the largest 32-bit number. */
const maxDigits = 10;

/** A part of a request, in their order. */
type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly keys: readonly KeyPlace[] }
  /** The length of an argument: that of its text and of the numbers in it. */
  | { readonly kind: 'length'; readonly textBytes: number; readonly numbers: readonly number[] }
  | { readonly kind: 'number'; readonly number: number };

/** Where in a piece the digits of a key stand. */
interface KeyPlace {
  readonly at: number;
  readonly number: number;
}

/**
 * A request with numbers that are spelled out. Redis takes no number with leading zeros, so their width varies, and
 * with it the lengths that stand before them: such a request is written piece by piece, keys and text still by copy.
 */
export class ComposedRequest {
  /** Its length in bytes, at most. */
  readonly maxBytes: number;
  readonly #pieces: readonly Piece[];

  constructor(name: string, args: readonly Argument[], keyPrefix: string) {
    const pieces = new PieceList();
    pieces.text(`*${args.length + 1}\r\n`);
    pieces.argument(name);
    let keys = 0;
    for (const arg of args) {
      if (arg === KEY) pieces.key(keyPrefix, keys++);
      else if (typeof arg === 'string') pieces.argument(arg);
      else pieces.composed(arg);
    }
    this.#pieces = pieces.finish();
    this.maxBytes = this.#pieces.reduce(
      (sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : maxDigits),
      0,
    );
  }

  /** Writes the request whose numbers stand from `first` on in `numbers` to `at`, and returns where it ends. */
  write(target: Patchable, at: number, numbers: Uint32Array, first: number): number {
    let end = at;
    for (const piece of this.#pieces) {
      if (piece.kind === 'bytes') {
        target.bytes.set(piece.bytes, end);
        for (const key of piece.keys) target.patch(end + key.at, numbers[first + key.number] as number);
        end += piece.bytes.length;
      } else if (piece.kind === 'number') {
        end = writeNumber(target.bytes, end, numbers[first + piece.number] as number);
      } else {
        let length = piece.textBytes;
        for (const number of piece.numbers) length += countDigits(numbers[first + number] as number);
        end = writeNumber(target.bytes, end, length);
      }
    }
    return end;
  }
}

/** Joins what is always the same into as few pieces as there can be. */
class PieceList {
  readonly #pieces: Piece[] = [];
  #text: Buffer[] = [];
  #textLength = 0;
  #keys: KeyPlace[] = [];

  text(text: string): void {
    const bytes = Buffer.from(text);
    this.#text.push(bytes);
    this.#textLength += bytes.length;
  }

  argument(text: string): void {
    this.text(`$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  }

  key(prefix: string, number: number): void {
    const prefixBytes = Buffer.byteLength(prefix);
    const head = `$${prefixBytes + keyDigits}\r\n`;
    this.#keys.push({ at: this.#textLength + head.length + prefixBytes, number });
    this.text(`${head}${prefix}${'0'.repeat(keyDigits)}\r\n`);
  }

  composed(parts: readonly (string | number)[]): void {
    const texts = parts.filter(part => typeof part === 'string');
    this.text('$');
    this.#push({
      kind: 'length',
      textBytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      numbers: parts.filter(part => typeof part === 'number'),
    });
    this.text('\r\n');
    for (const part of parts) {
      if (typeof part === 'string') this.text(part);
      else this.#push({ kind: 'number', number: part });
    }
    this.text('\r\n');
  }

  finish(): readonly Piece[] {
    this.#closeText();
    return this.#pieces;
  }

  #push(piece: Piece): void {
    this.#closeText();
    this.#pieces.push(piece);
  }

  #closeText(): void {
    if (this.#textLength === 0) return;
    this.#pieces.push({ kind: 'bytes', bytes: Buffer.concat(this.#text), keys: this.#keys });
    this.#text = [];
    this.#textLength = 0;
    this.#keys = [];
  }
}

function countDigits(number: number): number {
  let digits = 1;
  for (let power = 10; power <= number; power *= 10) digits++;
  return digits;
}

function writeNumber(bytes: Buffer, at: number, number: number): number {
  const end = at + countDigits(number);
  let rest = number;
  for (let place = end - 1; place >= at; place--) {
    const tens = Math.floor(rest / 10);
    bytes[place] = 0x30 + rest - tens * 10;
    rest = tens;
  }
  return end;
}

/** Bytes of one owner's, in which the digits of keys are patched. */
export class Patchable {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  static copyOf(bytes: Uint8Array): Patchable {
    const copy = new Patchable(bytes.length);
    copy.bytes.set(bytes);
    return copy;
  }

  /** Writes the 8 digits of a key number. */
  patch(at: number, key: number): void {
    // key / 10,000, rounded down: a division takes longer. Half a key more keeps the product off the whole numbers, where
    // it could come out just below; so it is right for every number of 8 digits.
    const high = ((key + 0.5) * 0.0001) | 0;
    this.patchFour(at, high);
    this.patchFour(at + 4, key - high * 10_000);
  }

  /** Writes the 4 digits of a number below 10,000. */
  patchFour(at: number, number: number): void {
    // Two numbers of two digits, side by side in one word, then their four digits: n / 100 and n / 10 by multiplication.
    const hundreds = (number * 5243) >>> 19;
    const pairs = hundreds | ((number - hundreds * 100) << 16);
    const tens = ((pairs * 103) >>> 10) & 0x000f000f;
    this.#view.setInt32(at, 0x30303030 + (tens | ((pairs - tens * 10) << 8)), true);
  }
}
