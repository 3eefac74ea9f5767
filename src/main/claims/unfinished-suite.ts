import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPasswords } from '../config/target.ts';
import { readResult } from '../results/read-result.ts';
import { type EarlierRun, resumeNow } from '../run/earlier-run.ts';
import type { Side } from '../run/side.ts';

/**
 * What an earlier command has left of a suite of one side that did not run to its end; undefined if there is nothing, or
 * its config was another one.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readUnfinished({ folder, experiment, target }: Side): Promise<EarlierRun | undefined> {
  const file = join(folder, 'result.json');
  if (!existsSync(file)) return undefined;
  const result = await readResult(file);
  const config = { ...experiment, target: withoutPasswords(experiment.target, target.declared.url) };
  if (result.complete || JSON.stringify(result.config) !== JSON.stringify(config)) return undefined;
  return resumeNow({ result, experiment }, folder, new Date());
}
