import type { PoolShare, WorkloadTask } from '../../workers/contract.ts';
import { keyRanges } from '../../workers/workload/key-ranges.ts';
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
