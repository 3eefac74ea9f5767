import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../aggregate/comparison/equality.ts';
import { uniqueNames } from '../../aggregate/comparison/names.ts';
import { renderComparison } from '../../aggregate/comparison/terminal.ts';
import { PoolbenchError } from '../errors.ts';
import type { CompareFlags } from '../parse-command-line.ts';
import { printOutput } from '../results/print-output.ts';
import { findResult, readResult } from '../results/read-result.ts';

/**
 * `poolbench compare RESULT RESULT…`: finished runs side by side, the first of them as the base.
 *
 * @returns the exit code
 * @throws PoolbenchError RESULT_INVALID; RESULTS_NOT_COMPARABLE, unless it is forced
 */
export async function compare(paths: readonly string[], flags: CompareFlags): Promise<number> {
  const results = await Promise.all(paths.map(async path => readResult(await findResult(path))));
  const names = uniqueNames(results.map(({ name }) => name));
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
  printOutput(comparison, { json: flags.json, render: colour => renderComparison(comparison, colour) });
  return 0;
}
