import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resultDocument } from '../../aggregate/report/documents/result.ts';
import { memtierDocument } from '../../aggregate/report/files/memtier.ts';
import { derivedFiles } from '../../aggregate/report/files/result-files.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import type { Result, ScenarioResult } from '../../aggregate/result.ts';
import { withoutControls } from '../../aggregate/stats/control.ts';
import { asTypedHere, quote, shownFolder } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { asIs, suggest } from '../experiment/nearest.ts';
import type { Options } from '../options.ts';
import { printLeftKeys } from '../run/left-keys.ts';
import { findResult, readResult } from '../run/results/read-result.ts';
import { comparisonName, writeFiles } from '../run/results/results-folder.ts';
import { printOutput } from '../terminal.ts';

/**
 * `poolbench report RESULT`: prints a finished result and rewrites every file that is derived from it. With `--as
 * memtier` it prints one scenario in that format and writes nothing.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE, RESULT_INVALID, RESULTS_NOT_WRITABLE
 */
export async function report(path: string, options: Options<'as' | 'scenario'>): Promise<number> {
  if (options.as !== undefined && options.as !== 'memtier')
    throw new PoolbenchError('USAGE', `expected --as memtier, found --as ${options.as}`);
  if (options.as === undefined && options.scenario !== undefined)
    throw new PoolbenchError(
      'USAGE',
      'expected --scenario with --as memtier only: a report is of all scenarios',
    );
  const file = await findResult(path, folders => {
    const shown = folders.map(folder => quote(shownFolder(folder)));
    const reports = shown.map(folder => asTypedHere('report', folder));
    // Together they are the sides of a versus.
    const isVersus = existsSync(join(path, comparisonName));
    return isVersus ? [...reports, asTypedHere('compare', ...shown)] : reports;
  });
  const result = await readResult(file);
  if (options.as !== undefined) {
    const document = memtierDocument(result, chooseScenario(result, options.scenario));
    printOutput(document, { json: true, render: () => '' });
    return 0;
  }
  printOutput(result, { json: false, render: colour => renderTerminal(resultDocument(result), colour) });
  await writeFiles(dirname(file), derivedFiles(result));
  printLeftKeys(result, dirname(file));
  return 0;
}

/** memtier's format describes one load. @throws PoolbenchError USAGE */
function chooseScenario(result: Result, id: string | undefined): ScenarioResult {
  const scenarios = withoutControls(result);
  const [only] = scenarios;
  if (only === undefined)
    throw new PoolbenchError('USAGE', 'expected a result with a scenario, found none in it');
  if (id === undefined && scenarios.length === 1) return only;
  const ids = scenarios.map(scenario => scenario.id);
  if (id === undefined) {
    const listed = ids.map(id => `  ${id}`).join('\n');
    throw new PoolbenchError('USAGE', `expected --scenario with one of:\n${listed}`);
  }
  const chosen = scenarios.find(scenario => scenario.id === id);
  if (chosen !== undefined) return chosen;
  const guess = suggest(id, ids, asIs) || `; it has ${ids.join(', ')}`;
  throw new PoolbenchError(
    'USAGE',
    `expected --scenario with the id of a scenario of this result, found ${id}${guess}`,
  );
}
