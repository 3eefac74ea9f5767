import type { ScenarioResult } from '../result.ts';
import { metrics } from '../stats/metrics.ts';
import { type SummarisedLoad, summarisedLoadsOf } from '../stats/populations.ts';
import { unbounded } from '../stats/statistics.ts';
import { type CommandFigures, commandFigures } from '../stats/summary.ts';
import { caveatOfLoad } from '../stats/tails.ts';
import { formatCount, formatFraction, formatKnown, nothing } from '../text/format.ts';
import { type Column, figures, type Table, table, words } from './blocks.ts';
import { formatMarked } from './figure-columns.ts';
import type { MarkedInterval } from './marks.ts';

/** A command of a mix in one load. */
interface CommandRow extends SummarisedLoad, CommandFigures {}

/** The latencies of a command. */
type CommandLatency = (typeof metrics)[`${'service' | 'response'}.${'p50' | 'p99'}`];

/**
 * The median over the rounds with its caveat; null if the command never completed. A stall delays each command in
 * proportion to its frequency, so a percentile of one command has the same basis as that of all.
 */
export function markedLatencyOf(metric: CommandLatency, row: CommandRow): MarkedInterval | null {
  const latency = row[metric.summaryKey];
  return latency === null ? null : { ...unbounded(latency), caveat: caveatOfLoad(metric, row) };
}

export function commandRows(scenarios: readonly ScenarioResult[]): CommandRow[] {
  return scenarios
    .flatMap(summarisedLoadsOf)
    .flatMap(load => commandFigures(load).map(figures => ({ ...load, ...figures })));
}

export const commandNote =
  'Counts over all rounds, latencies as medians over the rounds. Every command has the latency of its whole batch. A miss is a reply for a missing key: null or empty. An operation that never got a connection is not counted for any command.';

export function commandTable(rows: readonly CommandRow[], title?: string): Table {
  const roomy = { terminal: false } as const;
  return table(
    rows,
    [
      words('scenario', row => row.id, roomy),
      words('command', row => row.name),
      figures('share', row => formatFraction(row.share)),
      figures('completed', row => formatCount(row.completed), roomy),
      figures('failed', row => formatCount(row.failed), roomy),
      figures('misses', row => formatCount(row.misses), {
        terminal: {
          cell: ({ completed, misses }) => (completed === 0 ? nothing : formatFraction(misses / completed)),
        },
      }),
      ...(rows.some(row => row.aborted !== null)
        ? [figures<CommandRow>('aborted', row => formatKnown(row.aborted, formatCount))]
        : []),
      ...(rows.some(row => row.serverMicrosPerCall !== null)
        ? [
            figures<CommandRow>(
              metrics.serverMicrosPerCall.short,
              row => row.serverMicrosPerCall?.toFixed(2) ?? nothing,
              roomy,
            ),
          ]
        : []),
      latencyColumn(metrics['service.p50'], false),
      latencyColumn(metrics['service.p99'], false),
      latencyColumn(metrics['response.p50'], { name: 'p50 ms' }),
      latencyColumn(metrics['response.p99'], { name: 'p99 ms' }),
    ],
    title,
  );
}

function latencyColumn(
  metric: CommandLatency,
  terminal: NonNullable<Column<CommandRow>['terminal']>,
): Column<CommandRow> {
  const cell = (row: CommandRow) => formatMarked(markedLatencyOf(metric, row), metric);
  return figures(`${metric.name} ms`, cell, { terminal });
}
