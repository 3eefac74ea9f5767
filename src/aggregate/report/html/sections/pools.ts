import type { RoundResult, ScenarioResult } from '../../../result.ts';
import { groupBySetting } from '../../../scenario/setting.ts';
import { medianInterval } from '../../../stats/statistics.ts';
import { formatMs, formatPlural } from '../../../text/format.ts';
import { type Block, type Chart, chart, details, heading, note, paragraph, strong } from '../../blocks.ts';
import { poolNote, poolTable } from '../../result-tables.ts';
import { utilizationChart, utilizationLegend, utilizationOf } from '../charts/utilization-chart.ts';
import { bySize, nameSize } from '../scenario-names.ts';
import { figureStrips, scenarioStrips } from './strips.ts';

/** Rows of a chart; the table has all scenarios. */
const maxRows = 16;
/** Steps of all charts of utilization together, steps of one of them, and charts. */
const maxSteps = 600;
const maxStepsEach = 60;
const maxCharts = 30;
/** With more scenarios only the charts and result.json have the figures. */
const maxTables = 24;
/** Charts of utilization that are open at once. */
const maxOpen = 6;

/** What the pools did: how long workers waited for a connection, how long connecting took, connections over time. */
export function poolBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return [];
  return [
    note(poolNote),
    ...strips(measured, 'Wait for a connection, p99', ({ poolMetrics }) => poolMetrics.acquireWait.p99),
    ...strips(measured, 'Time to connect, p99', ({ poolMetrics }) =>
      poolMetrics.connectTime.count === 0 ? 0 : poolMetrics.connectTime.p99,
    ),
    ...utilization(measured),
    details('Table: what the pools did', [poolTable(scenarios)]),
  ];
}

function strips(
  scenarios: readonly ScenarioResult[],
  title: string,
  figure: (round: RoundResult) => number,
): Block[] {
  const rows = scenarioStrips(groupBySetting(scenarios), ({ rounds }) => medianInterval(rounds.map(figure)));
  if (rows.length === 0) {
    return [paragraph([strong(title), ': 0 ms in the median round of every scenario.'])];
  }
  const medianOf = ({ marks }: (typeof rows)[number]) => marks[0]?.median ?? 0;
  const shown = rows.toSorted((a, b) => medianOf(b) - medianOf(a)).slice(0, maxRows);
  const none = scenarios.length - rows.length;
  const how = [
    'median and interval over the rounds, logarithmic, the longest first',
    ...(shown.length < rows.length ? [`${shown.length} of ${rows.length}`] : []),
    ...(none > 0 ? [`0 ms in ${formatPlural(none, 'other scenario')}`] : []),
  ];
  return figureStrips({ title, how: how.join('; '), rows: shown }, { unit: 'ms', format: formatMs });
}

function utilization(scenarios: readonly ScenarioResult[]): Block[] {
  const shown = scenarios.slice(0, maxCharts);
  const each = Math.max(8, Math.min(maxStepsEach, Math.floor(maxSteps / shown.length)));
  const withTable = scenarios.length <= maxTables;
  const groups = groupBySetting(shown).map(group => ({
    heading: group.heading,
    charts: group.scenarios.toSorted(bySize).flatMap((scenario): Chart[] => {
      const steps = utilizationOf(scenario, each);
      return steps.length === 0 ? [] : [utilizationChart({ title: nameSize(scenario), steps, withTable })];
    }),
  }));
  const count = groups.reduce((sum, { charts }) => sum + charts.length, 0);
  if (count === 0) return [];
  const rest =
    shown.length < scenarios.length ? ` The first ${shown.length} of ${scenarios.length} scenarios.` : '';
  return [
    details(
      `Connections over the window: ${formatPlural(count, 'chart')}`,
      [
        note(`Means over the rounds, all pools of a scenario together.${rest}`),
        chart('Legend', '', () => utilizationLegend),
        ...groups.flatMap(group =>
          group.charts.length === 0 ? [] : [heading(3, group.heading), ...group.charts],
        ),
      ],
      { open: count <= maxOpen },
    ),
  ];
}
