import { inflateSync } from 'node:zlib';

/** Cookies of HDR V2, compressed and not; the word size in the second half byte is left out. */
const compressedCookie = 0x1c849304;
const plainCookie = 0x1c849303;
const headerBytes = 40;
/** Three digits over all whole numbers that are exact take 45,000 counts of at most 9 bytes. */
const mostPlainBytes = 1 << 20;
const mostDigits = 3;

/**
 * Looks whether a text is a histogram as poolbench encodes them, before it is handed to the library that decodes it,
 * which believes what it is told of sizes: a small text may claim to be gigabytes, or write beyond its counts.
 *
 * @returns what is wrong with it, to follow "found"; null if nothing is
 */
export function whyNoHistogram(encoded: string): string | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'text that is not base64';
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 8 || (bytes.readUInt32BE(0) & ~0xf0) !== compressedCookie) return 'no HDR V2 histogram';
  if (bytes.readInt32BE(4) !== bytes.length - 8) return 'a histogram that is cut off';
  let plain: Buffer;
  try {
    plain = inflateSync(bytes.subarray(8), { maxOutputLength: mostPlainBytes });
  } catch {
    return 'a histogram that cannot be inflated to at most 1 MiB';
  }
  return whyNoPlainHistogram(plain);
}

function whyNoPlainHistogram(plain: Buffer): string | null {
  if (plain.length < headerBytes || (plain.readUInt32BE(0) & ~0xf0) !== plainCookie)
    return 'no HDR V2 histogram inside';
  if (plain.readInt32BE(4) !== plain.length - headerBytes) return 'a histogram whose counts are cut off';
  const digits = plain.readInt32BE(12);
  const lowest = Number(plain.readBigInt64BE(16));
  const highest = Number(plain.readBigInt64BE(24));
  if (digits < 1 || digits > mostDigits) return `a histogram of ${digits} digits`;
  if (lowest !== 1 || highest < 2 || highest > Number.MAX_SAFE_INTEGER)
    return `a histogram from ${lowest} to ${highest}`;
  return whyWrongCounts(plain.subarray(headerBytes), countsOf(digits, highest));
}

/** The digits of what is a histogram by the rule above; others of the same digits can be added to it. */
export function digitsOf(encoded: string): number {
  return inflateSync(Buffer.from(encoded, 'base64').subarray(8)).readInt32BE(12);
}

/** How many counts a histogram has (Tene, HdrHistogram): half of the sub-buckets for each doubling, and once more. */
export function countsOf(digits: number, highest: number): number {
  const subBuckets = 2 ** Math.ceil(Math.log2(2 * 10 ** digits));
  let buckets = 1;
  for (let untrackable = subBuckets; untrackable <= highest; untrackable *= 2) buckets++;
  return (buckets + 1) * (subBuckets / 2);
}

/** Counts are ZigZag LEB128 of at most 9 bytes; a negative one stands for so many zeros. */
function whyWrongCounts(bytes: Buffer, most: number): string | null {
  let at = 0;
  let counts = 0;
  let total = 0;
  while (at < bytes.length) {
    let word = 0;
    for (let place = 0; ; place++) {
      const byte = bytes[at++];
      if (byte === undefined) return 'a histogram with half a count';
      const last = place === 8;
      word += (last ? byte : byte & 0x7f) * 2 ** (7 * place);
      if (last || (byte & 0x80) === 0) break;
    }
    if (word % 2 === 0) {
      counts++;
      total += word / 2;
    } else counts += (word + 1) / 2;
    if (counts > most) return `a histogram with more than its ${most} counts`;
    if (total > Number.MAX_SAFE_INTEGER) return 'a histogram of more values than can be counted';
  }
  return null;
}
