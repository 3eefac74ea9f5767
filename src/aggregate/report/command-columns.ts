import type { ScenarioResult } from '../result.ts';
import { type CommandFigures, commandFigures } from '../summary.ts';
import { formatCount, formatMs, formatShare, nothing } from '../text/format.ts';
import { type Column, numberColumn, textColumn } from '../text/table.ts';

/** A command of a mix in one scenario. */
export interface CommandRow extends CommandFigures {
  readonly id: string;
}

export function commandRows(scenarios: readonly ScenarioResult[]): CommandRow[] {
  return scenarios.flatMap(scenario =>
    commandFigures(scenario).map(figures => ({ id: scenario.id, ...figures })),
  );
}

export const commandNote =
  'Counts over all rounds, latencies as medians over the rounds. A command has the latency of its whole batch. Misses are null replies. What never reached a connection is of no command.';

export function commandColumns(): Column<CommandRow>[] {
  const ms = (name: string, figure: (row: CommandFigures) => number | null) =>
    numberColumn<CommandRow>(name, row => {
      const value = figure(row);
      return value === null ? nothing : formatMs(value);
    });
  return [
    textColumn('scenario', row => row.id),
    textColumn('command', row => row.name),
    numberColumn('share', row => formatShare(row.share)),
    numberColumn('completed', row => formatCount(row.completed)),
    numberColumn('failed', row => formatCount(row.failed)),
    numberColumn('misses', row => formatCount(row.misses)),
    ms('service p50 ms', row => row.serviceP50),
    ms('service p99 ms', row => row.serviceP99),
    ms('response p50 ms', row => row.responseP50),
    ms('response p99 ms', row => row.responseP99),
  ];
}
