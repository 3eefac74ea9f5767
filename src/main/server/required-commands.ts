import { formatList } from '../../aggregate/text/format.ts';
import type { WeightedCommand } from '../../workers/contract.ts';
import { requestsOf } from '../../workers/workload/families.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal } from './control.ts';
import { shownAddress } from './url.ts';

/**
 * Asks the target, and each master of a cluster, whether it has the commands of the load. Servers that do not answer
 * COMMAND INFO like Redis are not checked.
 *
 * @throws PoolbenchError TARGET_NOT_AVAILABLE if commands are missing, TARGET_LOST
 */
export async function requireCommands(control: Control, commands: readonly WeightedCommand[]): Promise<void> {
  const names = [...new Set(requestsOf(commands).map(({ request }) => request.name))];
  // Of a script they are not known; asked for none, the server would name all that it has.
  if (names.length === 0) return;
  for (const node of await control.findNodes()) {
    const answer = await node.call('COMMAND', 'INFO', ...names).catch((error: unknown) => {
      if (isRefusal(error)) return undefined;
      throw error;
    });
    // A proxy or another kind of server can answer with anything.
    if (!Array.isArray(answer) || answer.length !== names.length) continue;
    const missing = names.filter((_, index) => answer[index] === null);
    if (missing.length === 0) continue;
    const [them, which] = missing.length === 1 ? ['it', 'this command'] : ['them', 'these commands'];
    throw new PoolbenchError(
      'TARGET_NOT_AVAILABLE',
      `expected the server at ${shownAddress(node.server)} to have all commands of the workload, but it does not have ${formatList(missing)}; ` +
        `load the module that has ${them}, use a server that has ${them}, or leave ${which} out`,
    );
  }
}
