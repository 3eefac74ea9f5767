import type { ScenarioResult } from '../../../result.ts';
import { formatMs } from '../../../text/format.ts';
import { type Block, details, note } from '../../blocks.ts';
import { commandNote, commandRows, commandTable } from '../../result-tables.ts';
import type { Strip } from '../charts/strip-chart.ts';
import { nameSize } from '../scenario-names.ts';
import { figureStrips } from './strips.ts';

const maxRows = 40;

/** The commands of mixes: their latencies, and their counts; nothing where there is no mix. */
export function commandBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = commandRows(scenarios);
  if (rows.length === 0) return [];
  const names = new Map(
    scenarios.map(scenario => [scenario.id, `${scenario.client}, ${nameSize(scenario)}`]),
  );
  const strips = rows.slice(0, maxRows).flatMap(({ id, name, responseP50, responseP99 }): Strip[] => {
    if (responseP50 === null || responseP99 === null) return [];
    const mark = { name: 'p50', look: 0, median: responseP50, low: responseP50, high: responseP99 };
    return [{ label: name, group: names.get(id) ?? id, marks: [mark] }];
  });
  const rest = rows.length > maxRows ? `; ${maxRows} of ${rows.length}` : '';
  return [
    note(commandNote),
    ...figureStrips(
      {
        title: 'Response time of each command',
        how: `from p50 (the mark) to p99, medians over the rounds, logarithmic${rest}`,
        rows: strips,
      },
      { unit: 'ms', format: formatMs },
      ({ median, high }) => `${formatMs(median)} to ${formatMs(high)}`,
    ),
    details('Table: commands', [commandTable(rows)], { open: rows.length <= maxRows }),
  ];
}
