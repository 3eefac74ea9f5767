import type { ScenarioResult } from '../result.ts';
import { metrics } from '../stats/metrics.ts';
import { type SummarisedLoad, summarisedLoadsOf } from '../stats/populations.ts';
import { lostRatio } from '../stats/summary.ts';
import { caveatOfLoad } from '../stats/tails.ts';
import { formatFraction } from '../text/format.ts';
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
import { formatMarked, headOf, type IntervalMetric, intervalOf } from './figure-columns.ts';
import { limitBadge } from './result-tables.ts';

const populationNote =
  'Other loads that ran at the same time as each scenario, on their own keys: medians over the rounds. Failed: the fraction of operations that failed or were unanswered at the end.';

/** One population that ran at the same time as one scenario. */
interface PopulationRow extends SummarisedLoad {
  /** The id of the scenario. */
  readonly beside: string;
}

const shown = [metrics.opsPerSecond, metrics['response.p50'], metrics['response.p99']];

/** A median with the mark of its caveat, and with its interval except on a terminal, which has no room for it. */
function medianColumn(metric: IntervalMetric): Column<PopulationRow> {
  const cell = (row: PopulationRow, withInterval: boolean) => {
    const interval = intervalOf(metric, row);
    return formatMarked(interval && { ...interval, caveat: caveatOfLoad(metric, row) }, metric, {
      withInterval,
    });
  };
  return figures(headOf(metric), row => cell(row, true), { terminal: { cell: row => cell(row, false) } });
}

function populationRows(scenarios: readonly ScenarioResult[]): PopulationRow[] {
  return scenarios.flatMap(scenario =>
    summarisedLoadsOf(scenario)
      .filter(({ population }) => population !== null)
      .map(load => ({ ...load, beside: scenario.id })),
  );
}

/** The populations of a run with their own figures; empty if all scenarios ran alone. */
export function populationBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = populationRows(scenarios);
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
        ...shown.map(medianColumn),
        figures('failed', ({ rounds }) => formatFraction(lostRatio(rounds))),
        words('limited by', ({ limitedBy }) => [limitBadge(limitedBy.resource)]),
      ],
      'Populations beside scenarios',
    ),
  ];
}
