import type { ScenarioResult } from '../result.ts';
import { formatInterval, formatRate, formatRatioInterval } from '../text/format.ts';
import { type Column, numberColumn, textColumn } from '../text/table.ts';
import { formatLatency, type Hysteresis, loadCells } from './load-tables.ts';

export const loadNote =
  'Open loops: medians over the rounds, latencies in ms. Response time counts from when an operation was due. Completed is what completed in the window; short is the share of what was due that did not complete; backlog the most that was due while every worker was busy; lag how late the generator came to arrivals for which a worker was free; spun the share of the time in which it waited for the next one by turning its event loop. ≥ marks a lower bound: what was never sent would have been slower.';

export function loadColumns(): Column<ScenarioResult>[] {
  return [
    numberColumn('rate', loadCells.rate),
    numberColumn('offered/s', loadCells.offered),
    numberColumn('completed/s', ({ summary }) => formatInterval(summary?.opsPerSecond ?? null, formatRate)),
    numberColumn('short', loadCells.shortfall),
    numberColumn('backlog', loadCells.backlog),
    numberColumn('p50', scenario => formatLatency(scenario, scenario.summary?.responseP50)),
    numberColumn('p99', scenario => formatLatency(scenario, scenario.summary?.responseP99)),
    numberColumn('p99.9', scenario => formatLatency(scenario, scenario.summary?.responseP999)),
    numberColumn('service p99', scenario => formatLatency(scenario, scenario.summary?.serviceP99)),
    numberColumn('lag p99', loadCells.lagP99),
    numberColumn('spun', loadCells.spun),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
  ];
}

export const hysteresisNote =
  'The same rates on the way up and on the way down, ratios paired within a round:';

export function hysteresisColumns(): Column<Hysteresis>[] {
  return [
    numberColumn('rate', ({ rate }) => formatRate(rate)),
    numberColumn('p99 up', ({ up }) => formatLatency(up, up.summary?.responseP99)),
    numberColumn('p99 down', ({ down }) => formatLatency(down, down.summary?.responseP99)),
    numberColumn('down / up', ({ ratio }) => formatRatioInterval(ratio)),
  ];
}
