import { randomBytes } from 'node:crypto';
import { formatCount } from '../../aggregate/text/format.ts';
import { keyDigits, keyName } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../../workers/contract.ts';
import { streamSeed } from '../../workers/prng.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import { IndexOrder } from '../../workers/workload/records.ts';
import { AliasTable, Draws } from '../../workers/workload/samplers.ts';
import { valueTexts } from '../../workers/workload/values.ts';
import { PoolbenchError } from '../errors.ts';
import { type Claim, claimKey, isTaken, newToken, unlinkUnlessClaimedByOthers } from './claim.ts';
import { type Control, isRefusal, type Outcome, type Request } from './control.ts';

/** The keys that one run may write: `<prefix><8 digits>`, from 0 to `keys - 1`. */
export interface KeySpace extends Claim {
  /** `poolbench:<seed>:`, `poolbench:<seed>.1:` and so on while other runs have taken those before, or a random one. */
  readonly prefix: string;
  readonly keys: number;
  /** Warnings: writes that were refused. */
  readonly warnings: readonly string[];
}

/** What became of a run's keys. */
export interface Removal {
  /** Without the claim. */
  readonly removed: number;
  /** Keys that the server still holds because it refused to remove them; then the claim stays with them. */
  readonly left: number;
  /** Its refusal, if it left any. */
  readonly reason: string | undefined;
  /** Another run has claimed the prefix since, so the keys that are left are its own. */
  readonly taken?: true;
}

const maxCommands = 1000;
const maxMembers = 100;
const maxChunkBytes = 4 << 20;
const maxAttempts = 100;

/** Every key that a run writes: its prefix, and `claim` or the number of a key. */
const runKey = new RegExp(`^(poolbench:\\d+(?:\\.[\\da-f]+)?:)(?:claim|\\d{${keyDigits}})$`);

/** The prefix of a key that a run of poolbench has written; undefined for a key of others. */
export function prefixOfKey(name: string): string | undefined {
  return runKey.exec(name)?.[1];
}

/** `poolbench:<seed>:`, or `poolbench:<seed>.<other>:` if that is taken. @param other hexadecimal */
function keyPrefix(seed: number, other = ''): string {
  return `poolbench:${seed}${other === '' ? '' : `.${other}`}:`;
}

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
  const token = newToken();
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const prefix = keyPrefix(seed, attempt === 0 ? '' : String(attempt));
    try {
      const answer = await control.call('SET', claimKey(prefix), token, 'NX');
      if (answer !== null) return { prefix, keys, token, claimed: true, warnings: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return {
        prefix: keyPrefix(seed, randomBytes(4).toString('hex')),
        keys,
        token,
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
interface Prefill {
  readonly seed: number;
  readonly workload: WorkloadTask;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/**
 * Writes the keys of the workload, or the records of its index, once and pipelined, with values as the load writes them.
 * @returns a warning if the server refused any of it, and the run goes on, its reads then missing; or if there are not
 *   as many more as were written
 */
export async function prefill(control: Control, space: KeySpace, what: Prefill): Promise<string[]> {
  if (what.workload.growth === 'index') return writeIndex(control, space, what);
  const keys = keyRanges(what.workload).prefilled;
  const before = await databaseSize(control);
  const refusals = await writeKeys(control, space, keys, what);
  const after = await databaseSize(control);
  if (refusals.length > 0 || before === null || after === null || what.signal?.aborted) return refusals;
  if (after - before === keys) return [];
  return [
    `${formatCount(keys)} keys were written before the load, but the database went from ${formatCount(before)} to ${formatCount(after)} keys: somebody else uses it, or keys were evicted or already existed`,
  ];
}

/** Keys that the server, or the masters of a cluster together, hold. Null if this user may not ask. */
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
  keys: number,
  { seed, workload, signal }: Prefill,
): Promise<string[]> {
  const { nextValue, maxBytes } = drawValues(workload, seed);
  const chunk = fitting(maxCommands, maxBytes);
  let refused = 0;
  let reason: string | undefined;
  for (let first = 0; first < keys && signal?.aborted !== true; first += chunk) {
    const requests: Request[] = [];
    for (let number = first; number < Math.min(first + chunk, keys); number += 1)
      requests.push(['SET', keyName(space.prefix, number), nextValue()]);
    const outcomes = await control.pipeline(requests);
    refused += outcomes.filter(outcome => 'error' in outcome).length;
    reason ??= refusalAmong(outcomes);
    // A server that takes nothing at first takes nothing later: ten thousand refusals say no more than a thousand.
    if (refused === requests.length && first === 0)
      return [`the prefill was refused, so reads will find nothing: ${reason}`];
  }
  return refused === 0 ? [] : [`the prefill was refused for ${refused} of ${keys} keys: ${reason}`];
}

/** Writes the records of a workload that scans an index: members of the first key, as the load inserts them. */
async function writeIndex(
  control: Control,
  space: KeySpace,
  { seed, workload, signal }: Prefill,
): Promise<string[]> {
  const { keys } = workload;
  const { nextValue, maxBytes } = drawValues(workload, seed);
  const order = new IndexOrder(keys);
  const perCommand = fitting(maxMembers, maxBytes);
  const perChunk = perCommand * fitting(maxCommands / maxMembers, maxBytes * perCommand);
  const index = keyName(space.prefix, 0);
  for (let first = 0; first < keys && signal?.aborted !== true; first += perChunk) {
    const requests: Request[] = [];
    for (let record = first; record < Math.min(first + perChunk, keys); record += perCommand) {
      const members: (string | number)[] = [];
      for (let number = record; number < Math.min(record + perCommand, keys); number++) {
        const score = order.scoreOf(number);
        members.push(score, `${score}:${nextValue()}`);
      }
      requests.push(['ZADD', index, ...members]);
    }
    const reason = refusalAmong(await control.pipeline(requests));
    if (reason !== undefined) return [`the records were refused, so scans will find too few: ${reason}`];
  }
  if (signal?.aborted === true) return [];
  const [outcome] = await control.pipeline([['ZCARD', index]]);
  if (outcome === undefined || 'error' in outcome || Number(outcome.value) === keys) return [];
  return [
    `${formatCount(keys)} records were written before the load, but the sorted set has ${formatCount(Number(outcome.value))}: somebody else uses it, or it already existed`,
  ];
}

/** Values that the load writes, by their weights. */
function drawValues(workload: WorkloadTask, seed: number): { nextValue: () => string; maxBytes: number } {
  const values = valueTexts(workload, seed);
  const table = new AliasTable(values.map(({ fraction }) => fraction));
  const draws = new Draws(streamSeed(seed, 'prefill'));
  return {
    nextValue: () => values[table.pick(draws.next())]?.text ?? '',
    maxBytes: Math.max(1, ...values.map(({ text }) => Buffer.byteLength(text))),
  };
}

/** How many items of a size go into one chunk: `max` of them, if the bytes allow it. */
function fitting(max: number, bytes: number): number {
  return Math.max(1, Math.min(max, Math.floor(maxChunkBytes / bytes)));
}

/**
 * Removes exactly the run's keys, by name, and then its claim; nothing once another run has claimed the prefix.
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
  if (control.cluster === undefined) {
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
function refusalAmong(outcomes: readonly Outcome[]): string | undefined {
  for (const outcome of outcomes) if ('error' in outcome) return outcome.error.message;
  return undefined;
}
