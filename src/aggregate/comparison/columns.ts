import { formatInterval, formatMs, formatRate, formatRatioInterval } from '../text/format.ts';
import { type Column, numberColumn, textColumn } from '../text/table.ts';
import { describeTarget } from '../text/target-words.ts';
import type { ComparedScenario, ResultComparison } from './schema.ts';

export function sideColumns(): Column<ResultComparison['sides'][number]>[] {
  return [
    textColumn('side', side => side.name),
    textColumn('server', side => describeTarget(side.target)),
    textColumn('declared', ({ target }) => `${target.declared.server} at ${target.declared.url}`),
    textColumn('stand-in', ({ target }) => (target.standIn ? 'yes' : 'no')),
    textColumn('time', side => `${side.startedAt} to ${side.finishedAt}`),
  ];
}

/** One scenario on one side. */
export type SideRow = ComparedScenario['sides'][number] & Pick<ComparedScenario, 'id'>;

export function sideRows(scenarios: readonly ComparedScenario[]): SideRow[] {
  return scenarios.flatMap(({ id, sides }) => sides.map(side => ({ id, ...side })));
}

export function scenarioColumns(): Column<SideRow>[] {
  return [
    textColumn('scenario', ({ id, ratios }) => (ratios === null ? id : '')),
    textColumn('side', ({ side }) => side),
    numberColumn('ops/s', ({ opsPerSecond }) => formatInterval(opsPerSecond, formatRate)),
    numberColumn('throughput', ({ ratios }) =>
      ratios === null ? '' : formatRatioInterval(ratios.throughput),
    ),
    numberColumn('p95 ms', ({ responseP95 }) => formatInterval(responseP95, formatMs)),
    numberColumn('p95', ({ ratios }) => (ratios === null ? '' : formatRatioInterval(ratios.responseP95))),
    numberColumn('p99 ms', ({ responseP99 }) => formatInterval(responseP99, formatMs)),
    numberColumn('p99', ({ ratios }) => (ratios === null ? '' : formatRatioInterval(ratios.responseP99))),
    textColumn('limited by', ({ limitedBy }) => limitedBy.resource),
    numberColumn('rounds', ({ ratios }) => ratios?.rounds ?? ''),
  ];
}
