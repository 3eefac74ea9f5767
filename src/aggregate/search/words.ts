import { median } from '../stats/statistics.ts';
import { formatCount, formatList, formatMs, formatPercent, nothing } from '../text/format.ts';
import { type ConditionName, namesOf, type SearchConditions } from './conditions.ts';
import type { SearchStep } from './schema.ts';

/** How each figure is said, and whether its limit is the most or the least. */
const phrases: Record<
  ConditionName,
  { readonly name: string; readonly most: boolean; readonly format: (value: number) => string }
> = {
  responseP99Ms: { name: 'p99', most: true, format: value => `${formatMs(value)} ms` },
  completedShare: { name: 'completed', most: false, format: formatPercent },
  failedShare: { name: 'failed', most: true, format: formatPercent },
};

export const verdictWords = {
  pass: 'PASS',
  fail: 'FAIL',
  unclear: 'UNCLEAR',
  unfinished: 'unfinished',
} as const satisfies Record<SearchStep['verdict'], string>;

/** "2,010/s". */
export function formatSearchRate(rate: number): string {
  return `${formatCount(rate)}/s`;
}

/** "step 3: 4,000/s FAIL (0 of 3 passed): p99 8.12 ms, at most 5.00 ms FAIL; …". */
export function describeStepLine(told: SearchStep): string {
  const { step, rate, verdict, conditions } = told;
  const held = conditions.map(condition => {
    const { name, most, format } = phrases[condition.name];
    const figure = condition.median === null ? nothing : format(condition.median);
    return `${name} ${figure}, at ${most ? 'most' : 'least'} ${format(condition.limit)} ${verdictWords[condition.verdict]}`;
  });
  return `step ${step}: ${formatSearchRate(rate)} ${verdictWords[verdict]} (${countPassed(told)} passed): ${held.join('; ')}`;
}

/** "a response p99 of at most 5.00 ms, at least 99 % completed and at most 0.1 % failed". */
export function describeConditions(conditions: SearchConditions): string {
  return formatList(
    namesOf(conditions).map(name => {
      const { most, format } = phrases[name];
      const limit = `at ${most ? 'most' : 'least'} ${format(conditions[name] ?? Number.NaN)}`;
      return name === 'responseP99Ms' ? `a response p99 of ${limit}` : `${limit} ${phrases[name].name}`;
    }),
  );
}

/** A figure of a step for a table, without its unit: the median over its repeats. */
export function stepFigure({ repeats }: SearchStep, wanted: ConditionName): string {
  const known = repeats.flatMap(repeat => repeat[wanted] ?? []);
  return known.length === 0 ? nothing : phrases[wanted].format(median(known)).replace(/ (ms|%)$/, '');
}

/** How late the generator itself was, in milliseconds: the median of the p99s of its repeats. */
export function stepLag({ repeats }: SearchStep): string {
  const known = repeats.flatMap(({ lagP99Ms }) => lagP99Ms ?? []);
  return known.length === 0 ? nothing : formatMs(median(known));
}

/** Steps by rate, those of one rate in the order in which they were taken: latency against load. */
export function byRate(steps: readonly SearchStep[]): SearchStep[] {
  return steps.toSorted((a, b) => a.rate - b.rate || a.step - b.step);
}

/** "2 of 3". */
export function countPassed({ repeats }: SearchStep): string {
  return `${repeats.filter(({ passed }) => passed).length} of ${repeats.length}`;
}
