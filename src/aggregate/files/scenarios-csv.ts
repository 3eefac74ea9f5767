import type { Interval, Result, RoundResult, ScenarioResult, SummaryResult } from '../result.ts';
import { scenarioColumns } from '../scenario.ts';
import { failedOf } from '../summary.ts';
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
  { name: 'failedShare', value: ({ summary }) => summary?.failedShare ?? null },
  ...interval('opsPerSecond', '', summary => summary.opsPerSecond),
  ...interval('responseMean', 'Ms', summary => summary.responseMean),
  ...interval('responseP50', 'Ms', summary => summary.responseP50),
  ...interval('responseP95', 'Ms', summary => summary.responseP95),
  ...interval('responseP99', 'Ms', summary => summary.responseP99),
  ...interval('responseP999', 'Ms', summary => summary.responseP999),
  ...interval('serviceP50', 'Ms', summary => summary.serviceP50),
  ...interval('serviceP99', 'Ms', summary => summary.serviceP99),
  ...interval('clientMicrosPerOp', '', summary => summary.clientMicrosPerOp),
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

/** A median and the ends of its interval. */
function interval(
  name: string,
  unit: string,
  of: (summary: SummaryResult) => Interval | null,
): CsvColumn<ScenarioResult>[] {
  const end = (key: keyof Interval) => (scenario: ScenarioResult) =>
    (scenario.summary === null ? null : of(scenario.summary))?.[key] ?? null;
  return [
    { name: `${name}${unit}`, value: end('median') },
    { name: `${name}Low${unit}`, value: end('low') },
    { name: `${name}High${unit}`, value: end('high') },
  ];
}
