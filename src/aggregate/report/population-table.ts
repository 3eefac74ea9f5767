import type { ScenarioResult } from '../result.ts';
import { roundsOfPopulation } from '../stats/rounds.ts';
import { lostRatio } from '../stats/summary.ts';
import { formatFraction, formatInterval, formatMs, formatRate } from '../text/format.ts';
import { type Block, figures, heading, note, only, table, wide, words } from './blocks.ts';
import { limitBadge } from './result-tables.ts';

const populationNote =
  'What ran beside each scenario, on threads and keys of its own: medians over the rounds. Failed: the fraction of its operations that failed or were unanswered at the end.';

/** One population beside one scenario. */
type PopulationRow = NonNullable<ScenarioResult['populations']>[number] & {
  readonly id: string;
  readonly lost: number;
};

/** The populations of a run with their own figures; nothing if all scenarios ran alone. */
export function populationBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = scenarios.flatMap(({ id, rounds, populations = [] }) =>
    populations.map((population): PopulationRow => {
      return { ...population, id, lost: lostRatio(roundsOfPopulation(rounds, population.name)) };
    }),
  );
  if (rows.length === 0) return [];
  return [
    ...only(wide, [heading(2, 'Populations'), note(populationNote)]),
    table<PopulationRow>(
      rows,
      [
        words('scenario', ({ id }) => id),
        words('population', ({ name }) => name),
        figures('ops/s', ({ summary }) => formatInterval(summary?.opsPerSecond ?? null, formatRate)),
        figures('p50 ms', ({ summary }) => formatInterval(summary?.responseP50 ?? null, formatMs)),
        figures('p99 ms', ({ summary }) => formatInterval(summary?.responseP99 ?? null, formatMs)),
        figures('failed', ({ lost }) => formatFraction(lost)),
        words('limited by', ({ limitedBy }) => [limitBadge(limitedBy.resource)]),
      ],
      'Populations beside scenarios',
    ),
  ];
}
