import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../aggregate/comparison/equality.ts';
import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { maxNameLength, safeName, uniqueNames } from '../../aggregate/text/safe-name.ts';
import { PoolbenchError } from '../errors.ts';
import { printOutput } from '../live/terminal.ts';
import { findResult, readResult } from '../run/results/read-result.ts';
import { createResultsFolder, writeComparison } from '../run/results/results-folder.ts';
import { shownFolder } from './command-words.ts';
import type { CompareFlags } from './parse-command-line.ts';

/**
 * `poolbench compare RESULT RESULT…`: finished runs side by side, the first of them as the base. With `--out` it
 * leaves comparison.json, comparison.md and comparison.html in a folder of its own there.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID; RESULTS_NOT_COMPARABLE, unless it is forced; RESULTS_NOT_WRITABLE
 */
export async function compare(paths: readonly string[], flags: CompareFlags): Promise<number> {
  const results = await Promise.all(paths.map(async path => readResult(await findResult(path))));
  const names = uniqueNames(
    results.map(({ name }) => name),
    '-',
  );
  const unequal = whyNotComparable(
    results.map(({ config, scenarios }, index) => ({
      name: names[index] ?? '',
      workload: config.workload,
      scenarios: scenarios.map(({ id }) => id),
    })),
  );
  if (unequal !== null && flags.force !== true) {
    throw new PoolbenchError(
      'RESULTS_NOT_COMPARABLE',
      `${unequal}; a comparison would be of the two workloads, not of the servers (--force makes it all the same)`,
    );
  }
  const comparison = compareResults(results);
  printOutput(comparison, {
    json: flags.json,
    render: colour => renderTerminal(comparisonDocument(comparison), colour),
  });
  if (flags.out !== undefined) {
    const folder = await createResultsFolder(flags.out, `compare-${joinNames(names)}`, new Date());
    await writeComparison(folder, comparison);
    process.stderr.write(`Written: ${shownFolder(folder)}/comparison.json, .md and .html\n`);
  }
  return 0;
}

/** Names come from results of others. */
function joinNames(names: readonly string[]): string {
  return names.map(safeName).join('-').slice(0, maxNameLength);
}
