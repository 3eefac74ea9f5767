import { describeArrival } from '../arrival.ts';
import { pairWithOnePool } from '../claims/judging/arms.ts';
import type { Comparison, ScenarioResult } from '../result.ts';
import {
  describeIntervals,
  formatInterval,
  formatRange,
  formatRate,
  formatRatio,
  formatRatioInterval,
  nothing,
} from '../text/format.ts';
import { type Column, numberColumn, textColumn } from '../text/table.ts';
import { formatLatency } from './load-tables.ts';

/** The columns of a report's tables of results, of what claims were judged by, and of limits. */

export function resultNote(scenarios: readonly ScenarioResult[]): string {
  return `Medians over the rounds with ${sayIntervals(scenarios)}; ratios are paired within a round. Latencies are response times.`;
}

/** By the scenario with the fewest rounds. */
function sayIntervals(scenarios: readonly ScenarioResult[]): string {
  const rounds = scenarios.map(scenario => scenario.rounds.length).filter(count => count > 0);
  return rounds.length === 0 ? 'their intervals' : describeIntervals(Math.min(...rounds));
}

export function resultColumns(scenarios: readonly ScenarioResult[]): Column<ScenarioResult>[] {
  const pairs = new Map(pairWithOnePool(scenarios).map(pair => [pair.several, pair]));
  const ratio = (scenario: ScenarioResult) => {
    const pair = pairs.get(scenario);
    return pair === undefined ? '' : formatRatioInterval(pair.throughput.ratio);
  };
  return [
    textColumn('client', scenario => scenario.client),
    textColumn('pool', scenario => scenario.pool),
    numberColumn('pipeline', scenario => scenario.pipeline),
    textColumn('arrival', scenario => describeArrival(scenario.arrival)),
    numberColumn('workers', scenario => scenario.workers),
    numberColumn('pools', scenario => scenario.pools),
    numberColumn('threads', scenario => scenario.threads),
    numberColumn('connections', scenario => scenario.connections),
    numberColumn('rounds', scenario => scenario.rounds.length),
    numberColumn('ops/s', ({ summary }) => formatInterval(summary?.opsPerSecond ?? null, formatRate)),
    numberColumn('to 1 pool', ratio),
    numberColumn('p50 ms', scenario => formatLatency(scenario, scenario.summary?.responseP50)),
    numberColumn('p95 ms', scenario => formatLatency(scenario, scenario.summary?.responseP95)),
    numberColumn('p99 ms', scenario => formatLatency(scenario, scenario.summary?.responseP99)),
    numberColumn('p99.9 ms', scenario => formatLatency(scenario, scenario.summary?.responseP999)),
    numberColumn('client µs/op', ({ summary }) => summary?.clientMicrosPerOp?.median.toFixed(2) ?? nothing),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
  ];
}

export const comparisonNote =
  'Each row is the ratio other / base of two scenarios, paired by round. The p-value is that of a sign-flip permutation test over the rounds, exact up to 30 of them and from 10,000 random samples above. Where nothing is predicted, the ratio is shown and decides nothing.';

export function comparisonColumns(): Column<Comparison>[] {
  return [
    textColumn('measure', comparison => comparison.measure),
    textColumn('base', comparison => comparison.base),
    textColumn('other', comparison => comparison.other),
    numberColumn('rounds', comparison => comparison.rounds),
    numberColumn('ratio', comparison => formatRatioInterval(comparison.ratio)),
    numberColumn('predicted', sayPredicted),
    numberColumn('p-value', comparison => comparison.p.toFixed(4)),
    textColumn('base limited by', comparison => comparison.limitedBy.base),
    textColumn('other limited by', comparison => comparison.limitedBy.other),
  ];
}

export function sayPredicted({ predicted }: Comparison): string {
  return predicted === null ? nothing : formatRange(predicted, formatRatio);
}

export function limitColumns(): Column<ScenarioResult>[] {
  return [
    textColumn('scenario', scenario => scenario.id),
    textColumn('limited by', scenario => scenario.limitedBy.resource),
    textColumn('evidence', scenario => scenario.limitedBy.evidence),
  ];
}
