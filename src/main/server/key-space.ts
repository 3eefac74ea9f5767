import { randomBytes } from 'node:crypto';
import { formatPlural } from '../../aggregate/text/format.ts';
import { keyDigits, keyName } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../../workers/contract.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import { IndexOrder } from '../../workers/workload/records.ts';
import { PoolbenchError } from '../errors.ts';
import { type Claim, claimKey, isTaken, newToken, unlinkUnlessClaimedByOthers } from './claim.ts';
import { type Control, isRefusal, type Outcome } from './control.ts';

/** The keys that one run may write: `<prefix><8 digits>`, from 0 to `keys - 1`. */
export interface KeySpace extends Claim {
  /** `poolbench:<seed>:`, `poolbench:<seed>.1:` and so on while other runs have taken those before, or a random one. */
  readonly prefix: string;
  readonly keys: number;
  /** Warnings: writes that were refused. */
  readonly warnings: readonly string[];
}

/** What a result keeps of a key space. */
export type LeftKeys = Pick<KeySpace, 'prefix' | 'token' | 'keys'>;

/** The outcome of removing a run's keys. */
export interface Removal {
  /** Without the claim. */
  readonly removed: number;
  /** Keys that remain because the server refused to remove them; then the claim also remains. */
  readonly left: number;
  /** Its refusal, if it left any. */
  readonly reason: string | undefined;
  /** Another run has claimed the prefix since, so the keys that are left belong to that run. */
  readonly taken?: true;
}

const maxCommands = 1000;
const maxAttempts = 100;

const prefixPattern = '[\\w.:-]{0,64}poolbench:\\d+(?:\\.[\\da-f]+)?:';
/** The prefix of a run's keys, of which `keyPrefix` makes one. */
export const runPrefix = new RegExp(`^${prefixPattern}$`);
/** Every key that a run writes: its prefix, and `claim` or the number of a key. */
const runKey = new RegExp(`^(${prefixPattern})(?:claim|\\d{${keyDigits}})$`);

/** The prefix of a key written by a run of poolbench; undefined for other keys. */
export function prefixOfKey(name: string): string | undefined {
  return runKey.exec(name)?.[1];
}

/**
 * `poolbench:<seed>:`, or `poolbench:<seed>.<other>:` if that is taken, after what all keys of the target begin with.
 * @param other hexadecimal
 */
function keyPrefix({ seed, before = '' }: { seed: number; before?: string }, other = ''): string {
  return `${before}poolbench:${seed}${other === '' ? '' : `.${other}`}:`;
}

/**
 * Claims a key prefix that no other run is using. It begins with `before`, if given. The same seed gets the same
 * prefix, unless that is in use. A server that refuses writes (a replica, out of memory) cannot hold a claim: then the
 * prefix is random, because another run with the same seed may hold the usual one, and there is a warning.
 * @throws PoolbenchError TARGET_NOT_AVAILABLE when a hundred prefixes of the seed are taken
 */
export async function claimKeySpace(
  control: Control,
  { keys, ...names }: { seed: number; before?: string; keys: number },
): Promise<KeySpace> {
  const token = newToken();
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const prefix = keyPrefix(names, attempt === 0 ? '' : String(attempt));
    try {
      const answer = await control.call('SET', claimKey(prefix), token, 'NX');
      if (answer !== null) return { prefix, keys, token, claimed: true, warnings: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return {
        prefix: keyPrefix(names, randomBytes(4).toString('hex')),
        keys,
        token,
        claimed: false,
        warnings: [
          `the server refuses writes: ${error.message}${/^NOPERM.*key/i.test(error.message) ? '; if this user may use only some keys, set target.keyPrefix to what their names begin with' : ''}`,
        ],
      };
    }
  }
  throw new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected a free key prefix like ${keyPrefix(names)}, but ${maxAttempts} are claimed; remove the keys that earlier runs left (${keyPrefix(names).slice(0, -1)}*), or use another seed`,
  );
}

/**
 * Removes exactly the run's keys, by name, and then its claim; nothing if another run has claimed the prefix.
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeKeySpace(control: Control, space: KeySpace): Promise<Removal> {
  // Claims the prefix again if the claim is gone, so that nobody takes it while its keys are removed.
  if (await isTaken(control, space)) return nothingRemoved;
  const removal = await removeKeys(control, space, { firstKey: 0, keys: space.keys });
  if (!space.claimed || removal.left > 0 || removal.taken) return removal;
  const { left, reason } = await removeOwn(control, space, [claimKey(space.prefix)]);
  return { ...removal, left, reason };
}

/**
 * The key space of a run that was killed; null if its claim is not on the server any more, undefined if this user may
 * not look.
 *
 * @param left from a result, which may be from any source
 * @throws PoolbenchError TARGET_LOST
 */
export async function findLeftKeys(control: Control, left: LeftKeys): Promise<KeySpace | null | undefined> {
  if (!runPrefix.test(left.prefix) || left.keys > 10 ** keyDigits) return null;
  const [held] = await control.pipeline([['GET', claimKey(left.prefix)]]);
  if (held === undefined || !('value' in held)) return undefined;
  if (held.value !== left.token) return null;
  const { prefix, token, keys } = left;
  return { prefix, token, keys, claimed: true, warnings: [] };
}

/**
 * The warnings of a removal, which is undefined if the server does not answer.
 *
 * @param where the server, if it is not the run's
 */
export function describeRemoval(space: KeySpace, removal: Removal | undefined, where = ''): string[] {
  const { prefix, keys } = space;
  if (removal?.taken === true)
    return [
      `the keys under ${prefix}${where} were not removed, because they belong to another run of poolbench: it took this prefix after the server had lost this run's claim (the server was restarted or flushed, or it evicts keys)`,
    ];
  const { left, reason } = removal ?? { left: keys, reason: 'the server does not answer' };
  return left === 0
    ? []
    : [`${formatPlural(left, 'key')} under ${prefix}${where} could not be removed: ${reason}`];
}

