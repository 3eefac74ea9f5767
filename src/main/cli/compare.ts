import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../aggregate/comparison/fairness.ts';
import { comparisonDocument } from '../../aggregate/report/documents/comparison.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { maxNameLength, safeName, uniqueNames } from '../../aggregate/text/safe-name.ts';
import { shownFolder } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { parseGates } from '../experiment/gate-flag.ts';
import type { Options } from '../options.ts';
import { endGates } from '../run/exit-code.ts';
import { findResult, readResult } from '../run/results/read-result.ts';
import { createResultsFolder, writeComparison } from '../run/results/results-folder.ts';
import { printOutput } from '../terminal.ts';

/**
 * `poolbench compare RESULT RESULT…`: finished runs side by side, the first of them as the base. With `--out` it
 * leaves comparison.json, comparison.md and comparison.html in a folder of its own there. With `--fail-if` the last one is
 * new, and those before it are its baseline.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE; RESULT_INVALID; RESULTS_NOT_COMPARABLE, unless it is forced; RESULTS_NOT_WRITABLE
 */
export async function compare(
  paths: readonly string[],
  options: Options<'force' | 'out' | 'json' | 'fail-if'>,
): Promise<number> {
  const gates = parseGates(options['fail-if']);
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
  if (unequal !== null && options.force !== true) {
    throw new PoolbenchError(
      'RESULTS_NOT_COMPARABLE',
      `${unequal}; a comparison would show the difference between workloads, not between servers (--force compares anyway)`,
    );
  }
  const comparison = compareResults(results, gates);
  printOutput(comparison, {
    json: options.json,
    render: colour => renderTerminal(comparisonDocument(comparison), colour),
  });
  if (options.out !== undefined) {
    const folder = await createResultsFolder(options.out, `compare-${joinNames(names)}`, new Date());
    const written = await writeComparison(folder, comparison);
    process.stderr.write(`Written: ${shownFolder(folder)}/${written}\n`);
  }
  return endGates(comparison.gates);
}

/** The names may come from files of other people. */
function joinNames(names: readonly string[]): string {
  return names.map(safeName).join('-').slice(0, maxNameLength);
}
