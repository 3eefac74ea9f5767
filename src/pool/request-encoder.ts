import type { Batch } from './batch.ts';
import { OrderedRequests } from './ordered-requests.ts';
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
  /** Made for the first batch that is a piece of them. */
  #ordered: OrderedRequests | undefined;

  constructor(templates: RequestTemplates) {
    this.#templates = templates;
    this.#singles = templates.areFew ? templates.singles.map(({ bytes }) => Patchable.copyOf(bytes)) : [];
  }

  encode(batch: Batch): Buffer {
    if (this.#isSingle(batch)) return this.#encodeSingle(batch);
    const ordered = this.#orderedFor(batch);
    if (ordered !== undefined) return ordered.encode(batch, batch.place as number);
    const longest = this.#templates.longestOf(batch);
    if (this.#buffer.bytes.length < longest) this.#buffer = new Patchable(longest);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Leaves the bytes of the last batch that was encoded to their sender: the next ones are others. */
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

  /** Where the batch is a piece of the order. */
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