const nothingRemoved: Removal = { removed: 0, left: 0, reason: undefined, taken: true };

/** What one pool has inserted. */
interface Inserted {
  readonly share: KeyRange;
  /** Those beyond its keys overwrote others. */
  readonly records: number;
}

/**
 * Removes what a measurement has inserted, so that the next one begins with the same records and its inserts are inserts.
 * @returns the reason, if they could not be removed
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeInserted(
  control: Control,
  claim: Claim,
  workload: WorkloadTask,
  pools: readonly Inserted[],
): Promise<string | undefined> {
  const { keys, growth } = workload;
  const taken = `another run has claimed ${claim.prefix} since`;
  if (await isTaken(control, claim)) return taken;
  // Records of an index are no keys: they are numbered on from those that were there before the load.
  const first = growth === 'index' ? keys : keyRanges(workload).inserted;
  for (const { share, records } of pools) {
    const range = { firstKey: first + share.firstKey, keys: Math.min(records, share.keys) };
    if (growth === 'index') {
      const reason = await removeFromIndex(control, keyName(claim.prefix, 0), new IndexOrder(keys), range);
      if (reason !== undefined) return reason;
      continue;
    }
    const removal = await removeKeys(control, claim, range);
    if (removal.taken) return taken;
    if (removal.reason !== undefined) return removal.reason;
  }
  return undefined;
}

async function removeFromIndex(
  control: Control,
  index: string,
  order: IndexOrder,
  range: KeyRange,
): Promise<string | undefined> {
  for (const records of chunksOfRange(range)) {
    const scores = records.map(record => order.scoreOf(record));
    const requests = scores.map(score => ['ZREMRANGEBYSCORE', index, score, score] as const);
    const reason = refusalAmong(await control.pipeline(requests));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

async function removeKeys(control: Control, claim: Claim, range: KeyRange): Promise<Removal> {
  let all: Removal = { removed: 0, left: 0, reason: undefined };
  for (const numbers of chunksOfRange(range)) {
    const names = numbers.map(number => keyName(claim.prefix, number));
    const { removed, left, reason, taken } = await removeOwn(control, claim, names);
    if (taken) return { ...all, taken };
    all = { removed: all.removed + removed, left: all.left + left, reason: reason ?? all.reason };
  }
  return all;
}

/**
 * Removes keys unless another run has claimed the prefix: in one step with the look at the claim, or right after it in a
 * cluster, which has the keys on several nodes, and if the server runs no scripts for this user.
 */
async function removeOwn(control: Control, claim: Claim, names: readonly string[]): Promise<Removal> {
  if (!claim.claimed) return removeNames(control, names);
  // A proxy would run the script on one of its servers.
  if (control.cluster === undefined && control.infoRefusal === undefined) {
    const removed = await unlinkUnlessClaimedByOthers(control, claim, names);
    if (removed === 'taken') return nothingRemoved;
    if (removed !== undefined) return { removed, left: 0, reason: undefined };
  }
  return (await isTaken(control, claim)) ? nothingRemoved : removeNames(control, names);
}

/** Removes keys with UNLINK; if that is refused (unknown, NOPERM), with DEL. */
async function removeNames(control: Control, names: readonly string[]): Promise<Removal> {
  const groups = chunksOf(names, control.keysPerCommand);
  const ask = (command: string) => control.pipeline(groups.map(group => [command, ...group]));
  const unlinked = await ask('UNLINK');
  if (refusalAmong(unlinked) === undefined) return { removed: sumOf(unlinked), left: 0, reason: undefined };
  const deleted = await ask('DEL');
  const removed = sumOf(unlinked) + sumOf(deleted);
  const reason = refusalAmong(deleted);
  if (reason === undefined) return { removed, left: 0, reason };
  // A server that refuses all writes usually holds none of the keys.
  const held = await ask('EXISTS');
  const left = refusalAmong(held) === undefined ? sumOf(held) : names.length;
  return { removed, left, reason: left === 0 ? undefined : reason };
}

function* chunksOfRange({ firstKey, keys }: KeyRange): Generator<number[]> {
  const end = firstKey + keys;
  for (let first = firstKey; first < end; first += maxCommands)
    yield Array.from({ length: Math.min(maxCommands, end - first) }, (_, index) => first + index);
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

/** The first refusal. */
export function refusalAmong(outcomes: readonly Outcome[]): string | undefined {
  for (const outcome of outcomes) if ('error' in outcome) return outcome.error.message;
  return undefined;
}
