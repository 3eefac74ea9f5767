import type { Batch } from './batch.ts';
import { Patchable } from './patchable.ts';
import { type RequestTemplate, type RequestTemplates, runLength } from './request-templates.ts';

/**
 * Turns a connection's batches into request bytes without building a string: templates are copied, and the digits of
 * their keys patched in place. The bytes are valid until the next `encode`, which a connection calls only when the
 * last ones are on their way; so an encoder belongs to one connection.
 */
export class RequestEncoder {
  readonly #templates: RequestTemplates;
  /** For batches of one command, where there are few templates: its request, patched without a copy. */
  readonly #singles: readonly Patchable[];
  #buffer = new Patchable(0);

  constructor(templates: RequestTemplates) {
    this.#templates = templates;
    this.#singles = !templates.areFew
      ? []
      : templates.singles.map(({ bytes }) => {
          const single = new Patchable(bytes.length);
          single.bytes.set(bytes);
          return single;
        });
  }

  encode(batch: Batch): Buffer {
    if (batch.command.length === 1 && this.#templates.areFew) return this.#encodeSingle(batch);
    const longest = this.#templates.longestOf(batch.command);
    if (this.#buffer.bytes.length < longest) this.#buffer = new Patchable(longest);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Encodes into bytes of their own, while the socket still holds those of `encode`. */
  encodeApart(batch: Batch): Buffer {
    return this.#encodeInto(new Patchable(this.#templates.longestOf(batch.command)), batch);
  }

  #encodeSingle({ command, numbers }: Batch): Buffer {
    const index = command[0] as number;
    const single = this.#singles[index] as Patchable;
    const { digitsAt } = this.#templates.singles[index] as RequestTemplate;
    for (let k = 0; k < digitsAt.length; k++) single.patch(digitsAt[k] as number, numbers[k] as number);
    return single.bytes;
  }

  #encodeInto(buffer: Patchable, { command, numbers, stride }: Batch): Buffer {
    const templates = this.#templates;
    const size = command.length;
    let at = 0;
    let i = 0;
    for (const inRuns = templates.haveRuns ? size - (size % runLength) : 0; i < inRuns; i += runLength) {
      const { bytes, digitsAt } = templates.run(command, i);
      buffer.bytes.set(bytes, at);
      for (let k = 0; k < runLength; k++)
        buffer.patch(at + (digitsAt[k] as number), numbers[(i + k) * stride] as number);
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
        buffer.patch(at + (digitsAt[k] as number), numbers[i * stride + k] as number);
      at += bytes.length;
    }
    return buffer.bytes.subarray(0, at);
  }
}
