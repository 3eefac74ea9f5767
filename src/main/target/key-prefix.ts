import { keyDigits } from '../../pool/batch.ts';

/** Every key that a run writes: its prefix, and `claim` or the number of a key. */
const ofRun = new RegExp(`^(poolbench:\\d+(?:\\.[\\da-f]+)?:)(?:claim|\\d{${keyDigits}})$`);

/** `poolbench:<seed>:`, or `poolbench:<seed>.<other>:` where that is taken. @param other hexadecimal */
export function keyPrefix(seed: number, other = ''): string {
  return `poolbench:${seed}${other === '' ? '' : `.${other}`}:`;
}

/** The key that tells other runs that a prefix is taken. */
export function claimKey(prefix: string): string {
  return `${prefix}claim`;
}

/** The prefix of a key that a run of poolbench has written; undefined for a key of others. */
export function prefixOfKey(name: string): string | undefined {
  return ofRun.exec(name)?.[1];
}
