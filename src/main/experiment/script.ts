import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Result } from '../../aggregate/result.ts';
import { loadScript } from '../../workers/script/load-script.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';

/**
 * Loads the script of a load, so that what is wrong with it is known before the load.
 *
 * @param key of its workload in the config
 * @throws PoolbenchError CONFIG_INVALID
 */
export async function expectScript(
  { workload: { script } }: Pick<Experiment, 'workload'>,
  key = 'workload',
): Promise<void> {
  if (script === null) return;
  try {
    await loadScript(resolve(script));
  } catch (cause) {
    throw new PoolbenchError(
      'CONFIG_INVALID',
      `${key}.script: expected a module whose default export is a function, such as export default async ({ client, key }) => …, found ${script}: ${asError(cause).message}`,
    );
  }
}

/** What results keep of a script: its own file only, not the modules that it imports. Undefined without one. */
export async function describeScript({
  workload: { script },
}: Pick<Experiment, 'workload'>): Promise<Result['script']> {
  if (script === null) return undefined;
  const sha256 = createHash('sha256')
    .update(await readFile(resolve(script)))
    .digest('hex');
  return { file: basename(script), sha256 };
}
