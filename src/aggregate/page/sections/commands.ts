import { type CommandRow, commandColumns, commandNote, commandRows } from '../../report/command-columns.ts';
import type { ScenarioResult } from '../../result.ts';
import { formatMs } from '../../text/format.ts';
import { logAxis } from '../charts/axis.ts';
import { stripChart } from '../charts/strip-chart.ts';
import type { Strip } from '../charts/strip-geometry.ts';
import { type Content, html } from '../html.ts';
import { nameSize } from '../scenario-names.ts';
import { fold, htmlTable } from '../table.ts';

const mostRows = 40;

/** The commands of mixes: where their latencies lie, and their counts; null where there is no mix. */
export function commandCharts(scenarios: readonly ScenarioResult[]): Content {
  const rows = commandRows(scenarios);
  if (rows.length === 0) return null;
  const names = new Map(
    scenarios.map(scenario => [scenario.id, `${scenario.client}, ${nameSize(scenario)}`]),
  );
  return html`<p class="note">${commandNote}</p>${chart(rows.slice(0, mostRows), names, rows.length)}${fold(
    'Table: commands',
    htmlTable('Commands', rows, commandColumns()),
    rows.length <= mostRows,
  )}`;
}

function chart(rows: readonly CommandRow[], names: ReadonlyMap<string, string>, all: number): Content {
  const strips = rows.flatMap(({ id, name, responseP50, responseP99 }): Strip[] => {
    if (responseP50 === null || responseP99 === null) return [];
    const middle = { name: 'p50', look: 0, median: responseP50, low: responseP50, high: responseP99 };
    return [
      {
        label: name,
        group: names.get(id) ?? id,
        badge: null,
        strong: false,
        marks: [middle],
        band: null,
        bandText: '',
        notes: [],
      },
    ];
  });
  if (strips.length === 0) return null;
  return stripChart({
    title: 'Response time of each command',
    subtitle: `ms, from p50 (the mark) to p99, medians over the rounds, logarithmic${rows.length < all ? `; ${rows.length} of ${all}` : ''}`,
    axis: logAxis(
      'ms',
      strips.flatMap(({ marks }) => marks.flatMap(({ median, high }) => [median, high])),
      formatMs,
    ),
    unit: 'ms',
    reference: null,
    rows: strips,
    legend: [],
    format: ({ median, high }) => `${formatMs(median)} to ${formatMs(high)}`,
  });
}
