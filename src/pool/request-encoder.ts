import type { Batch } from './batch.ts';
import { Patchable } from './patchable.ts';
import { RequestReel } from './request-reel.ts';
import type { RequestTemplate, RequestTemplates } from './request-templates.ts';

/** What was encoded last, if not the single of an index. */
const inBuffer = -1;
const inReel = -2;

/**
 * Turns batches into request bytes without building a string: templates are copied, and the digits of their keys
 * patched in place. The bytes are valid until the next `encode`, so whoever cannot send them at once keeps them with
 * `giveAway`. The connections of a pool can share an encoder: its few bytes stay in the fastest cache.
 */
export class RequestEncoder {
  readonly #templates: RequestTemplates;
  /** For batches of one command, where there are few templates: its request, patched without a copy. */
  readonly #singles: Patchable[];
  #buffer = new Patchable(0);
  #reel: RequestReel | undefined;
  /** What was encoded last: the single of an index, the reel or the buffer. */
  #last = inBuffer;

  constructor(templates: RequestTemplates) {
    this.#templates = templates;
    this.#reel = RequestReel.of(templates);
    this.#singles = templates.areFew ? templates.singles.map(copyOf) : [];
  }

  encode(batch: Batch): Buffer {
    if (batch.size === 1 && this.#templates.areFew) return this.#encodeSingle(batch);
    const reel = this.#reel;
    if (reel !== undefined && batch.place >= 0 && batch.size <= reel.longest) {
      this.#last = inReel;
      return reel.encode(batch);
    }
    this.#last = inBuffer;
    const longest = this.#templates.longestOf(batch);
    if (this.#buffer.bytes.length < longest) this.#buffer = new Patchable(longest);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Leaves the bytes of the last `encode` to their sender: the next ones are others. */
  giveAway(): void {
    if (this.#last === inBuffer) this.#buffer = new Patchable(0);
    else if (this.#last === inReel) this.#reel = RequestReel.of(this.#templates);
    else this.#singles[this.#last] = copyOf(this.#templates.singles[this.#last] as RequestTemplate);
  }

  #encodeSingle(batch: Batch): Buffer {
    const { numbers } = batch;
    const index = batch.commandAt(0);
    const single = this.#singles[index] as Patchable;
    this.#last = index;
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

function copyOf({ bytes }: RequestTemplate): Patchable {
  const copy = new Patchable(bytes.length);
  copy.bytes.set(bytes);
  return copy;
}
