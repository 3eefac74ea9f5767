import type { Interval, Result, RoundResult, ScenarioResult } from '../../result.ts';
import { scenarioColumns } from '../../scenario/scenario.ts';
import { csvMetrics, csvNames, failedOf, type SummaryRow } from '../../stats/metrics.ts';
import { type CsvColumn, renderCsv } from './csv.ts';

/** `scenarios.csv`: a line for each scenario, with what it was, its medians over the rounds, what limited it and what answered. */
export function renderScenariosCsv({ scenarios, target }: Pick<Result, 'scenarios' | 'target'>): string {
  return renderCsv(scenarios, [...columns, ...serverColumns(target)]);
}

const columns: readonly CsvColumn<ScenarioResult>[] = [
  { name: 'scenario', value: ({ id }) => id },
  ...scenarioColumns(),
  { name: 'rounds', value: ({ rounds }) => rounds.length },
  count('issued', round => round.issued),
  count('completed', round => round.completed),
  count('failed', failedOf),
  count('unfinished', round => round.unfinished),
  count('misses', round => round.misses),
  ...csvMetrics.flatMap(figureColumns),
  { name: 'limitedBy', value: ({ limitedBy }) => limitedBy.resource },
  { name: 'evidence', value: ({ limitedBy }) => limitedBy.evidence },
];

/** The same in every line, for a line may be read far from its file. Where a result does not tell it, nothing is there. */
function serverColumns({ detected, standIn, unverified }: Result['target']): CsvColumn<ScenarioResult>[] {
  return [
    { name: 'server', value: () => detected.server },
    { name: 'serverVersion', value: () => detected.version },
    { name: 'standIn', value: () => standIn },
    { name: 'unverified', value: () => unverified ?? null },
  ];
}

/** Of all rounds together. */
function count(name: string, of: (round: RoundResult) => number): CsvColumn<ScenarioResult> {
  return { name, value: ({ rounds }) => rounds.reduce((sum, round) => sum + of(round), 0) };
}

/** A median and the ends of its interval, or the one number of a ratio. */
function figureColumns(metric: SummaryRow): CsvColumn<ScenarioResult>[] {
  const names = csvNames(metric);
  if ('part' in metric)
    return [{ name: names.median, value: ({ summary }) => summary?.[metric.summaryKey] ?? null }];
  const end = (key: keyof Interval) => (scenario: ScenarioResult) =>
    scenario.summary?.[metric.summaryKey]?.[key] ?? null;
  return (['median', 'low', 'high'] as const).map(key => ({ name: names[key], value: end(key) }));
}
