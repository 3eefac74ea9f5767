import { poolColumns, poolNote } from '../../report/pool-columns.ts';
import type { Interval, RoundResult, ScenarioResult } from '../../result.ts';
import { groupBySetting } from '../../setting.ts';
import { medianInterval } from '../../statistics.ts';
import { formatInterval, formatMs, formatPlural } from '../../text/format.ts';
import { logAxis } from '../charts/axis.ts';
import { stripChart } from '../charts/strip-chart.ts';
import type { Strip } from '../charts/strip-geometry.ts';
import { utilizationChart } from '../charts/utilization-chart.ts';
import { standingsOf } from '../charts/utilization-data.ts';
import { type Content, html } from '../html.ts';
import { bySize, nameSize } from '../scenario-names.ts';
import { fold, foldedTable } from '../table.ts';

/** Rows of a chart; the table has all scenarios. */
const mostRows = 16;
/** Steps of all charts of utilization together, of one of them, and charts. */
const mostSteps = 600;
const mostStepsEach = 60;
const mostCharts = 30;
/** With more scenarios the charts alone tell their figures, and result.json. */
const mostTables = 24;
/** Charts of utilization that are there to be seen at once. */
const mostOpen = 6;

/** What the pools did: how long workers waited for a connection, how long connecting took, connections over time. */
export function poolCharts(scenarios: readonly ScenarioResult[]): Content {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return null;
  return html`<p class="note">${poolNote}</p>${[
    strips(measured, 'Wait for a connection, p99', ({ poolMetrics }) => poolMetrics.acquireWait.p99),
    strips(measured, 'Time to connect, p99', ({ poolMetrics }) =>
      poolMetrics.connectTime.count === 0 ? 0 : poolMetrics.connectTime.p99,
    ),
  ]}${utilization(measured)}${foldedTable('Table: what the pools did', scenarios, poolColumns())}`;
}

/** Scenarios whose figure is not 0: a wait of 0 has no place on a logarithmic axis, and nothing to look at. */
function strips(
  scenarios: readonly ScenarioResult[],
  title: string,
  figure: (round: RoundResult) => number,
): Content {
  const rows = groupBySetting(scenarios).flatMap(({ label, scenarios: ofSetting }) =>
    ofSetting.toSorted(bySize).flatMap((scenario): (Strip & { interval: Interval })[] => {
      const interval = medianInterval(scenario.rounds.map(figure));
      if (interval.median <= 0) return [];
      const mark = { name: '', look: 0, ...interval };
      return [
        {
          label,
          group: nameSize(scenario),
          badge: null,
          strong: false,
          marks: [mark],
          band: null,
          bandText: '',
          notes: [],
          interval,
        },
      ];
    }),
  );
  const none = scenarios.length - rows.length;
  if (rows.length === 0) return html`<p><b>${title}</b>: 0 ms in the median round of every scenario.</p>`;
  const shown = rows.toSorted((a, b) => b.interval.median - a.interval.median).slice(0, mostRows);
  return stripChart({
    title,
    subtitle: [
      'ms, median and interval over the rounds, logarithmic, the longest first',
      ...(shown.length < rows.length ? [`${shown.length} of ${rows.length}`] : []),
      ...(none > 0 ? [`0 ms in ${formatPlural(none, 'other scenario')}`] : []),
    ].join('; '),
    axis: logAxis(
      'ms',
      shown.flatMap(({ interval }) => [interval.low, interval.median, interval.high]),
      formatMs,
    ),
    unit: 'ms',
    reference: null,
    rows: shown,
    legend: [],
    format: interval => formatInterval(interval, formatMs),
  });
}

function utilization(scenarios: readonly ScenarioResult[]): Content {
  const shown = scenarios.slice(0, mostCharts);
  const each = Math.max(8, Math.min(mostStepsEach, Math.floor(mostSteps / shown.length)));
  const groups = groupBySetting(shown).map(({ heading, scenarios: ofSetting }) => ({
    heading,
    charts: ofSetting.toSorted(bySize).flatMap(scenario => {
      const standings = standingsOf(scenario, each);
      const withTable = scenarios.length <= mostTables;
      return standings.length === 0
        ? []
        : [utilizationChart({ title: nameSize(scenario), standings, withTable })];
    }),
  }));
  const count = groups.reduce((sum, { charts }) => sum + charts.length, 0);
  if (count === 0) return null;
  return fold(
    `Connections over the window: ${formatPlural(count, 'chart')}`,
    html`<p class="note">Means over the rounds, all pools of a scenario together.${
      shown.length < scenarios.length && ` The first ${shown.length} of ${scenarios.length} scenarios.`
    }</p><ul class="legend"><li><svg width="26" height="12" aria-hidden="true"><rect class="active" width="26" height="12"/></svg>connections in use</li><li><svg width="26" height="12" aria-hidden="true"><rect class="idle" width="26" height="12"/></svg>idle</li><li><svg width="26" height="12" aria-hidden="true"><path class="waiting" d="M1 6H25"/></svg>workers waiting for one</li></ul>${groups.map(
      ({ heading, charts }) =>
        charts.length > 0 &&
        html`<h4 class="setting">${heading}</h4><div class="charts small">${charts}</div>`,
    )}`,
    count <= mostOpen,
  );
}
