import { dirname, relative } from 'node:path';
import { trendDocument } from '../../aggregate/report/documents/trend.ts';
import { renderTrendPage } from '../../aggregate/report/html/trend-page.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { configsOf, type LeftOut, type TrendRun, trendOf, trendRunOf } from '../../aggregate/trend/trend.ts';
import { shownFolder } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { asIs, suggest } from '../experiment/nearest.ts';
import type { Options } from '../options.ts';
import { findResults, readResult } from '../run/results/read-result.ts';
import { makeFolder, notWritable, writeFiles } from '../run/results/results-folder.ts';
import { printOutput } from '../terminal.ts';

/**
 * `poolbench trend FOLDER [NAME]`: shows the results of one config below a folder over time: the config with that name,
 * or the one with the most runs. It prints a table and writes trend.html there, or into the folder of `--out`. Results
 * that cannot be read, or belong to another config or machine, are listed.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID if nothing is left; USAGE for a name that no result has; RESULTS_NOT_WRITABLE
 */
export async function trend(
  folder: string,
  { out = folder }: Options<'out'>,
  config?: string,
): Promise<number> {
  const runs: TrendRun[] = [];
  const unread: LeftOut[] = [];
  for (const file of await findResults(folder)) {
    const path = relative(folder, dirname(file)) || '.';
    try {
      runs.push(trendRunOf(path, await readResult(file)));
    } catch (error) {
      if (!(error instanceof PoolbenchError)) throw error;
      unread.push({ path, reason: error.message.replace(`${file}: `, '') });
    }
  }
  const names = configsOf(runs).map(({ name }) => name);
  if (config !== undefined && names.length > 0 && !names.includes(config))
    throw new PoolbenchError(
      'USAGE',
      `expected the name of a config with results in ${folder} (${names.join(', ')}), found ${config}${suggest(config, names, asIs)}`,
    );
  const found = trendOf(runs, unread, config);
  if (found === null) {
    throw new PoolbenchError(
      'RESULT_INVALID',
      `${folder}: expected a result.json of a run that was measured to its end below this folder, found ${
        runs.length + unread.length === 0
          ? 'none'
          : `${runs.length} of unfinished runs, and ${unread.length} that cannot be read`
      }`,
    );
  }
  printOutput(found, { json: false, render: colour => renderTerminal(trendDocument(found), colour) });
  await makeFolder(out).catch(error => {
    throw notWritable(out, error);
  });
  await writeFiles(out, [{ path: 'trend.html', render: () => renderTrendPage(found) }]);
  process.stderr.write(`Written: ${shownFolder(out)}/trend.html\n`);
  return 0;
}
