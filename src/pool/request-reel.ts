import type { Batch } from './batch.ts';
import { Patchable } from './patchable.ts';
import type { RequestTemplate, RequestTemplates } from './request-templates.ts';

/** Larger than that it would be read from slower memory than copies are. */
const mostBytes = 256 * 1024;

/**
 * The requests of a CommandSet's order, written out beforehand: a batch that continues the order is a piece of it, in which
 * only the digits of the keys are to be written. They stand in it twice, so that a piece can go on behind the end.
 */
export class RequestReel {
  /** The longest batch that is a piece of it. */
  readonly longest: number;
  readonly #text: Patchable;
  /** Where each request starts, and where the last one ends. */
  readonly #starts: Int32Array;
  /** Where the digits of its key stand. */
  readonly #digitsAt: Int32Array;
  /** Views of batches of one size by their places: to make one takes as long as to encode twenty requests. */
  #pieces: (Buffer | undefined)[] = [];
  #pieceSize = 0;
  /** Whether a key has had more than 4 digits: until then the first 4 are zeros everywhere. */
  #wide = false;

  private constructor(requests: readonly RequestTemplate[]) {
    this.longest = requests.length / 2;
    this.#starts = new Int32Array(requests.length + 1);
    this.#digitsAt = new Int32Array(requests.length);
    let at = 0;
    for (const [index, { bytes, digitsAt }] of requests.entries()) {
      this.#digitsAt[index] = at + (digitsAt[0] as number);
      at += bytes.length;
      this.#starts[index + 1] = at;
    }
    this.#text = new Patchable(at);
    this.#text.bytes.set(Buffer.concat(requests.map(({ bytes }) => bytes)));
  }

  /** Undefined where there is no order, where a command has not exactly one key, and where it would be too large. */
  static of({ order, singles }: RequestTemplates): RequestReel | undefined {
    if (order === undefined || singles.some(({ digitsAt }) => digitsAt.length !== 1)) return undefined;
    const requests = Array.from([...order, ...order], command => singles[command] as RequestTemplate);
    const bytes = requests.reduce((sum, request) => sum + request.bytes.length, 0);
    return bytes > mostBytes ? undefined : new RequestReel(requests);
  }

  /** The bytes of a batch that is a piece of the order, valid until the next call. */
  encode({ place, numbers }: Batch): Buffer {
    const text = this.#text;
    const digitsAt = this.#digitsAt;
    let wide = this.#wide;
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number;
      const at = digitsAt[place + i] as number;
      if (number >= 10_000) wide = true;
      if (wide) text.patch(at, number);
      else text.patchFour(at + 4, number);
    }
    this.#wide = wide;
    return this.#piece(place, numbers.length);
  }

  #piece(place: number, size: number): Buffer {
    if (size !== this.#pieceSize) {
      this.#pieceSize = size;
      this.#pieces = new Array<Buffer | undefined>(this.longest);
    }
    const made = this.#pieces[place];
    if (made !== undefined) return made;
    const piece = this.#text.bytes.subarray(this.#starts[place], this.#starts[place + size]);
    this.#pieces[place] = piece;
    return piece;
  }
}
