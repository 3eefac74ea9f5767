import { resolve } from 'node:path';
import { loadScript } from '../../workers/script/load-script.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';

/**
 * Loads the script of an experiment, so that what is wrong with it is known before the load.
 *
 * @throws PoolbenchError CONFIG_INVALID
 */
export async function expectScript({ workload: { script } }: Pick<Experiment, 'workload'>): Promise<void> {
  if (script === null) return;
  try {
    await loadScript(resolve(script));
  } catch (cause) {
    throw new PoolbenchError(
      'CONFIG_INVALID',
      `workload.script: expected a module whose default export is a function, such as export default async ({ client, key }) => …, found ${script}: ${asError(cause).message}`,
    );
  }
}
