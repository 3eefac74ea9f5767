import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { maxNameLength, safeName } from '../../aggregate/text/safe-name.ts';
import { shownFolder } from '../command-words.ts';
import { parseGates } from '../experiment/gate-flag.ts';
import type { Options } from '../options.ts';
import { compareRuns } from '../run/compare-runs.ts';
import { endGates } from '../run/exit-code.ts';
import { createResultsFolder, writeComparison } from '../run/results/results-folder.ts';
import { printOutput } from '../terminal.ts';

/**
 * `poolbench compare RESULT RESULT…`: compares finished runs with the first. With `--out` it writes comparison.json,
 * comparison.md and comparison.html into a new folder there. With `--fail-if`, the last run is judged, and the earlier
 * ones are its baseline.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE; as `compareRuns`; RESULTS_NOT_WRITABLE
 */
export async function compare(
  paths: readonly string[],
  options: Options<'force' | 'out' | 'json' | 'fail-if'>,
): Promise<number> {
  const gates = parseGates(options['fail-if']);
  const comparison = await compareRuns(paths, { force: options.force, gates });
  printOutput(comparison, {
    json: options.json,
    render: colour => renderTerminal(comparisonDocument(comparison), colour),
  });
  if (options.out !== undefined) {
    const names = comparison.sides.map(({ name }) => name);
    const folder = await createResultsFolder(options.out, `compare-${joinNames(names)}`, new Date());
    const written = await writeComparison(folder, comparison);
    process.stderr.write(`Written: ${shownFolder(folder)}/${written}\n`);
  }
  return endGates(comparison.gates);
}

/** The names may come from someone else's files. */
function joinNames(names: readonly string[]): string {
  return names.map(safeName).join('-').slice(0, maxNameLength);
}
