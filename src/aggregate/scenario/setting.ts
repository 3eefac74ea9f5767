import type { ScenarioResult } from '../result.ts';
import { formatPlural } from '../text/format.ts';
import { describeArrival } from './arrival.ts';
import { describeBeside } from './beside.ts';
import { namePools } from './dimensions.ts';
import { fieldOf, rows, type ScenarioKey } from './scenario.ts';

export interface SettingGroup {
  /**
   * As text: "ioredis", and everything else that differs between the groups: "ioredis, baseline pool, pipeline 10".
   */
  readonly label: string;
  /** The same with preset and depth in any case. */
  readonly heading: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** What makes a setting, in the order of the table of dimensions. */
const allAspects = rows.filter(([, row]) => row.setting);

/**
 * Groups scenarios by setting, in the order of their first scenarios.
 *
 * @param joined in which the scenarios of a group may differ
 */
export function groupBySetting(
  scenarios: readonly ScenarioResult[],
  joined: readonly ScenarioKey[] = [],
): SettingGroup[] {
  const aspects = allAspects.filter(([key]) => !joined.includes(key));
  const wordsOf = (scenario: ScenarioResult) =>
    aspects.map(([key, { heading, words }]) => {
      const value = fieldOf(scenario, key);
      return heading?.(value, scenario, scenarios) ?? words(value, scenario);
    });
  const texts = scenarios.map(wordsOf);
  // Scenarios without an aspect do not differ in it.
  const differs = aspects.map(
    (_, index) => new Set(texts.map(words => words[index]).filter(text => text !== '')).size > 1,
  );
  const groups = new Map<string, SettingGroup & { scenarios: ScenarioResult[] }>();
  for (const [place, scenario] of scenarios.entries()) {
    const described = texts[place] ?? [];
    const key = described.join('\n');
    const join = (isShown: (index: number) => boolean | undefined) =>
      described.filter((text, index) => text !== '' && (isShown(index) || differs[index])).join(', ');
    const group = groups.get(key) ?? {
      label: join(index => index === 0),
      heading: join(index => aspects[index]?.[1].inEveryHeading),
      scenarios: [],
    };
    group.scenarios.push(scenario);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Groups for charts and tables that show a load alone and beside populations together. */
export function groupWithPopulations(scenarios: readonly ScenarioResult[]): SettingGroup[] {
  return groupBySetting(scenarios, ['beside']);
}

/** Whether any of them runs beside populations. */
export function hasPopulations(scenarios: readonly ScenarioResult[]): boolean {
  return scenarios.some(({ beside }) => beside !== null);
}

/** What tells the lines of a chart apart. */
export interface Lines {
  /** In their order. */
  readonly names: readonly string[];
  readonly nameOf: (scenario: ScenarioResult) => string;
}

/** The lines of scenarios by their pools, "2 pools in 1 thread", and by the populations beside them, "2 pools, beside bulk". */
export function linesOf(scenarios: readonly ScenarioResult[]): Lines {
  const sorted = scenarios.toSorted((a, b) => a.pools - b.pools || b.threads - a.threads);
  const isBeside = hasPopulations(scenarios);
  const showsPools = !isBeside || new Set(scenarios.map(namePools)).size > 1;
  const nameOf = (scenario: ScenarioResult) =>
    [
      ...(showsPools ? [namePools(scenario)] : []),
      ...(isBeside ? [describeBeside(scenario.beside)] : []),
    ].join(', ');
  return { names: [...new Set(sorted.map(nameOf))], nameOf };
}

/** "25", or "2 or 3" where they cannot be split evenly. */
export function workersPerPool({ workers, pools }: Pick<ScenarioResult, 'workers' | 'pools'>): string {
  const [min, max] = [Math.floor(workers / pools), Math.ceil(workers / pools)];
  return min === max ? String(min) : `${min} or ${max}`;
}

/** What distinguishes a scenario from the others of its setting: "50 workers, 2 pools". */
export function describeSize(scenario: ScenarioResult): string {
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

/** Two scenarios by what they share and how they differ: "100 workers: 2 pools to 1 pool". */
export function describePair(base: ScenarioResult, other: ScenarioResult): string {
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
