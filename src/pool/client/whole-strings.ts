const LF = 0x0a;
const DOLLAR = 0x24;
const PLUS = 0x2b;
const CR = 0x0d;
const ZERO = 0x30;

/** "+OK\r" and "OK\r\n" as words, the lowest byte first. */
const okHead = 0x0d4b4f2b;
const okTail = 0x0a0d4b4f;

const none = new Uint8Array(0);

/**
 * Skips simple and bulk strings that are whole in a chunk, as nearly all replies of a load are. It keeps no state of a
 * stream, so all connections of a thread share one, and with it the learned length.
 *
 * Replies are "+OK" or a bulk string as long as the last one, in unpredictable order. A branch on that would be mispredicted
 * half of the time, which costs more than all else. So the lowest bit of the first byte, set in "+" and not in "$", becomes
 * a mask, which selects the distance to the next reply and the expected header. After "$32\r\n…" the next header's first
 * four bytes must be "+OK\r" or "$32\r", and its last four "OK\r\n" or "32\r\n": two words to compare, whatever the length.
 */
export class WholeStrings {
  /** Where the last skip ended. */
  at = 0;
  /** The bits in which the first four bytes of a bulk string's header, and the last four, differ from "+OK". */
  #headChange = okHead ^ DOLLAR;
  #tailChange = 0;
  /** The number of bytes by which its header, and the whole string, is longer than "+OK". */
  #headerMore = 0;
  #more = 0;
  #bytes: Uint8Array = none;
  #view: DataView = new DataView(none.buffer);

  /** Skips at most `max` strings from `from` on and returns their number. Stops at any other reply, and at one in part. */
  skip(bytes: Uint8Array, from: number, end: number, max: number): number {
    let replies = this.#skipAlike(bytes, from, end, max);
    while (replies < max) {
      const next = skipAny(bytes, this.at, end);
      if (next === 0) break;
      if (bytes[this.at] === DOLLAR) this.#learn(this.at, next);
      replies += 1 + this.#skipAlike(bytes, next, end, max - replies - 1);
    }
    return replies;
  }

  #skipAlike(bytes: Uint8Array, from: number, end: number, max: number): number {
    const view = bytes === this.#bytes ? this.#view : this.#viewOf(bytes);
    const headChange = this.#headChange;
    const tailChange = this.#tailChange;
    const headerMore = this.#headerMore;
    const more = this.#more;
    let replies = 0;
    let at = from;
    while (replies < max && at + 5 <= end) {
      const head = view.getInt32(at, true);
      // All ones for a bulk string, whose first byte is even.
      const ifBulk = (head & 1) - 1;
      const next = at + 5 + (more & ifBulk);
      if (next > end) break;
      const tail = view.getInt32(at + 1 + (headerMore & ifBulk), true);
      if (((head ^ okHead ^ (headChange & ifBulk)) | (tail ^ okTail ^ (tailChange & ifBulk))) !== 0) break;
      at = next;
      replies++;
    }
    this.at = at;
    return replies;
  }

  /** Expects the next bulk strings to be like the one from `at` to `next`. */
  #learn(at: number, next: number): void {
    const header = this.#bytes.indexOf(LF, at) + 1 - at;
    // Two words cover a header of 5 to 8 bytes.
    if (header < 5 || header > 8) return;
    this.#headChange = okHead ^ this.#view.getInt32(at, true);
    this.#tailChange = okTail ^ this.#view.getInt32(at + header - 4, true);
    this.#headerMore = header - 5;
    this.#more = next - at - 5;
  }

  #viewOf(bytes: Uint8Array): DataView {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#view;
  }
}

/** Index behind a simple or bulk string of any length; 0 for any other reply, and for one that is not whole. */
function skipAny(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0;
  let at = start + 1;
  if (bytes[start] === PLUS) {
    while (at < end && bytes[at] !== LF) at++;
    return at < end ? at + 1 : 0;
  }
  if (bytes[start] !== DOLLAR) return 0;
  let length = 0;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > 0x39) break;
    length = length * 10 + byte - ZERO;
  }
  if (at === start + 1 || at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return 0;
  const next = at + 2 + length + 2;
  return next <= end ? next : 0;
}
