import { formatCount, formatList, nothing } from '../text/format.ts';
import { type ConditionName, namesOf, type SearchConditions, searchFigures } from './conditions.ts';
import type { SearchStep } from './schema.ts';

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
  const held = conditions.map(({ name, median, limit, verdict }) => {
    const { metric } = searchFigures[name];
    const figure = median === null ? nothing : metric.kind.format(median);
    return `${metric.short} ${figure}, ${describeLimit(name, limit)} ${verdictWords[verdict]}`;
  });
  return `step ${step}: ${formatSearchRate(rate)} ${verdictWords[verdict]} (${countPassed(told)} passed): ${held.join('; ')}`;
}

/** "a response p99 of at most 5.00 ms, at least 99 % completed and at most 0.1 % failed". */
export function describeConditions(conditions: SearchConditions): string {
  return formatList(
    namesOf(conditions).map(name => {
      const { metric } = searchFigures[name];
      const limit = describeLimit(name, conditions[name] ?? Number.NaN);
      return 'part' in metric ? `${limit} ${metric.short}` : `a ${metric.name} of ${limit}`;
    }),
  );
}

/** "at most 5.00 ms". */
function describeLimit(name: ConditionName, limit: number): string {
  const { better, kind } = searchFigures[name].metric;
  return `at ${better === 'less' ? 'most' : 'least'} ${kind.format(limit)}`;
}

/** "2 of 3". */
export function countPassed({ repeats }: SearchStep): string {
  return `${repeats.filter(({ passed }) => passed).length} of ${repeats.length}`;
}
