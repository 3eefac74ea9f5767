import type { Caveat, ScenarioResult } from '../result.ts';
import { metrics } from '../stats/metrics.ts';
import { summarisedLoadsOf } from '../stats/populations.ts';
import { type CommandFigures, commandFigures } from '../stats/summary.ts';
import { caveatOfLoad } from '../stats/tails.ts';
import { formatCount, formatFraction, formatKnown, formatMs, nothing } from '../text/format.ts';
import { figures, type Table, table, words } from './blocks.ts';
import { withMark } from './marks.ts';

/** A command of a mix in one load. */
interface CommandRow extends CommandFigures {
  readonly id: string;
  /**
   * A stall delays each command in proportion to its frequency, so the p99 of one command has the same basis as that of
   * all.
   */
  readonly caveat: Caveat | null;
}

export function commandRows(scenarios: readonly ScenarioResult[]): CommandRow[] {
  return scenarios.flatMap(summarisedLoadsOf).flatMap(load =>
    commandFigures(load).map(figures => ({
      id: load.id,
      caveat: caveatOfLoad(metrics['response.p99'], load),
      ...figures,
    })),
  );
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
      figures('service p50 ms', row => formatKnown(row.serviceP50, formatMs), roomy),
      figures('service p99 ms', row => formatKnown(row.serviceP99, formatMs), roomy),
      figures('response p50 ms', row => formatKnown(row.responseP50, formatMs), {
        terminal: { name: 'p50 ms' },
      }),
      figures('response p99 ms', row => withMark(formatKnown(row.responseP99, formatMs), row.caveat), {
        terminal: { name: 'p99 ms' },
      }),
    ],
    title,
  );
}
