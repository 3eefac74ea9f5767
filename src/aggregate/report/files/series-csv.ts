import type { Result, RoundResult } from '../../result.ts';
import { csvNames, metrics } from '../../stats/metrics.ts';
import { type CsvColumn, renderCsv } from './csv.ts';

interface Row {
  readonly scenario: string;
  readonly round: RoundResult;
  readonly slot: RoundResult['series'][number];
}

const columns: readonly CsvColumn<Row>[] = [
  { name: 'scenario', value: ({ scenario }) => scenario },
  { name: 'round', value: ({ round }) => round.round },
  { name: 'roundStartedAt', value: ({ round }) => round.startedAt },
  { name: 'second', value: ({ slot }) => slot.second },
  { name: 'completed', value: ({ slot }) => slot.completed },
  { name: 'failed', value: ({ slot }) => slot.failed },
  { name: csvNames(metrics['response.p50']).median, value: ({ slot }) => slot.p50 },
  { name: csvNames(metrics['response.p99']).median, value: ({ slot }) => slot.p99 },
];

/** `series.csv`: a line for each second of each round of each scenario, the seconds counted from the start of the window. */
export function renderSeriesCsv({ scenarios }: Pick<Result, 'scenarios'>): string {
  const rows = scenarios.flatMap(({ id, rounds }) =>
    rounds.flatMap(round => round.series.map(slot => ({ scenario: id, round, slot }))),
  );
  return renderCsv(rows, columns);
}
