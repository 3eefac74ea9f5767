import { type Batch, type CommandSet, type CommandTemplate, KEY, keyDigits } from './batch.ts';

/** A request as bytes, and where in it the digits of the key stand (-1: it has no key). */
interface EncodedTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: number;
}

/** The four decimal digits of 0 … 9999, as they stand in a request: two look-ups a key instead of eight divisions. */
const fourDigits = Buffer.from(
  Array.from({ length: 10_000 }, (_, n) => String(n).padStart(4, '0')).join(''),
  'latin1',
);

/**
 * Turns batches into request bytes without building a string: each command is encoded once, as a template whose key
 * has a fixed width, and its digits are patched in place. The bytes are valid until the next `encode`, which a
 * connection calls only when all replies to the last batch are there.
 */
export class RequestEncoder {
  readonly #templates: readonly EncodedTemplate[];
  readonly #longest: number;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(commandSet: CommandSet) {
    this.#templates = commandSet.commands.map(command => encodeTemplate(command, commandSet.keyPrefix));
    this.#longest = Math.max(...this.#templates.map(template => template.bytes.length));
  }

  encode(batch: Batch): Buffer {
    const size = batch.size;
    if (size === 1) {
      const only = this.#templates[batch.command[0] as number] as EncodedTemplate;
      patchDigits(only.bytes, only.digitsAt, batch.key[0] as number);
      return only.bytes;
    }
    if (this.#buffer.length < size * this.#longest)
      this.#buffer = Buffer.allocUnsafeSlow(size * this.#longest);
    const buffer = this.#buffer;
    let at = 0;
    for (let i = 0; i < size; i++) {
      const template = this.#templates[batch.command[i] as number] as EncodedTemplate;
      buffer.set(template.bytes, at);
      patchDigits(buffer, at + template.digitsAt, batch.key[i] as number);
      at += template.bytes.length;
    }
    return buffer.subarray(0, at);
  }
}

/** A request as RESP has it: an array of bulk strings. */
export function encodeRequest(args: readonly string[]): Buffer {
  const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`);
}

function encodeTemplate(command: CommandTemplate, keyPrefix: string): EncodedTemplate {
  const key = `${keyPrefix}${'0'.repeat(keyDigits)}`;
  const bytes = encodeRequest([command.name, ...command.args.map(arg => (arg === KEY ? key : arg))]);
  return { bytes, digitsAt: bytes.indexOf(key) + keyPrefix.length };
}

function patchDigits(bytes: Buffer, at: number, key: number): void {
  const high = (key / 10_000) | 0;
  const h = high * 4;
  const l = (key - high * 10_000) * 4;
  bytes[at] = fourDigits[h] as number;
  bytes[at + 1] = fourDigits[h + 1] as number;
  bytes[at + 2] = fourDigits[h + 2] as number;
  bytes[at + 3] = fourDigits[h + 3] as number;
  bytes[at + 4] = fourDigits[l] as number;
  bytes[at + 5] = fourDigits[l + 1] as number;
  bytes[at + 6] = fourDigits[l + 2] as number;
  bytes[at + 7] = fourDigits[l + 3] as number;
}
