import { join } from 'node:path';
import { resultFile, resultName } from '../../aggregate/report/files/result-files.ts';
import { wasRunning } from '../../aggregate/text/target-words.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { newConnectionName } from '../server/claim.ts';
import type { Target } from '../server/find-target.ts';
import type { LeftResult } from './earlier-run.ts';
import { expectEnded, removeLeftKeys } from './left-keys.ts';
import { ResultsWriter } from './results/results-writer.ts';
import { Session, type SessionFlags } from './session.ts';

/**
 * Removes the keys that a result has claims of, and these claims. A server that poolbench started has ended, and its keys with it.
 *
 * @returns whether it had claims, and all of them are settled
 * @throws PoolbenchError TARGET_IN_USE if the run has not ended; TARGET_UNREACHABLE, TARGET_LOST, RESULTS_NOT_WRITABLE
 */
export async function clearLeftKeys(
  { result, stamp }: LeftResult,
  experiment: Experiment,
  folder: string,
  options: SessionFlags,
): Promise<boolean> {
  const { keyClaims, ...rest } = result;
  if (keyClaims === undefined || !wasRunning(result.target)) return false;
  const file = join(folder, resultName);
  return await Session.run(options, { name: experiment.name, folder }, async session => {
    const { progress } = session;
    const accept = ({ control }: Target) => expectEnded({ file, control });
    const { control, address } = await session.openTarget(experiment, { isNamed: true, accept });
    const own = newConnectionName();
    if (address.unnamed !== true) await control.setName(own);
    const say = (line: string) => progress.say(line);
    const warn = (line: string) => say(`warning: ${line}`);
    const prefixes = await removeLeftKeys({ file, control }, { experiment, own, say, warn });
    for (const { prefix } of prefixes)
      warn(
        `the keys under ${prefix} stay: the server does not show whether the run has ended, or refuses to remove them`,
      );
    const now = prefixes.length === 0 ? rest : { ...rest, keyClaims: { ...keyClaims, prefixes } };
    const { error } = await new ResultsWriter(folder, stamp).write([resultFile(now)]);
    if (error !== undefined) throw error;
    return prefixes.length === 0;
  });
}
