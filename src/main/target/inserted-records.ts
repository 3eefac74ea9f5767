import type { PoolShare, WorkloadTask } from '../../workers/contract.ts';
import type { Control } from './control.ts';
import { removeKeys } from './key-space.ts';
import { removeFromIndex } from './record-index.ts';

/** What one pool has inserted. */
export interface Inserted {
  readonly share: Pick<PoolShare, 'firstKey' | 'keys'>;
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
  { keys, growth }: Pick<WorkloadTask, 'keys' | 'growth'>,
  pools: readonly Inserted[],
): Promise<string | undefined> {
  for (const { share, records } of pools) {
    const range = { firstKey: keys + share.firstKey, keys: Math.min(records, share.keys) };
    const reason =
      growth === 'index'
        ? await removeFromIndex(control, prefix, keys, range)
        : (await removeKeys(control, prefix, range)).reason;
    if (reason !== undefined) return reason;
  }
  return undefined;
}
