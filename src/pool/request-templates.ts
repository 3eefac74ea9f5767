import { type Batch, type CommandSet, type CommandTemplate, KEY, keyDigits } from './batch.ts';
import { ComposedRequest } from './composed-request.ts';

/** Of all requests of an order: more would be much memory for each pool. Below, copying them is slower at any length. */
const mostLaidOutBytes = 1 << 20;
/** More than the mixes that ask for the leanest way have; each is kept once more, to be written to. */
const fewTemplates = 4;

/** Requests as bytes, and where in them the digits of their keys stand. Never written to. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly digitsAt: Int32Array;
  /** What writes it instead, where numbers are spelled out in it; then there are no bytes. */
  readonly composed: ComposedRequest | undefined;
}

/** The requests of a CommandSet, encoded once for all connections of a pool. */
export class RequestTemplates {
  /** One for each command. */
  readonly singles: readonly RequestTemplate[];
  /** Whether there are so few, all without numbers that are spelled out, that an encoder can have copies of its own. */
  readonly areFew: boolean;
  /** The order in which they come, where there is one and their requests can be laid out in it. */
  readonly order: Uint16Array | undefined;
  readonly #longestBytes: number;

  constructor({ commands, keyPrefix, order }: CommandSet) {
    this.singles = commands.map(command => encodeTemplate(command, keyPrefix));
    this.#longestBytes = this.singles.reduce((most, single) => Math.max(most, lengthOf(single)), 0);
    this.areFew =
      this.singles.length <= fewTemplates && this.singles.every(({ composed }) => composed === undefined);
    this.order = order !== undefined && this.#canBeLaidOut(order) ? order : undefined;
  }

  #canBeLaidOut(order: Uint16Array): boolean {
    if (this.singles.some(({ digitsAt }) => digitsAt.length !== 1)) return false;
    return (
      order.reduce((sum, command) => sum + lengthOf(this.singles[command] as RequestTemplate), 0) <=
      mostLaidOutBytes
    );
  }

  /** Bytes that these commands take at most. Where their values vary, the longest would be far too much for most. */
  longestOf(batch: Batch): number {
    if (this.areFew) return batch.size * this.#longestBytes;
    let bytes = 0;
    for (let i = 0; i < batch.size; i++)
      bytes += lengthOf(this.singles[batch.commandAt(i)] as RequestTemplate);
    return bytes;
  }
}

/** A request as RESP has it: an array of bulk strings. */
export function encodeRequest(args: readonly string[]): Buffer {
  const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`);
}

function encodeTemplate({ name, args }: CommandTemplate, keyPrefix: string): RequestTemplate {
  if (args.some(arg => typeof arg === 'object')) {
    const composed = new ComposedRequest(name, args, keyPrefix);
    return { bytes: Buffer.alloc(0), digitsAt: new Int32Array(0), composed };
  }
  const key = `${keyPrefix}${'0'.repeat(keyDigits)}`;
  const bytes = encodeRequest([name, ...args.map(arg => (arg === KEY ? key : String(arg)))]);
  const digitsAt: number[] = [];
  // Behind the head of the request, argument by argument: a key's text may stand in another argument, too.
  let at = `*${args.length + 1}\r\n`.length + bulkLength(name);
  for (const arg of args) {
    const text = arg === KEY ? key : String(arg);
    at += bulkLength(text);
    if (arg === KEY) digitsAt.push(at - keyDigits - 2);
  }
  return { bytes, digitsAt: Int32Array.from(digitsAt), composed: undefined };
}

/** Bytes of an argument in a request. */
function bulkLength(text: string): number {
  const bytes = Buffer.byteLength(text);
  return `$${bytes}\r\n`.length + bytes + 2;
}

function lengthOf({ bytes, composed }: RequestTemplate): number {
  return composed === undefined ? bytes.length : composed.longest;
}
