import type { PoolMetrics, ScenarioResult } from '../result.ts';
import { median } from '../statistics.ts';
import { formatCount, formatMs, nothing } from '../text/format.ts';
import { type Column, numberColumn, textColumn } from '../text/table.ts';

export const poolNote =
  'Medians over the rounds, over all pools of a scenario. An acquisition that was served at once waited 0 ms; checks, lock waits and connections created are counts of one round.';

export function poolColumns(): Column<ScenarioResult>[] {
  return [
    textColumn('scenario', scenario => scenario.id),
    countColumn('acquisitions', metrics => metrics.acquisitions),
    countColumn('at once', metrics => metrics.immediate),
    msColumn('wait mean ms', metrics => metrics.acquireWait.mean),
    msColumn('wait p99 ms', metrics => metrics.acquireWait.p99),
    countColumn('peak waiting', metrics => metrics.peakWaiting),
    countColumn('lock waits', metrics => metrics.lockWaits),
    msColumn('lock wait ms', metrics => metrics.lockWaitMs),
    countColumn('checks run', metrics => metrics.healthChecksRun),
    countColumn('checks skipped', metrics => metrics.healthChecksSkipped),
    msColumn('check ms', metrics => metrics.healthCheckMs),
    countColumn('created before', metrics => metrics.createdBefore),
    countColumn('created', metrics => metrics.created),
    msColumn('connect p99 ms', metrics => metrics.connectTime.p99),
    countColumn('connect failures', metrics => metrics.connectFailures),
    countColumn('reconnects', metrics => metrics.reconnects),
  ];
}

type Figure = (metrics: PoolMetrics) => number;

function countColumn(name: string, figure: Figure): Column<ScenarioResult> {
  return medianColumn(name, figure, count => formatCount(Math.round(count)));
}

function msColumn(name: string, figure: Figure): Column<ScenarioResult> {
  return medianColumn(name, figure, formatMs);
}

function medianColumn(
  name: string,
  figure: Figure,
  format: (figure: number) => string,
): Column<ScenarioResult> {
  return numberColumn(name, ({ rounds }) =>
    rounds.length === 0 ? nothing : format(median(rounds.map(round => figure(round.poolMetrics)))),
  );
}
