import {
  type Batch,
  type CommandSet,
  type CommandTemplate,
  KEY,
  keyDigits,
  keyName,
  requestsOfCommand,
} from './batch.ts';

/** Maximum for all requests of an order, as each pool has its own. Up to it copying requests is slower at any length. */
const maxLaidOutBytes = 1 << 20;
/** More than the simplest mixes have. An encoder keeps a copy of each, to write to. */
const fewTemplates = 4;

/** A request as bytes, and the places of its keys' digits in them. Never written to. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: Int32Array;
  /** Writes the request instead, if numbers are in decimal in it or a key is there twice; then there are no bytes. */
  readonly composed: ComposedRequest | undefined;
}

/** The requests of a CommandSet, encoded once for all connections of a pool. */
export class RequestTemplates {
  /** One for each command. */
  readonly singles: readonly RequestTemplate[];
  /** For each command: whether an empty reply, or 0, is a miss. */
  readonly emptyIsMiss: readonly boolean[];
  /** Which replies belong to which commands; undefined if each command has one. */
  readonly replyPlaces: ReplyPlaces | undefined;
  /** Whether there are so few, all without numbers in decimal, that an encoder can have its own copies. */
  readonly areFew: boolean;
  /** The order in which the commands come, if there is one and the requests can be laid out in it. */
  readonly order: Uint16Array | undefined;
  readonly #maxRequestBytes: number;

  constructor({ commands, keyPrefix, order }: CommandSet) {
    this.singles = commands.map(command => encodeTemplate(command, keyPrefix));
    this.emptyIsMiss = commands.map(command => command.emptyIsMiss ?? false);
    this.replyPlaces = commands.some(({ followedBy }) => followedBy !== undefined)
      ? new ReplyPlaces(commands)
      : undefined;
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

/**
 * Which replies belong to which commands of a batch, where commands can have several. The places in the batch that was asked
 * for last are kept, so that many misses in a large batch do not go through it again and again.
 */
export class ReplyPlaces {
  /** By the command's index in the CommandSet. */
  readonly #counts: Uint32Array;
  #batch: Batch | undefined;
  /** For each command of that batch: the number of the replies up to its last one. */
  #ends = new Uint32Array(0);
  /** The command of that batch that was found last. */
  #found = 0;

  constructor(commands: readonly CommandTemplate[]) {
    this.#counts = Uint32Array.from(commands, command => requestsOfCommand(command).length);
  }

  /** The replies to a batch come next: its commands can be others than the last time. Returns the number of replies. */
  begin(batch: Batch): number {
    this.#batch = batch;
    this.#found = 0;
    if (this.#ends.length < batch.size) this.#ends = new Uint32Array(batch.size);
    let end = 0;
    for (let i = 0; i < batch.size; i++) {
      end += this.#counts[batch.commandAt(i)] as number;
      this.#ends[i] = end;
    }
    return end;
  }

  /** The number of the replies to a batch. */
  total(batch: Batch): number {
    return this.endOf(batch, batch.size - 1);
  }

  /** The number of the replies to the commands of a batch up to this one. */
  endOf(batch: Batch, command: number): number {
    if (batch !== this.#batch) this.begin(batch);
    return this.#ends[command] as number;
  }

  /** The index of the command that a reply belongs to, by the reply's own; behind the last one the batch's size. */
  commandOf(batch: Batch, reply: number): number {
    if (batch !== this.#batch) this.begin(batch);
    // Replies come in their order, so the command is mostly the last one that was found, or soon behind it.
    let command = this.#found;
    if (command > 0 && reply < (this.#ends[command - 1] as number)) command = 0;
    while (command < batch.size && (this.#ends[command] as number) <= reply) command++;
    this.#found = command;
    return command;
  }

  /** Whether a reply is the last one of several to its command. */
  endsSeveral(batch: Batch, reply: number): boolean {
    const command = this.commandOf(batch, reply);
    const isSeveral = (this.#counts[batch.commandAt(command)] as number) > 1;
    return isSeveral && this.endOf(batch, command) === reply + 1;
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
  // Digits of keys in their order can be written without looking up which key is where.
  if (
    pieces.length === 1 &&
    only?.kind === 'bytes' &&
    only.keys.every(({ number }, index) => number === index)
  )
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

/** Encodes the requests of a command as few pieces: bytes that are always the same are joined. */
function encodePieces(command: CommandTemplate, keyPrefix: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let bytes = Buffer.alloc(0);
  let keys: KeyPlace[] = [];
  const add = (...texts: (string | Buffer)[]) => {
    bytes = Buffer.concat([
      bytes,
      ...texts.map(text => (typeof text === 'string' ? Buffer.from(text) : text)),
    ]);
  };
  const addBulk = (text: string | Buffer) => add(`$${Buffer.byteLength(text)}\r\n`, text, '\r\n');
  const addKey = (number: number) => {
    addBulk(keyName(keyPrefix, 0));
    keys.push({ at: bytes.length - keyDigits - 2, number });
  };
  const endBytes = () => {
    if (bytes.length > 0) pieces.push({ kind: 'bytes', bytes, keys });
    bytes = Buffer.alloc(0);
    keys = [];
  };
  const addParts = (parts: readonly (string | number)[]) => {
    add('$');
    endBytes();
    const textBytes = parts.reduce<number>(
      (sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 0),
      0,
    );
    pieces.push({ kind: 'length', textBytes, numbers: parts.filter(part => typeof part === 'number') });
    add('\r\n');
    for (const part of parts) {
      if (typeof part === 'string') add(part);
      else {
        endBytes();
        pieces.push({ kind: 'number', number: part });
      }
    }
    add('\r\n');
  };
  let keyCount = 0;
  for (const { name, args } of requestsOfCommand(command)) {
    add(`*${args.length + 1}\r\n`);
    addBulk(name);
    for (const arg of args) {
      if (arg === KEY) addKey(keyCount++);
      else if (typeof arg === 'string' || Buffer.isBuffer(arg)) addBulk(arg);
      else if ('sameKey' in arg) addKey(arg.sameKey);
      else addParts(arg);
    }
  }
  endBytes();
  return pieces;
}

/**
 * A request with numbers in decimal, or with a key that is in it twice. Redis takes no number with leading zeros, so their
 * widths vary, and with them the lengths of arguments. Such a request is written piece by piece; keys and text are still
 * copied.
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
