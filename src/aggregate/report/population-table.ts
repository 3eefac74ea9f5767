import type { Interval, ScenarioResult, SummaryResult } from '../result.ts';
import { type SummarisedLoad, summarisedLoadsOf } from '../stats/populations.ts';
import { lostRatio } from '../stats/summary.ts';
import { formatFraction, formatInterval, formatKnown, formatMs, formatRate } from '../text/format.ts';
import {
  type Block,
  type Column,
  figures,
  heading,
  narrow,
  note,
  only,
  table,
  wide,
  words,
} from './blocks.ts';
import { limitBadge } from './result-tables.ts';

const populationNote =
  'Other loads that ran at the same time as each scenario, on their own keys: medians over the rounds. Failed: the fraction of operations that failed or were unanswered at the end.';

/** One population that ran at the same time as one scenario. */
interface PopulationRow extends SummarisedLoad {
  /** The id of the scenario. */
  readonly beside: string;
}

/** A median, with its interval except on a terminal, which has no room for it. */
function medianColumn(
  name: string,
  of: (summary: SummaryResult) => Interval | null,
  format: (value: number) => string,
): Column<PopulationRow> {
  const intervalOf = ({ summary }: PopulationRow) => summary && of(summary);
  return figures(name, row => formatInterval(intervalOf(row), format), {
    terminal: { name, cell: row => formatKnown(intervalOf(row)?.median ?? null, format) },
  });
}

/** The populations of a run with their own figures; empty if all scenarios ran alone. */
export function populationBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = scenarios.flatMap((scenario): PopulationRow[] =>
    summarisedLoadsOf(scenario)
      .filter(({ population }) => population !== null)
      .map(load => ({ ...load, beside: scenario.id })),
  );
  if (rows.length === 0) return [];
  return [
    ...only(wide, [heading(2, 'Populations'), note(populationNote)]),
    table<PopulationRow>(
      rows,
      [
        words('', ({ beside }) => beside, { on: narrow, ownLine: 'above' }),
        words('scenario', ({ beside }) => beside, { on: wide }),
        words('population', ({ population }) => population ?? ''),
        ...(rows.some(({ sharesThreads }) => sharesThreads)
          ? [
              words<PopulationRow>('threads', row => (row.sharesThreads ? "the scenario's" : 'its own'), {
                on: wide,
              }),
            ]
          : []),
        medianColumn('ops/s', summary => summary.opsPerSecond, formatRate),
        medianColumn('p50 ms', summary => summary.responseP50, formatMs),
        medianColumn('p99 ms', summary => summary.responseP99, formatMs),
        figures('failed', ({ rounds }) => formatFraction(lostRatio(rounds))),
        words('limited by', ({ limitedBy }) => [limitBadge(limitedBy.resource)]),
      ],
      'Populations beside scenarios',
    ),
  ];
}
