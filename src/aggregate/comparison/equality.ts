import { isDeepStrictEqual } from 'node:util';

/** What two measurements must share to be compared at all. */
export interface Comparable {
  readonly name: string;
  /** The workload section of the config. */
  readonly workload: unknown;
  /** Ids of the scenarios. */
  readonly scenarios: readonly string[];
}

/** The usual values of the keys that workloads of version 0.2 and before do not have. */
const laterKeys: Readonly<Record<string, unknown>> = {
  keyChoice: { kind: 'uniform' },
  valueContent: { kind: 'random' },
  commands: [],
  hitShare: 1,
  ycsb: null,
};

/** A workload without those keys where they say the usual: what earlier versions did not say of theirs. */
export function withoutUsual(workload: unknown): unknown {
  if (typeof workload !== 'object' || workload === null) return workload;
  return Object.fromEntries(
    Object.entries(workload).filter(([key, value]) => !isDeepStrictEqual(laterKeys[key], value)),
  );
}

/** Why these cannot be compared, as what was expected and found; null if they can. */
export function whyNotComparable(sides: readonly Comparable[]): string | null {
  const [first, ...others] = sides;
  if (first === undefined) return null;
  for (const other of others) {
    if (!isDeepStrictEqual(withoutUsual(first.workload), withoutUsual(other.workload))) {
      return `expected equal workloads, found ${describeDifference(first, other)}`;
    }
    if (!other.scenarios.some(id => first.scenarios.includes(id))) {
      return `expected scenarios in common, found none in ${other.name} that ${first.name} has, too (${other.scenarios[0] ?? 'nothing'} against ${first.scenarios[0] ?? 'nothing'})`;
    }
  }
  return null;
}

/** A value for a reader: short, and on one line. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function describeDifference(first: Comparable, other: Comparable): string {
  const [a, b] = [entriesOf(withoutUsual(first.workload)), entriesOf(withoutUsual(other.workload))];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
    key => !isDeepStrictEqual(a.get(key), b.get(key)),
  );
  if (differing.length === 0) return `${shownValue(first.workload)} and ${shownValue(other.workload)}`;
  return differing
    .map(
      key =>
        `${key} ${shownValue(a.get(key))} in ${first.name} and ${shownValue(b.get(key))} in ${other.name}`,
    )
    .join(', ');
}

function entriesOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
