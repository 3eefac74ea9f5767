import { searchDocument } from '../../aggregate/report/documents/search.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { PoolbenchError } from '../errors.ts';
import { findClients } from '../experiment/clients.ts';
import { readExperiment } from '../experiment/read-config.ts';
import type { Options, SessionOption } from '../options.ts';
import { expectNoError } from '../run/exit-code.ts';
import { printLeftKeys } from '../run/left-keys.ts';
import { stepsName } from '../run/results/results-folder.ts';
import { describeSearch, planSearch } from '../run/search/plan-search.ts';
import { runSearch, type SearchOutcome } from '../run/search/run-search.ts';
import { Session } from '../run/session.ts';
import { enlistFor } from './agent-options.ts';

/**
 * `poolbench search CONFIG`: finds the highest rate that meets the config's conditions. The result goes to standard
 * output, progress to standard error.
 *
 * @returns the exit code
 * @throws PoolbenchError for a failure before anything was measured, or the one that ended the search
 */
export async function search(
  path: string,
  options: Options<SessionOption | 'target' | 'url' | 'start'>,
): Promise<number> {
  const plan = planSearch(await readExperiment(path, options), path);
  const { experiment } = plan.side;
  const name = `${experiment.name}-search`;
  const session = { name, parts: [stepsName], enlist: enlistFor(options, name, [experiment]) };
  const clients = await findClients(plan.side);
  return await Session.run(options, session, async session => {
    const target = await session.openTarget(experiment);
    session.progress.say(describeSearch(plan));
    const outcome = await runSearch(plan, { target, clients }, session);
    session.print(outcome.search, colour => renderTerminal(searchDocument(outcome.search), colour));
    if (outcome.written) session.sayWritten('search.json and search.md, and the figures of all steps');
    printLeftKeys(outcome.ofSteps, session.parts[0] ?? session.resultsFolder);
    return exitCodeOf(outcome, session);
  });
}

/** @throws what ended the search early; PoolbenchError NOTHING_MEASURED */
function exitCodeOf({ search: found, error }: SearchOutcome, { interrupted }: Session): number {
  expectNoError(error, { interrupted });
  if (interrupted) return 130;
  if (!found.steps.some(({ repeats }) => repeats.some(({ completed }) => completed > 0))) {
    throw new PoolbenchError(
      'NOTHING_MEASURED',
      'expected operations to complete at some rate, but none did',
    );
  }
  return 0;
}
