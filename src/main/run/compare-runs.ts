import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../aggregate/comparison/fairness.ts';
import type { ResultComparison } from '../../aggregate/comparison/schema.ts';
import type { Gate } from '../../aggregate/gates/gate.ts';
import type { Result } from '../../aggregate/result.ts';
import { uniqueNames } from '../../aggregate/text/safe-name.ts';
import { quote, shownFolder } from '../command-words.ts';
import { allOf, PoolbenchError } from '../errors.ts';
import { findResult, readResult } from './results/read-result.ts';

/**
 * Compares finished runs with the first.
 *
 * @param runs results, or paths of a result.json or its folder
 * @param options.force also compares unequal workloads
 * @param options.gates conditions on the last run; the earlier runs are its baseline
 * @throws PoolbenchError RESULT_INVALID; RESULTS_NOT_COMPARABLE, unless it is forced
 */
export async function compareRuns(
  runs: readonly (Result | string)[],
  {
    force = false,
    gates = [],
  }: { readonly force?: boolean | undefined; readonly gates?: readonly Gate[] } = {},
): Promise<ResultComparison> {
  const results = await allOf(
    runs.map(async run =>
      typeof run === 'string'
        ? readResult(await findResult(run, folders => folders.map(folder => quote(shownFolder(folder)))))
        : run,
    ),
  );
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
  if (unequal !== null && !force) {
    throw new PoolbenchError(
      'RESULTS_NOT_COMPARABLE',
      `${unequal}; a comparison would show the difference between workloads, not between servers (--force compares anyway)`,
    );
  }
  return compareResults(results, gates);
}
