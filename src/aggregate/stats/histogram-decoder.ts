import { inflateSync } from 'node:zlib';

/**
 * The decoder of HDR V2 histograms, compressed, in base64, with 1 as the lowest value: what poolbench encodes. It
 * accepts text from any source. The library that encodes them trusts the sizes in a text, so a small text may claim
 * gigabytes, or write beyond its counts; and building a histogram for each text takes more than twice as long as adding
 * up the counts, mostly for empty buckets.
 */

/** Cookies of HDR V2, compressed and not; the high half of the last byte has the word size, or flags. */
const compressedCookie = 0x1c849304;
const plainCookie = 0x1c849303;
const compressedHeaderBytes = 8;
const plainHeaderBytes = 40;
/** Three digits over all whole numbers that are exact take 45,000 counts of at most 9 bytes. */
const maxPlainBytes = 1 << 20;
const maxDigits = 3;
/** In the encoding of one count. */
const maxCountBytes = 9;

/** An encoded histogram whose header was read, and whose counts were not. */
interface Opened {
  readonly digits: number;
  readonly highest: number;
  readonly counts: Buffer;
}

/** Thrown for a text that is not a histogram. `fault` says why, to follow "found". */
class NoHistogram extends Error {
  readonly fault: string;

  constructor(fault: string) {
    super(`Expected a histogram in HDR V2 encoding, found ${fault}`);
    this.fault = fault;
  }
}

/** Why a text is not a histogram, to follow "found"; null if it is one. */
export function whyNoHistogram(encoded: string): string | null {
  try {
    readCounts(open(encoded), () => {});
    return null;
  } catch (error) {
    if (error instanceof NoHistogram) return error.fault;
    throw error;
  }
}

/** Significant digits: histograms of the same digits can be added up. @throws Error for what is no histogram */
export function digitsOf(encoded: string): number {
  return open(encoded).digits;
}

/** What was recorded in a bucket. Values in the unit of the histogram. */
export interface RecordedBucket {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly count: number;
}

/** Counts of encoded histograms, added up bucket by bucket. */
export class HistogramCounts {
  /** Significant digits, and the highest value that can be told apart; 0 as long as nothing was added. */
  digits = 0;
  highest = 0;
  /** By bucket, up to a power of two beyond the last one with something in it. */
  #counts = new Float64Array(0);

  /** @throws Error for anything else, or a histogram with other digits than the previous ones. */
  add(encoded: string): void {
    const opened = open(encoded);
    const { digits, highest } = opened;
    // Other digits would be other buckets.
    if (this.digits !== 0 && digits !== this.digits)
      throw new Error(`Expected histograms of ${this.digits} digits, found one of ${digits}`);
    this.digits = digits;
    this.highest = Math.max(highest, this.highest);
    readCounts(opened, (bucket, count) => {
      if (bucket >= this.#counts.length) this.#makeRoom(bucket);
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    });
  }

  /** Buckets with something in them, lowest first. */
  recorded(): RecordedBucket[] {
    const halfBits = Math.log2(subBucketsOf(this.digits)) - 1;
    const counts = this.#counts;
    const recorded: RecordedBucket[] = [];
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = counts[bucket] as number;
      if (count === 0) continue;
      // Buckets are one unit wide at first; from the second half of the sub-buckets on, each half is twice as wide as the last.
      const doublings = Math.max(0, (bucket >>> halfBits) - 1);
      const width = 2 ** doublings;
      const low = (bucket - (doublings << halfBits)) * width;
      recorded.push({ low, middle: low + Math.floor(width / 2), high: low + width - 1, count });
    }
    return recorded;
  }

  /** Most of the range is never used: a histogram of an hour in nanoseconds has 33,000 buckets, up to a millisecond 9,000. */
  #makeRoom(bucket: number): void {
    const counts = new Float64Array(2 ** Math.ceil(Math.log2(bucket + 1)));
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

/** Steps within a doubling (Tene, HdrHistogram): so many that every value has its digits. */
export function subBucketsOf(digits: number): number {
  return 2 ** Math.ceil(Math.log2(2 * 10 ** digits));
}

/** Doublings that reach the highest value. */
export function doublingsOf(digits: number, highest: number): number {
  let doublings = 1;
  for (let untrackable = subBucketsOf(digits); untrackable <= highest; untrackable *= 2) doublings++;
  return doublings;
}

/** Half of the sub-buckets for each doubling, and once more. */
function countsOf(digits: number, highest: number): number {
  return (doublingsOf(digits, highest) + 1) * (subBucketsOf(digits) / 2);
}

function open(encoded: string): Opened {
  const bytes = Buffer.from(encoded, 'base64');
  // Node leaves out what is no base64, so that there are fewer bytes than the length of the text makes.
  if (bytes.length === 0 || bytes.length !== Buffer.byteLength(encoded, 'base64'))
    throw new NoHistogram('text that is not base64');
  if (!hasCookie(bytes, compressedCookie, compressedHeaderBytes))
    throw new NoHistogram('no HDR V2 histogram');
  if (bytes.readInt32BE(4) !== bytes.length - compressedHeaderBytes)
    throw new NoHistogram('a histogram that is cut off');
  const plain = inflate(bytes.subarray(compressedHeaderBytes));
  if (!hasCookie(plain, plainCookie, plainHeaderBytes)) throw new NoHistogram('no HDR V2 histogram inside');
  if (plain.readInt32BE(4) !== plain.length - plainHeaderBytes)
    throw new NoHistogram('a histogram whose counts are cut off');
  const digits = plain.readInt32BE(12);
  const lowest = Number(plain.readBigInt64BE(16));
  const highest = Number(plain.readBigInt64BE(24));
  if (digits < 1 || digits > maxDigits) throw new NoHistogram(`a histogram of ${digits} digits`);
  if (lowest !== 1 || highest < 2 || highest > Number.MAX_SAFE_INTEGER)
    throw new NoHistogram(`a histogram from ${lowest} to ${highest}`);
  return { digits, highest, counts: plain.subarray(plainHeaderBytes) };
}

function inflate(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: maxPlainBytes });
  } catch {
    throw new NoHistogram('a histogram that cannot be inflated to at most 1 MiB');
  }
}

function hasCookie(bytes: Buffer, cookie: number, minBytes: number): boolean {
  return bytes.length >= minBytes && (bytes.readUInt32BE(0) & ~0xf0) === cookie;
}

/**
 * Reads the counts, which are ZigZag LEB128; a negative one represents that many zeros.
 *
 * @param use is called for each bucket with something in it
 */
function readCounts(
  { digits, highest, counts: bytes }: Opened,
  use: (bucket: number, count: number) => void,
): void {
  const max = countsOf(digits, highest);
  let at = 0;
  let bucket = 0;
  let total = 0;
  while (at < bytes.length) {
    let byte = bytes[at++] as number;
    let word = byte & 0x7f;
    for (let place = 2, weight = 128; byte >= 128 && place <= maxCountBytes; place++, weight *= 128) {
      const next = bytes[at++];
      if (next === undefined) throw new NoHistogram('a histogram with half a count');
      byte = next;
      word += (place === maxCountBytes ? byte : byte & 0x7f) * weight;
    }
    const isCount = word % 2 === 0;
    const count = isCount ? word / 2 : 0;
    const next = bucket + (isCount ? 1 : (word + 1) / 2);
    if (next > max) throw new NoHistogram(`a histogram with more than its ${max} counts`);
    total += count;
    if (total > Number.MAX_SAFE_INTEGER)
      throw new NoHistogram('a histogram of more values than can be counted');
    if (count > 0) use(bucket, count);
    bucket = next;
  }
}
