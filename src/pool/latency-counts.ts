import { deflateSync } from 'node:zlib';

/** Maximum of a recorded latency: ten minutes. Longer ones count as this. */
export const highestNs = 600e9;

/** Below this a latency fits the integers that V8 keeps in registers: 2.1 s. */
const smallNs = 2 ** 31;
/** Longer ones are counted without their lowest 20 bits, which are below the width of their buckets. */
const longUnit = 2 ** 20;

/** Cookies of HDR V2, compressed and not: words of up to 9 bytes. */
const compressedCookie = 0x1c849314;
const plainCookie = 0x1c849313;
const compressedHeaderBytes = 8;
const plainHeaderBytes = 40;

/**
 * Counts latencies in the buckets of an HDR histogram, but in a typed array: that takes a few nanoseconds, and a call into
 * the WebAssembly of hdr-histogram-js 14–24 (docs/performance.md). The encoded histogram is the same to the byte, and a
 * thread need not load that library, which takes nearly as long as its other modules together.
 *
 * Buckets as in HdrHistogram: the first 2^(h+1) are one nanosecond wide; from there on every 2^h buckets are twice as wide.
 */
export class LatencyCounts {
  readonly #digits: 2 | 3;
  /** The h above: 2^h is the power of two that holds 10^digits. */
  readonly #halfBits: number;
  /** Counts are whole; as doubles they cannot wrap. */
  readonly #counts: Float64Array;
  total = 0;
  /** Latencies above the range, which count as its highest value. */
  overRange = 0;

  constructor(digits: 2 | 3) {
    this.#digits = digits;
    this.#halfBits = digits === 2 ? 7 : 10;
    // The range of the histograms is ten minutes, which takes 40 bits.
    this.#counts = new Float64Array((40 - this.#halfBits + 1) << this.#halfBits);
  }

  /**
   * Counts `count` latencies of `ns`.
   *
   * @throws RangeError where `ns` is not from 0 up.
   */
  add(ns: number, count: number): void {
    const index = ns >= 0 && ns < smallNs ? this.#indexOf(ns | 0, 0) : this.#indexOfLong(ns, count);
    this.#counts[index] = (this.#counts[index] as number) + count;
    this.total += count;
  }

  /** The highest value of the bucket below which `percentile` % of the latencies lie, by HdrHistogram's rule; 0 without any. */
  valueAt(percentile: number): number {
    let missing = Math.max(1, Math.floor((percentile / 100) * this.total + 0.5));
    for (let index = 0; index < this.#counts.length; index++) {
      missing -= this.#counts[index] as number;
      if (missing <= 0) return this.#lowestOf(index + 1) - 1;
    }
    return 0;
  }

  /** HDR V2 compressed, base64. */
  encode(): string {
    const words = this.#words();
    const plain = Buffer.alloc(plainHeaderBytes + words.length);
    plain.writeInt32BE(plainCookie, 0);
    plain.writeInt32BE(words.length, 4);
    // The library writes 1 where others have an index offset of 0.
    plain.writeInt32BE(1, 8);
    plain.writeInt32BE(this.#digits, 12);
    plain.writeBigInt64BE(1n, 16);
    plain.writeBigInt64BE(BigInt(highestNs), 24);
    // Likewise where others have a conversion ratio.
    plain.writeBigInt64BE(1n, 32);
    plain.set(words, plainHeaderBytes);
    const deflated = deflateSync(plain);
    const header = Buffer.alloc(compressedHeaderBytes);
    header.writeInt32BE(compressedCookie, 0);
    header.writeInt32BE(deflated.length, 4);
    return Buffer.concat([header, deflated]).toString('base64');
  }

  /** The counts up to the last one, as ZigZag LEB128: several zeros in a row are one negative number. */
  #words(): number[] {
    const words: number[] = [];
    const write = (word: number) => {
      let rest = word;
      for (; rest >= 128; rest = Math.floor(rest / 128)) words.push(128 + (rest % 128));
      words.push(rest);
    };
    const writeZeros = (zeros: number) => {
      if (zeros > 0) write(zeros === 1 ? 0 : 2 * zeros - 1);
    };
    let zeros = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number;
      if (count === 0) {
        zeros++;
        continue;
      }
      writeZeros(zeros);
      zeros = 0;
      write(2 * count);
    }
    // An empty histogram has its first count.
    if (words.length === 0) write(0);
    return words;
  }

  reset(): void {
    this.#counts.fill(0);
    this.total = 0;
    this.overRange = 0;
  }

  /** The bucket of a whole number of units of 2^bits ns. */
  #indexOf(units: number, bits: number): number {
    const half = this.#halfBits;
    const doublings = 31 - half - Math.clz32(units | ((2 << half) - 1));
    return ((doublings + bits) << half) + (units >>> doublings);
  }

  #indexOfLong(ns: number, count: number): number {
    if (!(ns >= smallNs)) throw new RangeError(`Expected a latency from 0 ns up, found ${ns}`);
    if (ns > highestNs) this.overRange += count;
    return this.#indexOf((Math.min(ns, highestNs) / longUnit) | 0, 20);
  }

  #lowestOf(index: number): number {
    const half = this.#halfBits;
    const doublings = Math.max(0, (index >>> half) - 1);
    return (index - (doublings << half)) * 2 ** doublings;
  }
}
