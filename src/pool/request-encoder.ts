import type { Batch } from './batch.ts';
import { Patchable } from './patchable.ts';
import type { RequestTemplate, RequestTemplates } from './request-templates.ts';

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
  /** Index of the single that was encoded last; -1 where it was the buffer. */
  #lastSingle = -1;

  constructor(templates: RequestTemplates) {
    this.#templates = templates;
    this.#singles = templates.areFew ? templates.singles.map(copyOf) : [];
  }

  encode(batch: Batch): Buffer {
    if (batch.command.length === 1 && this.#templates.areFew) return this.#encodeSingle(batch);
    this.#lastSingle = -1;
    const longest = this.#templates.longestOf(batch.command);
    if (this.#buffer.bytes.length < longest) this.#buffer = new Patchable(longest);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Leaves the bytes of the last `encode` to their sender: the next ones are others. */
  giveAway(): void {
    const single = this.#templates.singles[this.#lastSingle];
    if (single === undefined) this.#buffer = new Patchable(0);
    else this.#singles[this.#lastSingle] = copyOf(single);
  }

  #encodeSingle({ command, numbers }: Batch): Buffer {
    const index = command[0] as number;
    const single = this.#singles[index] as Patchable;
    this.#lastSingle = index;
    const { digitsAt } = this.#templates.singles[index] as RequestTemplate;
    for (let k = 0; k < digitsAt.length; k++) single.patch(digitsAt[k] as number, numbers[k] as number);
    return single.bytes;
  }

  #encodeInto(buffer: Patchable, { command, numbers, stride }: Batch): Buffer {
    const templates = this.#templates;
    const { runLength } = templates;
    const size = command.length;
    let at = 0;
    let i = 0;
    for (const inRuns = templates.haveRuns ? size - (size % runLength) : 0; i < inRuns; i += runLength) {
      const { bytes, digitsAt } = templates.run(command, i);
      buffer.bytes.set(bytes, at);
      for (let k = 0; k < runLength; k++)
        buffer.patchZeros(at + (digitsAt[k] as number), numbers[(i + k) * stride] as number);
      at += bytes.length;
    }
    for (; i < size; i++) {
      const { bytes, digitsAt, composed } = templates.singles[command[i] as number] as RequestTemplate;
      if (composed !== undefined) {
        at = composed.write(buffer, at, numbers, i * stride);
        continue;
      }
      buffer.bytes.set(bytes, at);
      for (let k = 0; k < digitsAt.length; k++)
        buffer.patchZeros(at + (digitsAt[k] as number), numbers[i * stride + k] as number);
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
