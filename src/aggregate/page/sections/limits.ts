import { namePools } from '../../dimensions.ts';
import { limitColumns, resultColumns } from '../../report/result-columns.ts';
import type { ScenarioResult } from '../../result.ts';
import { groupBySetting, type SettingGroup } from '../../setting.ts';
import { formatCount, formatRate } from '../../text/format.ts';
import { textColumn } from '../../text/table.ts';
import { type Content, type Html, html } from '../html.ts';
import { fold, foldedTable, htmlTable } from '../table.ts';
import { poolNames } from './throughput.ts';

/** Rows of evidence that are there to be read at once. */
const mostOpen = 30;

/** What limited each scenario: a map of every setting, and the evidence. */
export function limits(scenarios: readonly ScenarioResult[]): Content {
  if (scenarios.length === 0) return null;
  const maps = groupBySetting(scenarios).filter(isMap);
  return html`<p class="counts">${sumUp(scenarios)}</p>${maps.length > 0 && html`<div class="maps">${maps.map(limitMap)}</div>`}${fold(
    'The evidence for each scenario',
    htmlTable('What limited each scenario, with its evidence', scenarios, limitColumns(), (row, column) =>
      column.name === 'limited by' ? limitBadge(row.limitedBy.resource) : column.text(row),
    ),
    scenarios.length <= mostOpen,
  )}`;
}

/** All results in one table. */
export function resultsTable(scenarios: readonly ScenarioResult[]): Html {
  return foldedTable('Table: all results', scenarios, resultColumns(scenarios));
}

function limitBadge(resource: string): Html {
  return html`<span class="badge l-${resource}">${resource}</span>`;
}

function sumUp(scenarios: readonly ScenarioResult[]): Content {
  const counts = new Map<string, number>();
  for (const { limitedBy } of scenarios)
    counts.set(limitedBy.resource, (counts.get(limitedBy.resource) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(
      ([resource, count]) =>
        html`<span>${limitBadge(resource)} ${formatCount(count)} of ${formatCount(scenarios.length)}</span>`,
    );
}

/** Whether each of its scenarios has a cell of its own, and there are several. */
function isMap({ scenarios }: SettingGroup): boolean {
  const cells = new Set(scenarios.map(scenario => `${scenario.workers} ${namePools(scenario)}`));
  return cells.size === scenarios.length && cells.size > 1;
}

function limitMap({ heading, scenarios }: SettingGroup): Html {
  const levels = [...new Set(scenarios.map(({ workers }) => workers))].toSorted((a, b) => a - b);
  const columns = poolNames(scenarios);
  return html`<div><h4>${heading}</h4>${htmlTable(
    `What limited ${heading}`,
    levels,
    [textColumn<number>('workers', String), ...columns.map(pools => textColumn<number>(pools, () => pools))],
    (workers, column) => {
      if (column.name === 'workers') return String(workers);
      const found = scenarios.find(
        scenario => scenario.workers === workers && namePools(scenario) === column.name,
      );
      if (found === undefined) return null;
      const { limitedBy, summary } = found;
      return html`${limitBadge(limitedBy.resource)}<small>${summary !== null && `${formatRate(summary.opsPerSecond.median)} ops/s`}</small>`;
    },
  )}</div>`;
}
