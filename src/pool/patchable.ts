/** Whether this machine stores the low byte first. A table that is read and written alike is right either way. */
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The two decimal digits of 0 … 99 as they stand in a request: small enough to stay in the fastest cache. */
const twoDigits = new Uint16Array(100);
for (const [number] of twoDigits.entries()) {
  Buffer.from(twoDigits.buffer).write(String(number).padStart(2, '0'), number * 2);
}

/** Bytes of one owner's, in which the digits of keys are patched. */
export class Patchable {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** The same over zeros, as they stand in a fresh copy of a template: short numbers take half the work. */
  patchZeros(at: number, key: number): void {
    if (key < 10_000) this.#patchFour(at + 4, key);
    else this.patch(at, key);
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
