import type { ScenarioResult } from '../../result.ts';
import { describeArrival } from '../../scenario/arrival.ts';
import { namePools } from '../../scenario/dimensions.ts';
import { fieldOf, rows } from '../../scenario/scenario.ts';
import { formatPlural } from '../../text/format.ts';

/** What tells a scenario from the others of its setting: "50 workers, 2 pools". */
export function nameSize(scenario: ScenarioResult): string {
  const { workers, arrival } = scenario;
  const size = `${formatPlural(workers, 'worker')}, ${namePools(scenario)}`;
  return arrival.kind === 'closed' ? size : `${size}, ${describeArrival(arrival)}`;
}

/** By workers, pools, threads and rate: the order of every table and chart of one setting. */
export function bySize(a: ScenarioResult, b: ScenarioResult): number {
  return (
    a.workers - b.workers ||
    a.pools - b.pools ||
    b.threads - a.threads ||
    (a.arrival.rate ?? 0) - (b.arrival.rate ?? 0)
  );
}

/** Two scenarios by what they share and what tells them apart: "100 workers: 2 pools to 1 pool". */
export function namePair(base: ScenarioResult, other: ScenarioResult): string {
  const shared: string[] = [];
  const apart: string[] = [];
  for (const [key, { words, describeShared, follows = [] }] of rows) {
    const [before, value] = [fieldOf(base, key), fieldOf(other, key)];
    const [from, to] = [words(before, base), words(value, other)];
    if (from === to) {
      if (to !== '' && describeShared?.(value)) shared.push(to);
    } else if (from !== '' && to !== '' && follows.every(leader => base[leader] === other[leader])) {
      apart.push(`${to} to ${from}`);
    }
  }
  return `${shared.join(', ')}: ${apart.length === 0 ? `${other.id} to ${base.id}` : apart.join(', ')}`;
}
