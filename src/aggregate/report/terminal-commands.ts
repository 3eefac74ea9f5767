import type { ScenarioResult } from '../result.ts';
import { type CommandFigures, commandFigures } from '../summary.ts';
import { formatMs, formatShare, nothing, toOneLine } from '../text/format.ts';
import type { Style } from '../text/terminal-style.ts';
import { alignColumns } from '../text/text-layout.ts';

/** Scenarios with more than this are left to report.md: nobody reads a table that scrolls. */
const mostScenarios = 3;

/** A table of each command for every scenario of a mix, while they are few. */
export function renderCommands(scenarios: readonly ScenarioResult[], style: Style): string[][] {
  const mixed = scenarios
    .map(scenario => ({ id: scenario.id, figures: commandFigures(scenario) }))
    .filter(({ figures }) => figures.length > 0);
  const shown = mixed.slice(0, mostScenarios);
  const tables = shown.map(({ id, figures }) => {
    const head = ['command', 'share', 'misses', 'p50 ms', 'p99 ms'];
    const [heading = '', ...lines] = alignColumns(
      [head, ...figures.map(row)],
      [false, true, true, true, true],
    );
    return [style('bold', `Commands of ${toOneLine(id)}`), style('dim', heading), ...lines];
  });
  const left = mixed.length - shown.length;
  return left > 0 ? [...tables, [`Commands of ${left} more in report.md.`]] : tables;
}

function row({ name, share, misses, completed, responseP50, responseP99 }: CommandFigures): string[] {
  const ms = (value: number | null) => (value === null ? nothing : formatMs(value));
  return [
    toOneLine(name),
    formatShare(share),
    completed === 0 ? nothing : formatShare(misses / completed),
    ms(responseP50),
    ms(responseP99),
  ];
}
