import type { WorkloadTask } from '../../workers/contract.ts';
import type { Control } from './control.ts';
import { type KeySpace, removeKeys } from './key-space.ts';
import { removeFromIndex } from './record-index.ts';

/**
 * Removes what the load has inserted, so that each measurement begins with the same records and its inserts are inserts.
 * @returns a warning if the server refused it
 * @throws PoolbenchError TARGET_LOST when the server does not answer
 */
export async function removeInserted(
  control: Control,
  space: KeySpace,
  { keys, growth }: Pick<WorkloadTask, 'keys' | 'growth'>,
): Promise<string[]> {
  if (growth === null) return [];
  const reason =
    growth === 'index'
      ? await removeFromIndex(control, space, keys)
      : (await removeKeys(control, space, keys)).reason;
  if (reason === undefined) return [];
  return [
    `what is inserted could not be removed before the next measurement, whose inserts overwrite it: ${reason}`,
  ];
}
