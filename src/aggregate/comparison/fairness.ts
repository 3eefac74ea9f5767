import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../result.ts';
import { checkTraits, formatValue, withoutDefaults } from './traits.ts';

/** Whether results can be compared at all. */

/** What two measurements must share to be compared at all. */
interface Comparable {
  readonly name: string;
  /** The workload section of the config. */
  readonly workload: unknown;
  /** Ids of the scenarios. */
  readonly scenarios: readonly string[];
}

/** Why these cannot be compared, as what was expected and found; null if they can. */
export function whyNotComparable(sides: readonly Comparable[]): string | null {
  const [first, ...others] = sides;
  if (first === undefined) return null;
  for (const other of others) {
    if (!isDeepStrictEqual(withoutDefaults(first.workload), withoutDefaults(other.workload)))
      return `expected equal workloads, found ${describeDifference(first, other)}`;
    if (!other.scenarios.some(id => first.scenarios.includes(id)))
      return `expected scenarios in common, found none in ${other.name} (${other.scenarios[0] ?? 'nothing'} against ${first.scenarios[0] ?? 'nothing'} in ${first.name})`;
  }
  return null;
}

function describeDifference(first: Comparable, other: Comparable): string {
  const [a, b] = [entriesOf(first), entriesOf(other)];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
    key => !isDeepStrictEqual(a.get(key), b.get(key)),
  );
  if (differing.length === 0) return `${formatValue(first.workload)} and ${formatValue(other.workload)}`;
  return differing
    .map(
      key =>
        `${key} ${formatValue(a.get(key))} in ${first.name} and ${formatValue(b.get(key))} in ${other.name}`,
    )
    .join(', ');
}

function entriesOf({ workload }: Comparable): Map<string, unknown> {
  return new Map(
    typeof workload === 'object' && workload !== null
      ? Object.entries(withoutDefaults(workload) as object)
      : [],
  );
}

/** Why separate runs are not from the same machine and config, as a clause; null if they are. */
export function whyNotAlike(results: readonly Result[]): string | null {
  const unlike = checkTraits('baseline', results).find(({ state }) => state === 'not ok');
  if (unlike === undefined) return null;
  return `the runs are not all of the same machine and config: ${unlike.name} (${[...new Set(unlike.values)].join('; ')})`;
}
