import type { Batch } from './batch.ts';
import { type RequestTemplate, type RequestTemplates, runLength } from './request-templates.ts';

/** Whether this machine stores the low byte first. A table that is read and written alike is right either way. */
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The two decimal digits of 0 … 99 as they stand in a request: small enough to stay in the fastest cache. */
const twoDigits = new Uint16Array(100);
for (const [number] of twoDigits.entries()) {
  Buffer.from(twoDigits.buffer).write(String(number).padStart(2, '0'), number * 2);
}

/** Bytes of a connection's own, in which the digits of keys are patched. */
class Patchable {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Writes the 8 digits of a key number. */
  patch(at: number, key: number): void {
    const high = (key / 10_000) | 0;
    this.#patchFour(at, high);
    this.#patchFour(at + 4, key - high * 10_000);
  }

  #patchFour(at: number, number: number): void {
    // number / 100, rounded down, for any number below 10,000.
    const high = (number * 5243) >>> 19;
    this.#view.setUint16(at, twoDigits[high] as number, littleEndian);
    this.#view.setUint16(at + 2, twoDigits[number - high * 100] as number, littleEndian);
  }
}

/**
 * Turns a connection's batches into request bytes without building a string: templates are copied, and the digits of
 * their keys patched in place. The bytes are valid until the next `encode`, which a connection calls only when the
 * last ones are on their way; so an encoder belongs to one connection.
 */
export class RequestEncoder {
  readonly #templates: RequestTemplates;
  /** For batches of one command: its request, patched without a copy. */
  readonly #singles: readonly Patchable[];
  #buffer = new Patchable(0);

  constructor(templates: RequestTemplates) {
    this.#templates = templates;
    this.#singles = templates.singles.map(({ bytes }) => {
      const single = new Patchable(bytes.length);
      single.bytes.set(bytes);
      return single;
    });
  }

  encode(batch: Batch): Buffer {
    if (batch.command.length === 1) return this.#encodeSingle(batch);
    const longest = batch.command.length * this.#templates.longest;
    if (this.#buffer.bytes.length < longest) this.#buffer = new Patchable(longest);
    return this.#encodeInto(this.#buffer, batch);
  }

  /** Encodes into bytes of their own, while the socket still holds those of `encode`. */
  encodeApart(batch: Batch): Buffer {
    return this.#encodeInto(new Patchable(batch.command.length * this.#templates.longest), batch);
  }

  #encodeSingle({ command, key }: Batch): Buffer {
    const index = command[0] as number;
    const single = this.#singles[index] as Patchable;
    single.patch((this.#templates.singles[index] as RequestTemplate).digitsAt[0] as number, key[0] as number);
    return single.bytes;
  }

  #encodeInto(buffer: Patchable, { command, key }: Batch): Buffer {
    const templates = this.#templates;
    const size = command.length;
    let at = 0;
    let i = 0;
    for (const inRuns = templates.haveRuns ? size - (size % runLength) : 0; i < inRuns; i += runLength) {
      const { bytes, digitsAt } = templates.run(command, i);
      buffer.bytes.set(bytes, at);
      for (let k = 0; k < runLength; k++) buffer.patch(at + (digitsAt[k] as number), key[i + k] as number);
      at += bytes.length;
    }
    for (; i < size; i++) {
      const { bytes, digitsAt } = templates.singles[command[i] as number] as RequestTemplate;
      buffer.bytes.set(bytes, at);
      buffer.patch(at + (digitsAt[0] as number), key[i] as number);
      at += bytes.length;
    }
    return buffer.bytes.subarray(0, at);
  }
}
