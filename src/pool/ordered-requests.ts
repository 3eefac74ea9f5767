import type { Batch } from './batch.ts';
import { Patchable } from './patchable.ts';
import type { RequestTemplate } from './request-templates.ts';

/**
 * The requests of a CommandSet's order, written out beforehand: a batch that follows the order is a piece of them, in which
 * only the digits of the keys are to be written. They stand there twice, so that a piece can go on behind the end.
 */
export class OrderedRequests {
  #text: Patchable;
  /** Where each request starts, and where the last one ends. */
  readonly #starts: Int32Array;
  /** Where the digits of its key stand. */
  readonly #digitsAt: Int32Array;
  /** Views of batches of one size by their places: to make one takes as long as to encode twenty requests. */
  #pieces: (Buffer | undefined)[] = [];
  #pieceSize = 0;
  /** Whether a key has had more than 4 digits: until then the first 4 are zeros everywhere. */
  #wide = false;

  /** @param order of commands with one key each; batches are no longer than it */
  constructor(singles: readonly RequestTemplate[], order: Uint16Array) {
    const requests = Array.from([...order, ...order], command => singles[command] as RequestTemplate);
    this.#starts = new Int32Array(requests.length + 1);
    this.#digitsAt = new Int32Array(requests.length);
    let at = 0;
    for (const [index, { bytes, digitsAt }] of requests.entries()) {
      this.#digitsAt[index] = at + (digitsAt[0] as number);
      at += bytes.length;
      this.#starts[index + 1] = at;
    }
    this.#text = Patchable.copyOf(Buffer.concat(requests.map(({ bytes }) => bytes)));
  }

  /** The bytes of a batch that follows the order from `place` on, valid until the next call. */
  encode({ numbers }: Batch, place: number): Buffer {
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

  /** Leaves the bytes of the last `encode` to their sender: the next ones are others. */
  giveAway(): void {
    this.#text = Patchable.copyOf(this.#text.bytes);
    this.#pieceSize = 0;
  }

  #piece(place: number, size: number): Buffer {
    if (size !== this.#pieceSize) {
      this.#pieceSize = size;
      this.#pieces = new Array<Buffer | undefined>(this.#digitsAt.length);
    }
    const made = this.#pieces[place];
    if (made !== undefined) return made;
    const piece = this.#text.bytes.subarray(this.#starts[place], this.#starts[place + size]);
    this.#pieces[place] = piece;
    return piece;
  }
}
