import { type Argument, KEY, keyDigits } from './batch.ts';
import type { Patchable } from './patchable.ts';

/** Digits of the largest 32-bit number. */
const mostDigits = 10;

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
  readonly longest: number;
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
    this.longest = this.#pieces.reduce(
      (sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : mostDigits),
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
