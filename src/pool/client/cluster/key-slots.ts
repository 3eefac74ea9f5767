import { keyDigits } from '../batch.ts';

/** Hash slots of a Redis Cluster: a power of two, so that a mask takes the remainder. */
export const slotCount = 16384;

/**
 * The hash slots of keys by their numbers, without building a key's name. A CRC is linear over XOR: the CRC of a key is
 * that of its prefix with a zero byte for each digit, XOR that of each pair of digits with zeros for the digits behind.
 * So four tables of 100 sums are enough, which stay in the fastest cache.
 */
export class KeySlots {
  readonly #ofPrefix: number;
  readonly #first = sumsOfPairs(6);
  readonly #second = sumsOfPairs(4);
  readonly #third = sumsOfPairs(2);
  readonly #fourth = sumsOfPairs(0);
  /** The slot of all keys, if the prefix holds a hash tag. */
  readonly #ofTag: number | undefined;

  constructor(keyPrefix: string) {
    const prefix = Buffer.from(keyPrefix);
    const tag = hashTag(prefix);
    this.#ofTag = tag === undefined ? undefined : crc16(tag) & (slotCount - 1);
    this.#ofPrefix = crc16(new Uint8Array(keyDigits), crc16(prefix));
  }

  /** Slot of the key of this number, 0 to 16383. */
  of(number: number): number {
    if (this.#ofTag !== undefined) return this.#ofTag;
    const high = (number / 10_000) | 0;
    const low = number - high * 10_000;
    const highest = (high / 100) | 0;
    const lower = (low / 100) | 0;
    const crc =
      this.#ofPrefix ^
      (this.#first[highest] as number) ^
      (this.#second[high - highest * 100] as number) ^
      (this.#third[lower] as number) ^
      (this.#fourth[low - lower * 100] as number);
    return crc & (slotCount - 1);
  }
}

/** The sums of "00" to "99" followed by this many digits. */
function sumsOfPairs(digitsBehind: number): Uint16Array {
  const behind = new Uint8Array(digitsBehind);
  return Uint16Array.from({ length: 100 }, (_, number) =>
    crc16(behind, crc16(Buffer.from(String(number).padStart(2, '0')))),
  );
}

/** The part of a key that is hashed instead of it: the bytes between its first "{" and the next "}", if any. */
function hashTag(prefix: Buffer): Buffer | undefined {
  const open = prefix.indexOf('{');
  // After the prefix there are only digits, so a tag is in the prefix or nowhere.
  const close = open < 0 ? -1 : prefix.indexOf('}', open);
  return close > open + 1 ? prefix.subarray(open + 1, close) : undefined;
}

/** CRC-16/XMODEM (polynomial 0x1021, initial value 0, nothing reflected), by which Redis Cluster hashes keys. */
const table = new Uint16Array(256);
for (const [byte] of table.entries()) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  table[byte] = crc;
}

/** The CRC of `bytes`, continued from that of the bytes before them. */
export function crc16(bytes: Uint8Array, crc = 0): number {
  let sum = crc;
  for (const byte of bytes) sum = ((sum << 8) & 0xffff) ^ (table[(sum >> 8) ^ byte] as number);
  return sum;
}
