/** What the note of one thread takes: a version, a length, and the text. */
export const noteBytes = 512;
const textAt = 8;

/**
 * Failed operations by error code, a note for each thread in memory that it shares with the coordinator: JSON, behind a
 * version that is odd while the thread writes, so that nobody reads half of it.
 */
export class FailureNotes {
  readonly #buffer: SharedArrayBuffer;
  readonly #begin: number;
  /** What was last read of each thread: stands in while it writes. */
  readonly #read = new Map<number, { version: number; failed: Readonly<Record<string, number>> }>();

  /** @param begin byte at which the notes begin, a multiple of 4 */
  constructor(buffer: SharedArrayBuffer, begin: number) {
    this.#buffer = buffer;
    this.#begin = begin;
  }

  /** Codes for which there is no room are left out, the latest first: the sample of the thread has all of them. */
  write(thread: number, failed: Readonly<Record<string, number>>): void {
    const codes = Object.entries(failed);
    let text = Buffer.from(JSON.stringify(failed));
    while (text.length > noteBytes - textAt) {
      codes.pop();
      text = Buffer.from(JSON.stringify(Object.fromEntries(codes)));
    }
    const [head, body] = this.#of(thread);
    Atomics.add(head, 0, 1);
    Atomics.store(head, 1, text.length);
    body.set(text);
    Atomics.add(head, 0, 1);
  }

  read(thread: number): Readonly<Record<string, number>> {
    const [head, body] = this.#of(thread);
    const known = this.#read.get(thread) ?? { version: 0, failed: {} };
    const version = Atomics.load(head, 0);
    if (version === known.version || version % 2 === 1) return known.failed;
    const text = Buffer.from(body.slice(0, Atomics.load(head, 1))).toString();
    if (Atomics.load(head, 0) !== version) return known.failed;
    const failed = JSON.parse(text) as Record<string, number>;
    this.#read.set(thread, { version, failed });
    return failed;
  }

  #of(thread: number): [head: Int32Array, body: Uint8Array] {
    const at = this.#begin + thread * noteBytes;
    return [
      new Int32Array(this.#buffer, at, 2),
      new Uint8Array(this.#buffer, at + textAt, noteBytes - textAt),
    ];
  }
}
