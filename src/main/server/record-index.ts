import { formatCount } from '../../aggregate/text/format.ts';
import { keyName } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../../workers/contract.ts';
import { mixSeed } from '../../workers/prng.ts';
import { valueTexts } from '../../workers/workload/command-mix.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import { IndexOrder } from '../../workers/workload/records.ts';
import { AliasTable, Draws } from '../../workers/workload/samplers.ts';
import { type Control, isRefusal, type Outcome, type Request } from './control.ts';
import { type KeySpace, removeKeys } from './key-space.ts';

const membersPerCommand = 100;
const chunkBytes = 4 << 20;
const scoresTogether = 1000;

/** What the records are made of. */
export interface IndexedContent {
  readonly seed: number;
  readonly workload: Pick<WorkloadTask, 'keys' | 'values' | 'compressibleShare'>;
  readonly signal?: AbortSignal;
}

/**
 * Writes the records of a workload that scans an index: members of the first key, as the load inserts them.
 * @returns a warning if the server refused any, or if there are not as many afterwards
 */
export async function writeIndex(
  control: Control,
  space: KeySpace,
  { seed, workload, signal }: IndexedContent,
): Promise<string[]> {
  const { keys } = workload;
  const values = valueTexts(workload, seed);
  const table = new AliasTable(values.map(({ fraction }) => fraction));
  const draws = new Draws(mixSeed(seed, keys));
  const order = new IndexOrder(keys);
  const maxBytes = Math.max(1, ...values.map(({ text }) => Buffer.byteLength(text)));
  const perCommand = Math.max(1, Math.min(membersPerCommand, Math.floor(chunkBytes / maxBytes)));
  const perChunk = perCommand * Math.max(1, Math.min(10, Math.floor(chunkBytes / maxBytes / perCommand)));
  const index = keyName(space.prefix, 0);
  for (let first = 0; first < keys && signal?.aborted !== true; first += perChunk) {
    const requests: Request[] = [];
    for (let record = first; record < Math.min(first + perChunk, keys); record += perCommand) {
      const members: (string | number)[] = [];
      for (let number = record; number < Math.min(record + perCommand, keys); number++) {
        const score = order.scoreOf(number);
        members.push(score, `${score}:${values[table.pick(draws.next())]?.text ?? ''}`);
      }
      requests.push(['ZADD', index, ...members]);
    }
    const reason = refusalAmong(await control.pipeline(requests));
    if (reason !== undefined) return [`the records were refused, so scans will find too few: ${reason}`];
  }
  if (signal?.aborted === true) return [];
  const written = await control.call('ZCARD', index).catch((error: unknown) => {
    if (isRefusal(error)) return keys;
    throw error;
  });
  if (Number(written) === keys) return [];
  return [
    `${formatCount(keys)} records were written before the load, but the sorted set has ${formatCount(Number(written))}: somebody else uses it, or it was there before`,
  ];
}

/**
 * Removes the records of these numbers.
 * @param keys that there were before the load
 * @returns why not, where the server refused it
 */
export async function removeFromIndex(
  control: Control,
  prefix: string,
  keys: number,
  range: KeyRange,
): Promise<string | undefined> {
  const order = new IndexOrder(keys);
  const index = keyName(prefix, 0);
  const end = range.firstKey + range.keys;
  for (let first = range.firstKey; first < end; first += scoresTogether) {
    const requests: Request[] = [];
    for (let record = first; record < Math.min(first + scoresTogether, end); record++) {
      const score = order.scoreOf(record);
      requests.push(['ZREMRANGEBYSCORE', index, score, score]);
    }
    const reason = refusalAmong(await control.pipeline(requests));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function refusalAmong(outcomes: readonly Outcome[]): string | undefined {
  for (const outcome of outcomes) if ('error' in outcome) return outcome.error.message;
  return undefined;
}

/** What one pool has inserted. */
export interface Inserted {
  readonly share: KeyRange;
  /** Those beyond its keys overwrote others. */
  readonly records: number;
}

/**
 * Removes what a measurement has inserted, so that the next one begins with the same records and its inserts are inserts.
 * @returns why not, where the server refused it
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeInserted(
  control: Control,
  prefix: string,
  workload: Pick<WorkloadTask, 'keys' | 'commands' | 'hitShare' | 'growth'>,
  pools: readonly Inserted[],
): Promise<string | undefined> {
  const { keys, growth } = workload;
  // Records of an index are no keys: they are numbered on from those that were there before the load.
  const first = growth === 'index' ? keys : keyRanges(workload).inserted;
  for (const { share, records } of pools) {
    const range = { firstKey: first + share.firstKey, keys: Math.min(records, share.keys) };
    const reason =
      growth === 'index'
        ? await removeFromIndex(control, prefix, keys, range)
        : (await removeKeys(control, prefix, range)).reason;
    if (reason !== undefined) return reason;
  }
  return undefined;
}
