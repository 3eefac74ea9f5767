import type { Batch } from './batch.ts';
import {
  Patchable,
  type ReplyPlaces,
  type RequestTemplate,
  type RequestTemplates,
} from './request-templates.ts';

/**
 * Turns batches into request bytes without building a string: it copies templates and patches the digits of their keys.
 * The bytes are valid until the next `encode`; a sender that needs them for longer calls `giveAway`. The connections of a
 * pool can share an encoder, whose few bytes then stay in the fastest cache.
 */
export class RequestEncoder {
  /** Which replies belong to which commands; undefined if each command has one. */
  readonly replyPlaces: ReplyPlaces | undefined;
  readonly #templates: RequestTemplates;
  /** If there are few templates: one request for each, which batches of one command patch without a copy. */
  readonly #singles: Patchable[];
  #buffer = new Patchable(0);
  /** Made for the first batch that follows the order. */
  #ordered: OrderedRequests | undefined;

  constructor(templates: RequestTemplates) {
    this.replyPlaces = templates.replyPlaces;
    this.#templates = templates;
    this.#singles = templates.areFew ? templates.singles.map(({ bytes }) => Patchable.copyOf(bytes)) : [];
  }

  /** Whether an empty reply to a command, or 0, is a miss. */
  emptyIsMiss(command: number): boolean {
    return this.#templates.emptyIsMiss[command] === true;
  }

  encode(batch: Batch): Buffer {
    if (this.#isSingle(batch)) return this.#encodeSingle(batch);
    const ordered = this.#orderedFor(batch);
    if (ordered !== undefined) return ordered.encode(batch, batch.place as number);
    const maxBytes = this.#templates.maxBytesOf(batch);
    if (this.#buffer.bytes.length < maxBytes) this.#buffer = new Patchable(maxBytes);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Leaves the bytes of the batch that was encoded last to their sender, and takes others for the next one. */
  giveAway(batch: Batch): void {
    if (this.#isSingle(batch)) {
      const index = batch.commandAt(0);
      this.#singles[index] = Patchable.copyOf((this.#singles[index] as Patchable).bytes);
    } else if (this.#orderedFor(batch) !== undefined) this.#ordered?.giveAway();
    else this.#buffer = new Patchable(0);
  }

  #isSingle({ size }: Batch): boolean {
    return size === 1 && this.#templates.areFew;
  }

  /** The laid out requests, if the batch is a piece of the order. */
  #orderedFor({ place, size }: Batch): OrderedRequests | undefined {
    const { order } = this.#templates;
    if (place === undefined || order === undefined || size > order.length) return undefined;
    this.#ordered ??= new OrderedRequests(this.#templates.singles, order);
    return this.#ordered;
  }

  #encodeSingle(batch: Batch): Buffer {
    const { numbers } = batch;
    const index = batch.commandAt(0);
    const single = this.#singles[index] as Patchable;
    const { digitsAt } = this.#templates.singles[index] as RequestTemplate;
    for (let k = 0; k < digitsAt.length; k++) single.patch(digitsAt[k] as number, numbers[k] as number);
    return single.bytes;
  }

  #encodeInto(buffer: Patchable, batch: Batch): Buffer {
    const { numbers, stride } = batch;
    const { singles } = this.#templates;
    let at = 0;
    for (let i = 0; i < batch.size; i++) {
      const { bytes, digitsAt, composed } = singles[batch.commandAt(i)] as RequestTemplate;
      if (composed !== undefined) {
        at = composed.write(buffer, at, numbers, i * stride);
        continue;
      }
      buffer.bytes.set(bytes, at);
      for (let k = 0; k < digitsAt.length; k++)
        buffer.patch(at + (digitsAt[k] as number), numbers[i * stride + k] as number);
      at += bytes.length;
    }
    return buffer.bytes.subarray(0, at);
  }
}

/**
 * The requests of a CommandSet's order, laid out beforehand: a batch that follows the order is a piece of them, in
 * which only the digits of the keys have to be written. The order is stored twice, so that a piece can continue past
 * its end.
 */
class OrderedRequests {
  #text: Patchable;
  /** Where each request starts, and where the last one ends. */
  readonly #starts: Int32Array;
  /** Where the digits of its key stand. */
  readonly #digitsAt: Int32Array;
  /** Views of batches of one size by their places: making one takes as long as encoding twenty requests. */
  #pieces: (Buffer | undefined)[] = [];
  #pieceSize = 0;
  /** Whether a key has had more than 4 digits; until then the first 4 digits are zeros everywhere. */
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

  /** Leaves the bytes of the last `encode` to their sender, and takes others for the next one. */
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
