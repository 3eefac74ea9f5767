import { PoolbenchError } from '../errors.ts';
import type { Control, Request } from './control.ts';

/** The keys of one run: `<prefix><8 digits>`, from 0 to `keys - 1`. */
export interface KeySpace {
  /** `poolbench:<seed>:`, or `poolbench:<seed>.1:` and so on while other runs have taken those before. */
  readonly prefix: string;
  readonly keys: number;
  /** What a reader must know: writes that were refused. */
  readonly warnings: readonly string[];
}

const chunkKeys = 1000;
const chunkBytes = 4 << 20;
const mostAttempts = 100;

/** Name of a key: its number has 8 digits, so that all names are of one length. */
export function keyName(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(8, '0')}`;
}

/**
 * Takes a key prefix that no other run is using. The same seed takes the same prefix, unless it is in use.
 * A server that refuses writes (a replica, out of memory) gives one without a claim, and a warning.
 * @throws PoolbenchError TARGET_NOT_AVAILABLE when a hundred prefixes of the seed are taken
 */
export async function claimKeySpace(
  control: Control,
  { seed, keys }: { seed: number; keys: number },
): Promise<KeySpace> {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const prefix = `poolbench:${seed}${attempt === 0 ? '' : `.${attempt}`}:`;
    try {
      const answer = await control.call('SET', `${prefix}claim`, new Date().toISOString(), 'NX');
      if (answer !== null) return { prefix, keys, warnings: [] };
    } catch (error) {
      if (error instanceof PoolbenchError || !(error instanceof Error)) throw error;
      return { prefix, keys, warnings: [`the server refuses writes: ${error.message}`] };
    }
  }
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected a free key prefix like poolbench:${seed}:, but ${mostAttempts} are claimed; remove the keys that earlier runs left (poolbench:${seed}*), or take another seed`,
  );
}

/**
 * Writes every key once, pipelined, with random bytes drawn from the seed; an aborted `signal` ends it early.
 * @returns one warning if the server refused any of it; the run goes on, and its reads then miss
 */
export async function prefill(
  control: Control,
  space: KeySpace,
  { seed, valueBytes, signal }: { seed: number; valueBytes: number; signal?: AbortSignal },
): Promise<string[]> {
  const random = randomBytesOf(seed);
  const chunk = Math.max(1, Math.min(chunkKeys, Math.floor(chunkBytes / Math.max(1, valueBytes))));
  let refused = 0;
  let reason = '';
  for (let first = 0; first < space.keys && signal?.aborted !== true; first += chunk) {
    const requests: Request[] = [];
    for (let number = first; number < Math.min(first + chunk, space.keys); number += 1) {
      requests.push(['SET', keyName(space.prefix, number), random(valueBytes)]);
    }
    for (const outcome of await control.pipeline(requests)) {
      if (!('error' in outcome)) continue;
      refused += 1;
      reason = outcome.error.message;
    }
    // A server that takes nothing at first takes nothing later: ten thousand refusals tell no more than a thousand.
    if (refused === requests.length && first === 0) {
      return [`the prefill was refused, so reads will find nothing: ${reason}`];
    }
  }
  return refused === 0 ? [] : [`the prefill was refused for ${refused} of ${space.keys} keys: ${reason}`];
}

/**
 * Removes exactly the run's keys, by name, and its claim; what the server refuses stays.
 * @returns the number of keys that were removed, without the claim
 */
export async function removeKeySpace(control: Control, space: KeySpace): Promise<number> {
  let removed = 0;
  let command = 'UNLINK';
  for (let first = 0; first < space.keys; first += chunkKeys) {
    const count = Math.min(chunkKeys, space.keys - first);
    const names = Array.from({ length: count }, (_, index) => keyName(space.prefix, first + index));
    const [outcome] = await control.pipeline([[command, ...names]]);
    if (outcome !== undefined && 'value' in outcome) removed += Number(outcome.value);
    else if (command === 'UNLINK' && /unknown command/i.test(outcome?.error.message ?? '')) {
      command = 'DEL';
      first -= chunkKeys;
    } else return removed;
  }
  await control.pipeline([['DEL', `${space.prefix}claim`]]);
  return removed;
}

/**
 * Prefixes that earlier runs have claimed and not given back, or that others are using now; a bounded search, so that
 * a huge database does not hold up the start.
 */
export async function leftoverPrefixes(control: Control): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  for (let round = 0; round < 100; round += 1) {
    const answer = await control.call('SCAN', cursor, 'MATCH', 'poolbench:*:claim', 'COUNT', 1000);
    if (!Array.isArray(answer)) break;
    const [next, names] = answer;
    for (const name of Array.isArray(names) ? names : []) found.add(String(name).replace(/claim$/, ''));
    cursor = String(next);
    if (cursor === '0') break;
  }
  return [...found].sort();
}

/** Bytes from xorshift32: values need to be different, and the same for the same seed, no more. */
function randomBytesOf(seed: number): (bytes: number) => Buffer {
  let state = (Math.trunc(seed) ^ 0x9e3779b9) | 0 || 1;
  return bytes => {
    const value = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 4) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      for (let byte = at; byte < Math.min(at + 4, bytes); byte += 1)
        value[byte] = state >>> ((byte - at) * 8);
    }
    return value;
  };
}
