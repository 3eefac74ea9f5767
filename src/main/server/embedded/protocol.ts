import { RespReader, RespSyntaxError } from '../../../pool/client/resp-values.ts';

/** Redis's proto-max-bulk-len. */
const maxRequestBytes = 512 * 1024 * 1024;
const ASTERISK = 0x2a;

/**
 * Cuts a stream of bytes into requests: arrays of bulk strings, and inline commands as a person types them. The chunks
 * may be cut anywhere.
 */
export class RequestParser {
  readonly #reader = new RespReader<Buffer>(bytes => bytes, {
    maxBytes: maxRequestBytes,
    types: { first: '*', inside: '$' },
  });

  /**
   * Calls `onRequest` for each request that is complete now; its arguments are views of the chunk, to be copied if kept.
   * @throws RespSyntaxError
   */
  feed(chunk: Buffer, onRequest: (request: Buffer[]) => void): void {
    this.#reader.push(chunk);
    for (let request = this.#next(); request !== undefined; request = this.#next())
      if (request.length > 0) onRequest(request);
  }

  #next(): Buffer[] | undefined {
    const first = this.#reader.peek();
    if (first !== undefined && first !== ASTERISK) return inline(this.#reader.readLine());
    const request = this.#reader.read();
    if (request === undefined) return undefined;
    if (request === null) return [];
    return (request as readonly unknown[]).map(argument => {
      if (Buffer.isBuffer(argument)) return argument;
      throw new RespSyntaxError('an argument', 'null');
    });
  }
}

function inline(line: string | undefined): Buffer[] | undefined {
  return line
    ?.split(/\s+/)
    .filter(word => word !== '')
    .map(word => Buffer.from(word, 'latin1'));
}

/** A reply before it is encoded for the protocol version that a connection speaks. */
export type Reply =
  | string
  | number
  | null
  | Buffer
  | readonly Reply[]
  | { readonly status: string }
  | { readonly error: string }
  | { readonly map: readonly (readonly [string, Reply])[] };

export const ok: Reply = { status: 'OK' };

/** Appends the encoded reply to `out`. A string is a bulk string; a map is one in RESP3 and a flat array in RESP2. */
export function encodeReply(reply: Reply, protocol: 2 | 3, out: Buffer[]): void {
  if (reply === null) out.push(Buffer.from(protocol === 3 ? '_\r\n' : '$-1\r\n'));
  else if (typeof reply === 'number') out.push(Buffer.from(`:${reply}\r\n`));
  else if (typeof reply === 'string') encodeReply(Buffer.from(reply), protocol, out);
  else if (Buffer.isBuffer(reply)) out.push(Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n'));
  else if ('status' in reply) out.push(Buffer.from(`+${reply.status}\r\n`));
  else if ('error' in reply) out.push(Buffer.from(`-${reply.error.replace(/[\r\n]+/g, ' ')}\r\n`));
  else if (isList(reply)) {
    out.push(Buffer.from(`*${reply.length}\r\n`));
    for (const item of reply) encodeReply(item, protocol, out);
  } else {
    const { map } = reply;
    out.push(Buffer.from(protocol === 3 ? `%${map.length}\r\n` : `*${map.length * 2}\r\n`));
    for (const [key, value] of map) {
      encodeReply(key, protocol, out);
      encodeReply(value, protocol, out);
    }
  }
}

/** Array.isArray does not narrow readonly arrays. */
function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}
