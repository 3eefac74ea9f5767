/** Bytes of one owner's, in which the digits of keys are patched. */
export class Patchable {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  static copyOf(bytes: Uint8Array): Patchable {
    const copy = new Patchable(bytes.length);
    copy.bytes.set(bytes);
    return copy;
  }

  /** Writes the 8 digits of a key number. */
  patch(at: number, key: number): void {
    // key / 10,000, rounded down: a division takes longer. Half a key more keeps the product off the whole numbers, where
    // it could come out just below; so it is right for every number of 8 digits.
    const high = ((key + 0.5) * 0.0001) | 0;
    this.patchFour(at, high);
    this.patchFour(at + 4, key - high * 10_000);
  }

  /** Writes the 4 digits of a number below 10,000. */
  patchFour(at: number, number: number): void {
    // Two numbers of two digits, side by side in one word, then their four digits: n / 100 and n / 10 by multiplication.
    const hundreds = (number * 5243) >>> 19;
    const pairs = hundreds | ((number - hundreds * 100) << 16);
    const tens = ((pairs * 103) >>> 10) & 0x000f000f;
    this.#view.setInt32(at, 0x30303030 + (tens | ((pairs - tens * 10) << 8)), true);
  }
}
