import type { ValueVariant, WorkloadTask } from '../contract.ts';
import { Prng, streamSeed } from '../prng.ts';

const printable = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
/** Random and repeated bytes alternate within this many bytes, so that compressors with a small window find both. */
const blockBytes = 64;
const repeatedByte = 'x'.charCodeAt(0);
/** Numbers drawn at a time: each gives four characters. */
const maxDrawn = 4096;

/** The two characters of a number of 12 bits, as one of 16. */
const pairs = Uint16Array.from({ length: 1 << 12 }, (_, number) => {
  return printable.charCodeAt(number & 63) | (printable.charCodeAt(number >>> 6) << 8);
});

/** The last value made in this thread. One alone, so that a thread keeps at most the largest value of its workload. */
let kept: { readonly value: string; readonly seed: number; readonly compressibleRatio: number } | undefined;

/**
 * The values with their fractions of all writes: one for each size. The random ones are beginnings of the longest one,
 * which stays in the thread until another one is asked for.
 */
export function valueTexts(
  { values, compressibleRatio }: Pick<WorkloadTask, 'values' | 'compressibleRatio'>,
  seed: number,
): { readonly text: string; readonly fraction: number }[] {
  const sum = values.reduce((total, { weight }) => total + weight, 0);
  const maxBytes = Math.max(0, ...values.map(({ value }) => ('bytes' in value ? value.bytes : 0)));
  const longest = randomValue(maxBytes, seed, compressibleRatio);
  return values.map(({ value, weight }: ValueVariant) => ({
    fraction: weight / sum,
    text: 'text' in value ? value.text : longest.slice(0, value.bytes),
  }));
}

/**
 * A value of `bytes` printable ASCII characters; the same seed gives the same value. In each block of 64 the first
 * `compressibleRatio`, rounded, is one repeated character; the rest is random.
 */
export function randomValue(bytes: number, seed: number, compressibleRatio = 0): string {
  if (kept?.value.length !== bytes || kept.seed !== seed || kept.compressibleRatio !== compressibleRatio) {
    // Released first, as there may be no room for two.
    kept = undefined;
    kept = { value: makeValue(bytes, seed, compressibleRatio), seed, compressibleRatio };
  }
  return kept.value;
}

function makeValue(bytes: number, seed: number, compressibleRatio: number): string {
  const prng = new Prng(streamSeed(seed, 'values'));
  const words = new Uint32Array(Math.ceil(bytes / 4));
  const drawn = new Uint32Array(Math.min(maxDrawn, words.length));
  for (let first = 0; first < words.length; first += drawn.length) {
    const count = Math.min(drawn.length, words.length - first);
    prng.drawInto(drawn, count);
    for (let i = 0; i < count; i++) {
      const number = drawn[i] as number;
      words[first + i] =
        (pairs[number & 0xfff] as number) | ((pairs[(number >>> 12) & 0xfff] as number) << 16);
    }
  }
  const text = Buffer.from(words.buffer, 0, bytes);
  const repeated = Math.round(blockBytes * compressibleRatio);
  if (repeated > 0)
    for (let at = 0; at < bytes; at += blockBytes)
      text.fill(repeatedByte, at, Math.min(at + repeated, bytes));
  return text.toString('latin1');
}
