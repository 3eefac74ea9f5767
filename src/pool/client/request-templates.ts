import { type Batch, type CommandSet, type CommandTemplate, KEY, keyDigits, keyName } from './batch.ts';

/** Maximum for all requests of an order, as each pool has its own. Up to it copying requests is slower at any length. */
const maxLaidOutBytes = 1 << 20;
/** More than the simplest mixes have. An encoder keeps a copy of each, to write to. */
const fewTemplates = 4;

/** A request as bytes, and the places of its keys' digits in them. Never written to. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: Int32Array;
  /** Writes the request instead, if there are numbers in decimal in it; then there are no bytes. */
  readonly composed: ComposedRequest | undefined;
}

/** The requests of a CommandSet, encoded once for all connections of a pool. */
export class RequestTemplates {
  /** One for each command. */
  readonly singles: readonly RequestTemplate[];
  /** For each command: whether an empty reply, or 0, is a miss. */
  readonly emptyIsMiss: readonly boolean[];
  /** Whether there are so few, all without numbers in decimal, that an encoder can have its own copies. */
  readonly areFew: boolean;
  /** The order in which the commands come, if there is one and the requests can be laid out in it. */
  readonly order: Uint16Array | undefined;
  readonly #maxRequestBytes: number;

  constructor({ commands, keyPrefix, order }: CommandSet) {
    this.singles = commands.map(command => encodeTemplate(command, keyPrefix));
    this.emptyIsMiss = commands.map(command => command.emptyIsMiss ?? false);
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

  /** Maximum of bytes of the batch's requests. Counted one by one if there are many, as their sizes can vary widely. */
  maxBytesOf(batch: Batch): number {
    if (this.areFew) return batch.size * this.#maxRequestBytes;
    let bytes = 0;
    for (let i = 0; i < batch.size; i++)
      bytes += lengthOf(this.singles[batch.commandAt(i)] as RequestTemplate);
    return bytes;
  }
}

/** A request in RESP: an array of bulk strings. */
export function encodeRequest(args: readonly string[]): Buffer {
  const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`);
}

function encodeTemplate(command: CommandTemplate, keyPrefix: string): RequestTemplate {
  const pieces = encodePieces(command, keyPrefix);
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'bytes')
    return { bytes: only.bytes, digitsAt: Int32Array.from(only.keys, ({ at }) => at), composed: undefined };
  const composed = new ComposedRequest(pieces);
  return { bytes: Buffer.alloc(0), digitsAt: new Int32Array(0), composed };
}

function lengthOf({ bytes, composed }: RequestTemplate): number {
  return composed === undefined ? bytes.length : composed.maxBytes;
}

/** Digits of the largest 32-bit number. */
const maxDigits = 10;

/** A part of a request. */
type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly keys: readonly KeyPlace[] }
  /** The length of an argument: of its text and of the numbers in it. */
  | { readonly kind: 'length'; readonly textBytes: number; readonly numbers: readonly number[] }
  | { readonly kind: 'number'; readonly number: number };

/** The place of a key's digits in a piece, and the key's index among the numbers of the command. */
interface KeyPlace {
  readonly at: number;
  readonly number: number;
}

/** Encodes a command as few pieces: bytes that are always the same are joined. */
function encodePieces({ name, args }: CommandTemplate, keyPrefix: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let bytes = Buffer.alloc(0);
  let keys: KeyPlace[] = [];
  const add = (text: string) => {
    bytes = Buffer.concat([bytes, Buffer.from(text)]);
  };
  const addBulk = (text: string) => add(`$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  const endBytes = () => {
    if (bytes.length > 0) pieces.push({ kind: 'bytes', bytes, keys });
    bytes = Buffer.alloc(0);
    keys = [];
  };
  let keyCount = 0;
  add(`*${args.length + 1}\r\n`);
  addBulk(name);
  for (const arg of args) {
    if (arg === KEY) {
      addBulk(keyName(keyPrefix, 0));
      keys.push({ at: bytes.length - keyDigits - 2, number: keyCount++ });
      continue;
    }
    if (typeof arg === 'string') {
      addBulk(arg);
      continue;
    }
    add('$');
    endBytes();
    const textBytes = arg.reduce<number>(
      (sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 0),
      0,
    );
    pieces.push({ kind: 'length', textBytes, numbers: arg.filter(part => typeof part === 'number') });
    add('\r\n');
    for (const part of arg) {
      if (typeof part === 'string') add(part);
      else {
        endBytes();
        pieces.push({ kind: 'number', number: part });
      }
    }
    add('\r\n');
  }
  endBytes();
  return pieces;
}

/**
 * A request with numbers in decimal. Redis takes no number with leading zeros, so their widths vary, and with them the
 * lengths of arguments. Such a request is written piece by piece; keys and text are still copied.
 */
class ComposedRequest {
  /** Maximum of its length in bytes. */
  readonly maxBytes: number;
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
    this.maxBytes = pieces.reduce(
      (sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : maxDigits),
      0,
    );
  }

  /** Writes the request to `at`, with the numbers from `first` on, and returns where it ends. */
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

/** Bytes with one owner, who patches the digits of keys in them. */
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
    // key / 10,000, rounded down, because a division takes longer. The half keeps the product away from whole numbers, where
    // rounding could go wrong; so it is right for every number of 8 digits.
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
