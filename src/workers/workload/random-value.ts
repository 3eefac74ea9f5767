import { mixSeed, Prng } from '../prng.ts';

const printable = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
/** Random and repeated bytes change places this often, so that compressors with a small window find both. */
const blockBytes = 64;

/**
 * A value of `bytes` printable ASCII characters; the same seed gives the same value. Of every 64 of them a
 * `compressibleShare`, rounded, is one character over and over, the rest is random.
 */
export function randomValue(bytes: number, seed: number, compressibleShare = 0): string {
  const prng = new Prng(mixSeed(seed, bytes));
  const repeated = Math.round(blockBytes * compressibleShare);
  let value = '';
  for (let i = 0; i < bytes; i++) {
    value += i % blockBytes < repeated ? 'x' : printable[prng.draw() & 63];
  }
  return value;
}
