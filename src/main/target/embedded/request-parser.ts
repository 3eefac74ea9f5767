/** Most bytes that a request may announce, as Redis's proto-max-bulk-len. */
const maxBulkBytes = 512 * 1024 * 1024;
const maxArguments = 1024 * 1024;

/** A request that is not of the protocol; the connection is closed after the error has been told. */
export class ProtocolError extends Error {}

/**
 * Cuts a stream of bytes into requests: arrays of bulk strings, and inline commands as a person types them. Takes any
 * fragmentation; keeps what is not complete for the next chunk.
 */
export class RequestParser {
  #rest: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * Calls `onRequest` for each request that is complete now; its arguments are views of the chunk, to be copied if kept.
   * @throws ProtocolError
   */
  feed(chunk: Buffer, onRequest: (request: Buffer[]) => void): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#at = 0;
    let consumed = 0;
    while (this.#at < this.#rest.length) {
      const request = this.#rest[this.#at] === 0x2a ? this.#array() : this.#inline();
      if (request === undefined) break;
      consumed = this.#at;
      if (request.length > 0) onRequest(request);
    }
    this.#rest = this.#rest.subarray(consumed);
  }

  #array(): Buffer[] | undefined {
    const count = this.#number('multibulk');
    if (count === undefined) return undefined;
    if (count > maxArguments) throw new ProtocolError('invalid multibulk length');
    const request: Buffer[] = [];
    for (let index = 0; index < count; index += 1) {
      if (this.#at >= this.#rest.length) return undefined;
      const type = this.#rest[this.#at] ?? 0;
      if (type !== 0x24) throw new ProtocolError(`expected '$', got '${String.fromCharCode(type)}'`);
      const bytes = this.#number('bulk');
      if (bytes === undefined) return undefined;
      if (bytes < 0 || bytes > maxBulkBytes) throw new ProtocolError('invalid bulk length');
      const end = this.#at + bytes;
      if (end + 2 > this.#rest.length) return undefined;
      request.push(this.#rest.subarray(this.#at, end));
      this.#at = end + 2;
    }
    return request;
  }

  /** The number after a type byte, up to CRLF; undefined when the line is not complete. */
  #number(what: string): number | undefined {
    const end = this.#rest.indexOf('\r\n', this.#at);
    if (end < 0) {
      if (this.#rest.length - this.#at > 64) throw new ProtocolError(`invalid ${what} length`);
      return undefined;
    }
    const text = this.#rest.toString('latin1', this.#at + 1, end);
    if (!/^-?\d{1,10}$/.test(text)) throw new ProtocolError(`invalid ${what} length`);
    this.#at = end + 2;
    return Number(text);
  }

  #inline(): Buffer[] | undefined {
    const end = this.#rest.indexOf(0x0a, this.#at);
    if (end < 0) {
      if (this.#rest.length - this.#at > 64 * 1024) throw new ProtocolError('too big inline request');
      return undefined;
    }
    const line = this.#rest.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return line
      .split(/\s+/)
      .filter(word => word !== '')
      .map(word => Buffer.from(word, 'latin1'));
  }
}
