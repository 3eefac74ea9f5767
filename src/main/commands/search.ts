import { searchDocument } from '../../aggregate/report/documents/search.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { readExperiment } from '../config/read-experiment.ts';
import { PoolbenchError } from '../errors.ts';
import { onInterrupt } from '../interrupt.ts';
import { Progress } from '../live/progress.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { printOutput } from '../results/print-output.ts';
import { removeEmptyFolders } from '../results/remove-empty-folders.ts';
import { createResultsFolder, createSideFolders } from '../results/results-folder.ts';
import { expectNoError } from '../run/exit-code.ts';
import { meetTarget, shoutBanners } from '../run/meet-target.ts';
import { describeSearch } from '../search/describe-search.ts';
import { planSearch } from '../search/plan-search.ts';
import { runSearch, type SearchOutcome } from '../search/run-search.ts';
import { shownFolder } from '../shown-folder.ts';
import type { Target } from '../target/resolve.ts';
import { shownTarget } from '../target/shown-target.ts';

/**
 * `poolbench search CONFIG`: the highest rate that meets the config's conditions. What was found goes to standard output,
 * everything on the way there to standard error.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured, or what ended the search
 */
export async function search(path: string, flags: RunFlags): Promise<number> {
  const plan = planSearch(await readExperiment(path, flags), path);
  const progress = await Progress.open(process.stderr, flags);
  const interrupt = new AbortController();
  const forget = onInterrupt(
    () => interrupt.abort(),
    line => progress.say(line),
  );
  const folders: string[] = [];
  const tidy = () => removeEmptyFolders(folders);
  let target: Target | undefined;
  try {
    const folder = await createResultsFolder(
      flags.out ?? 'results',
      `${plan.experiment.name}-search`,
      new Date(),
    );
    folders.push(folder, ...(await createSideFolders(folder, ['steps'])));
    target = await meetTarget(plan.experiment, {
      standInAllowed: flags['no-stand-in'] !== true,
      urlTyped: flags.url !== undefined,
      onFreePort: false,
      say: line => progress.say(line),
      signal: interrupt.signal,
      beforeExit: tidy,
    });
    progress.meet('', shownTarget(target));
    progress.say(describeSearch(plan));
    const { signal } = interrupt;
    const force = flags.force === true;
    const outcome = await runSearch({ plan, target, folder, progress, signal, force });
    progress.say('');
    printOutput(outcome.search, {
      json: flags.json,
      render: colour => renderTerminal(searchDocument(outcome.search), colour),
    });
    if (flags.json) shoutBanners(target);
    if (outcome.written)
      progress.say(
        `\nWritten: ${shownFolder(folder)}/search.json and search.md, beside the figures of all steps`,
      );
    return exitCodeOf(outcome, signal);
  } finally {
    await progress.close();
    await target?.stop();
    tidy();
    forget();
  }
}

/** @throws what ended the search early; PoolbenchError NOTHING_MEASURED */
function exitCodeOf({ search: found, error }: SearchOutcome, signal: AbortSignal): number {
  expectNoError(error, { interrupted: signal.aborted });
  if (signal.aborted) return 130;
  if (!found.steps.some(({ repeats }) => repeats.some(({ completed }) => completed > 0))) {
    throw new PoolbenchError(
      'NOTHING_MEASURED',
      'expected operations to complete at some rate, but none did',
    );
  }
  return 0;
}
