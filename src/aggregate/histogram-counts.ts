import { inflateSync } from 'node:zlib';
import type { Histogram } from 'hdr-histogram-js';
import { countsOf } from './histogram-check.ts';

/** First bytes of an HDR V2 histogram, compressed and plain; the high half of the last byte has flags. */
const compressedCookie = 0x1c849304;
const plainCookie = 0x1c849303;
const compressedHeaderBytes = 8;
const plainHeaderBytes = 40;

/**
 * Adds up encoded histograms (HDR V2 compressed, base64; lowest value 1) bucket by bucket. Making a histogram of each and
 * adding those takes more than twice as long, most of it for buckets in which nothing was counted.
 */
export class HistogramCounts {
  /** Significant digits, and the highest value that can be told apart; 0 as long as nothing was added. */
  digits = 0;
  highest = 0;
  /** By bucket. */
  #counts = new Float64Array(0);

  /** @throws Error for what is no such histogram, or one of other digits than those before. */
  add(encoded: string): void {
    const compressed = Buffer.from(encoded, 'base64');
    expectCookie(compressed, compressedCookie);
    const plain = inflateSync(compressed.subarray(compressedHeaderBytes));
    expectCookie(plain, plainCookie);
    this.#makeRoom(plain.readInt32BE(12), Number(plain.readBigInt64BE(24)));
    this.#addCounts(plain.subarray(plainHeaderBytes, plainHeaderBytes + plain.readInt32BE(4)));
  }

  /** Records them all in a histogram of the same digits. */
  recordIn(histogram: Histogram): void {
    const halfBits = halfBitsOf(this.digits);
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count === 0) continue;
      const doublings = Math.max(0, (bucket >>> halfBits) - 1);
      histogram.recordValueWithCount((bucket - (doublings << halfBits)) * 2 ** doublings, count);
    }
  }

  /** Makes room for one of another range; other digits would be other buckets. */
  #makeRoom(digits: number, highest: number): void {
    if (this.digits !== 0 && digits !== this.digits)
      throw new Error(`Expected histograms of ${this.digits} digits, found one of ${digits}`);
    this.digits = digits;
    if (highest <= this.highest) return;
    this.highest = highest;
    const counts = new Float64Array(countsOf(digits, highest));
    counts.set(this.#counts);
    this.#counts = counts;
  }

  /** Zig-zag numbers of 7 bits a byte, the lowest first: a count, or how many buckets are empty, as a negative number. */
  #addCounts(bytes: Buffer): void {
    const counts = this.#counts;
    let bucket = 0;
    let at = 0;
    while (at < bytes.length) {
      let byte = bytes[at++] as number;
      let number = byte & 0x7f;
      for (let weight = 128; byte >= 128 && at < bytes.length; weight *= 128) {
        byte = bytes[at++] as number;
        number += (byte & 0x7f) * weight;
      }
      if (number % 2 === 1) bucket += (number + 1) / 2;
      else if (bucket < counts.length) counts[bucket] = (counts[bucket++] as number) + number / 2;
      else throw new Error(`Expected ${counts.length} buckets, found more`);
    }
  }
}

/** The first 2^(this + 1) buckets are one unit wide; from there on every 2^this are twice as wide as those before. */
function halfBitsOf(digits: number): number {
  return Math.ceil(Math.log2(10 ** digits));
}

function expectCookie(bytes: Buffer, cookie: number): void {
  const found = bytes.length < 4 ? 'nothing' : bytes.readInt32BE(0) & ~0xf0;
  if (found !== cookie) throw new Error('Expected a histogram in HDR V2 encoding, found something else');
}
