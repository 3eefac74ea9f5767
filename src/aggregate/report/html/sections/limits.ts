import type { ScenarioResult } from '../../../result.ts';
import { namePools } from '../../../scenario/dimensions.ts';
import { groupBySetting, type SettingGroup } from '../../../scenario/setting.ts';
import { formatCount, formatRate } from '../../../text/format.ts';
import { type Block, chart, details, paragraph, type Span, table, toned, words } from '../../blocks.ts';
import { renderTable } from '../../html.ts';
import { limitTable } from '../../result-tables.ts';
import { type Html, html } from '../html.ts';
import { poolNames } from './throughput.ts';

/** Rows of evidence that are open at once. */
const maxOpen = 30;

/** What limited each scenario: a map of every setting, and the evidence. */
export function limitBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  if (scenarios.length === 0) return [];
  const maps = groupBySetting(scenarios).filter(isMap);
  return [
    paragraph(sumUp(scenarios)),
    ...(maps.length === 0
      ? []
      : [chart('What limited each setting', '', () => html`<div class="maps">${maps.map(limitMap)}</div>`)]),
    details('The evidence for each scenario', [limitTable(scenarios)], { open: scenarios.length <= maxOpen }),
  ];
}

const limitBadge = (resource: string): Span => ({ text: resource, badge: true });

function sumUp(scenarios: readonly ScenarioResult[]): (string | Span)[] {
  const counts = new Map<string, number>();
  for (const { limitedBy } of scenarios)
    counts.set(limitedBy.resource, (counts.get(limitedBy.resource) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .flatMap(([resource, count], index) => [
      index === 0 ? '' : ' · ',
      limitBadge(resource),
      ` ${formatCount(count)} of ${formatCount(scenarios.length)}`,
    ]);
}

/** Whether each of its scenarios has a cell of its own, and there are several. */
function isMap({ scenarios }: SettingGroup): boolean {
  const cells = new Set(scenarios.map(scenario => `${scenario.workers} ${namePools(scenario)}`));
  return cells.size === scenarios.length && cells.size > 1;
}

function limitMap({ heading, scenarios }: SettingGroup): Html {
  const levels = [...new Set(scenarios.map(({ workers }) => workers))].toSorted((a, b) => a - b);
  const cell = (workers: number, pools: string) => {
    const found = scenarios.find(scenario => scenario.workers === workers && namePools(scenario) === pools);
    if (found === undefined) return '';
    const rate = found.summary === null ? '' : `${formatRate(found.summary.opsPerSecond.median)} ops/s`;
    return [limitBadge(found.limitedBy.resource), toned(rate, 'muted')];
  };
  const columns = [
    words('workers', String),
    ...poolNames(scenarios).map(pools => words<number>(pools, workers => cell(workers, pools))),
  ];
  return html`<div><h4>${heading}</h4>${renderTable(table(levels, columns, `What limited ${heading}`))}</div>`;
}
