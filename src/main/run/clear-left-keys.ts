import { join } from 'node:path';
import { resultFile, resultName } from '../../aggregate/report/files/result-files.ts';
import type { Result } from '../../aggregate/result.ts';
import { wasRunning } from '../../aggregate/text/target-words.ts';
import { asError, PoolbenchError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { newConnectionName } from '../server/claim.ts';
import type { Target } from '../server/find-target.ts';
import type { LeftResult } from './earlier-run.ts';
import { describeLeftKeys, expectEnded, removeLeftKeys } from './left-keys.ts';
import { ResultsWriter } from './results/results-writer.ts';
import { Session, type SessionFlags } from './session.ts';

/**
 * Removes the keys that a result has claims of, and these claims. A server that poolbench started has ended, and its keys with it.
 *
 * @returns the result as it is now, without the claims that are settled
 * @throws PoolbenchError TARGET_IN_USE if the run has not ended; TARGET_UNREACHABLE, TARGET_LOST, RESULTS_NOT_WRITABLE
 */
export async function clearLeftKeys(
  { result, stamp }: LeftResult,
  experiment: Experiment,
  folder: string,
  options: SessionFlags,
): Promise<Result> {
  const { keyClaims, ...rest } = result;
  if (keyClaims === undefined || !wasRunning(result.target)) return result;
  const file = join(folder, resultName);
  return await Session.run(options, { name: experiment.name, folder }, async session => {
    const { progress } = session;
    const accept = ({ control }: Target) => expectEnded({ file, control });
    const { control, address } = await session
      .openTarget(experiment, { isNamed: true, accept })
      .catch((cause: unknown) => {
        throw asStillGone(cause, describeLeftKeys(result, folder));
      });
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
    return now;
  });
}

/** An error that says what to do if the server of a run is still gone; any other error unchanged. */
function asStillGone(cause: unknown, left: string | null): unknown {
  if (!(cause instanceof PoolbenchError) || cause.code !== 'TARGET_UNREACHABLE') return cause;
  const { message } = asError(cause.cause ?? cause);
  return new PoolbenchError(
    cause.code,
    `expected the server on which an earlier command left keys, found: ${message}; start it, and try again. If its data is gone, so are the keys.\n${left}`,
    { cause: cause.cause },
  );
}
