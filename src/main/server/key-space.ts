import { randomBytes } from 'node:crypto';
import { formatCount } from '../../aggregate/text/format.ts';
import { keyDigits, keyName } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../../workers/contract.ts';
import { mixSeed } from '../../workers/prng.ts';
import { valueTexts } from '../../workers/workload/command-mix.ts';
import { AliasTable, Draws } from '../../workers/workload/samplers.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal, type Outcome, type Request } from './control.ts';

/** The keys that one run may write: `<prefix><8 digits>`, from 0 to `keys - 1`. */
export interface KeySpace {
  /** `poolbench:<seed>:`, `poolbench:<seed>.1:` and so on while other runs have taken those before, or a random one. */
  readonly prefix: string;
  readonly keys: number;
  /** Whether the server holds our claim. Where it took none, nobody else can have drawn the same random prefix. */
  readonly claimed: boolean;
  /** What a reader must know: writes that were refused. */
  readonly warnings: readonly string[];
}

/** What became of a run's keys. */
export interface Removal {
  /** Without the claim. */
  readonly removed: number;
  /** Keys that the server still holds because it refused to remove them; then the claim stays with them. */
  readonly left: number;
  /** Its refusal, where it left any. */
  readonly reason?: string;
}

const chunkKeys = 1000;
const chunkBytes = 4 << 20;
const maxAttempts = 100;

/**
 * Takes a key prefix that no other run is using. The same seed takes the same prefix, unless it is in use.
 * A server that refuses writes (a replica, out of memory) holds no claim: there the prefix is a random one, for another
 * run of the seed may hold the usual one, and there is a warning.
 * @throws PoolbenchError TARGET_NOT_AVAILABLE when a hundred prefixes of the seed are taken
 */
export async function claimKeySpace(
  control: Control,
  { seed, keys }: { seed: number; keys: number },
): Promise<KeySpace> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const prefix = keyPrefix(seed, attempt === 0 ? '' : String(attempt));
    try {
      const answer = await control.call('SET', claimKey(prefix), new Date().toISOString(), 'NX');
      if (answer !== null) return { prefix, keys, claimed: true, warnings: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return {
        prefix: keyPrefix(seed, randomBytes(4).toString('hex')),
        keys,
        claimed: false,
        warnings: [`the server refuses writes: ${error.message}`],
      };
    }
  }
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected a free key prefix like ${keyPrefix(seed)}, but ${maxAttempts} are claimed; remove the keys that earlier runs left (poolbench:${seed}*), or take another seed`,
  );
}

/** What the prefill writes. */
export interface Prefill {
  /** Keys, from number 0 on. */
  readonly keys: number;
  readonly seed: number;
  /** The values that the load writes, by their weights. */
  readonly workload: Pick<WorkloadTask, 'values' | 'compressibleShare'>;
  readonly signal?: AbortSignal;
}

/**
 * Writes every key once, pipelined, with values as the load writes them; an aborted `signal` ends it early.
 * @returns a warning if the server refused any of it, and the run goes on, its reads then missing; or if there are not
 *   as many keys more as were written
 */
export async function prefill(control: Control, space: KeySpace, what: Prefill): Promise<string[]> {
  const before = await databaseSize(control);
  const refusal = await writeKeys(control, space, what);
  const after = await databaseSize(control);
  if (refusal.length > 0 || before === null || after === null || what.signal?.aborted) return refusal;
  if (after - before === what.keys) return [];
  return [
    `${formatCount(what.keys)} keys were written before the load, but the database went from ${formatCount(before)} to ${formatCount(after)} keys: somebody else uses it, or keys were evicted or there before`,
  ];
}

/** Keys that the server, or the masters of a cluster together, hold. Null where it may not be asked. */
async function databaseSize(control: Control): Promise<number | null> {
  try {
    const sizes = await Promise.all(control.nodes.map(node => node.call('DBSIZE')));
    return sizes.reduce((sum: number, size) => sum + Number(size), 0);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

async function writeKeys(
  control: Control,
  space: KeySpace,
  { keys, seed, workload, signal }: Prefill,
): Promise<string[]> {
  const values = valueTexts(workload, seed);
  const table = new AliasTable(values.map(({ fraction }) => fraction));
  const draws = new Draws(mixSeed(seed, keys));
  const maxBytes = Math.max(...values.map(({ text }) => Buffer.byteLength(text)));
  const chunk = Math.max(1, Math.min(chunkKeys, Math.floor(chunkBytes / Math.max(1, maxBytes))));
  let refused = 0;
  let reason = '';
  for (let first = 0; first < keys && signal?.aborted !== true; first += chunk) {
    const requests: Request[] = [];
    for (let number = first; number < Math.min(first + chunk, keys); number += 1) {
      const value = values[table.pick(draws.next())]?.text ?? '';
      requests.push(['SET', keyName(space.prefix, number), value]);
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
  return refused === 0 ? [] : [`the prefill was refused for ${refused} of ${keys} keys: ${reason}`];
}

/**
 * Removes exactly the run's keys, by name, and then its claim. UNLINK that is refused (unknown, NOPERM) is tried as DEL.
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeKeySpace(control: Control, space: KeySpace): Promise<Removal> {
  const { removed, left, reason } = await removeKeys(control, space.prefix, {
    firstKey: 0,
    keys: space.keys,
  });
  if (!space.claimed || left > 0) return { removed, left, ...(reason === undefined ? {} : { reason }) };
  const claim = claimKey(space.prefix);
  let [outcome] = await control.pipeline([['UNLINK', claim]]);
  if (outcome !== undefined && 'error' in outcome) [outcome] = await control.pipeline([['DEL', claim]]);
  if (outcome === undefined || !('error' in outcome)) return { removed, left };
  return { removed, left: 1, reason: outcome.error.message };
}

/**
 * Removes these keys by name; the claim stays.
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeKeys(
  control: Control,
  prefix: string,
  { firstKey, keys }: KeyRange,
): Promise<Removal> {
  const end = firstKey + keys;
  let removed = 0;
  let left = 0;
  let reason = '';
  let command = 'UNLINK';
  for (let first = firstKey; first < end; first += chunkKeys) {
    const count = Math.min(chunkKeys, end - first);
    const names = Array.from({ length: count }, (_, index) => keyName(prefix, first + index));
    const groups = chunksOf(names, control.keysPerCommand);
    const ask = (name: string) => control.pipeline(groups.map(group => [name, ...group]));
    let outcomes = await ask(command);
    if (command === 'UNLINK' && outcomes.some(outcome => 'error' in outcome)) {
      command = 'DEL';
      removed += sumOf(outcomes);
      outcomes = await ask(command);
    }
    removed += sumOf(outcomes);
    const refused = outcomes.find(outcome => 'error' in outcome);
    if (refused !== undefined && 'error' in refused) {
      reason = refused.error.message;
      // A server that takes no writes holds none of them, as a rule.
      const held = await ask('EXISTS');
      left += held.every(outcome => 'value' in outcome) ? sumOf(held) : count;
    }
  }
  return left === 0 ? { removed, left } : { removed, left, reason };
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
    items.slice(chunk * size, (chunk + 1) * size),
  );
}

/** Sum of the numbers that commands answered. */
function sumOf(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, outcome) => sum + ('value' in outcome ? Number(outcome.value ?? 0) : 0), 0);
}

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
