import { describeArrival } from '../../arrival.ts';
import { namePools } from '../../dimensions.ts';
import { isOpen } from '../../report/load-tables.ts';
import type { ScenarioResult } from '../../result.ts';
import { groupBySetting } from '../../setting.ts';
import { formatMs, formatPlural } from '../../text/format.ts';
import { type Axis, logAxis } from '../charts/axis.ts';
import { lineChart } from '../charts/line-chart.ts';
import type { Line } from '../charts/line-geometry.ts';
import { type Content, html } from '../html.ts';
import { nines, type PercentileCurve, percentileCurve } from '../percentile-curve.ts';
import { bySize, nameSize } from '../scenario-names.ts';
import { fold } from '../table.ts';
import { poolNames } from './throughput.ts';

/** Scenarios in one chart: each has two curves. */
const mostInChart = 6;
/** Charts that are there to be seen at once, those of further settings are folded; and charts at all. */
const mostOpen = 8;
const mostCharts = 24;

/** Percentiles of the table; the chart tells all of them. */
const tabled = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999].map(nines);
/** The place of the longest, beyond all percentiles. */
const longestOf = (count: number) => count * 2;

interface Curves {
  readonly name: string;
  readonly look: number;
  readonly service: PercentileCurve;
  readonly response: PercentileCurve;
}

/** Percentile curves of service and response time: scenarios of one number of workers in one chart. */
export function percentileCharts(scenarios: readonly ScenarioResult[]): Content {
  const groups = groupBySetting(scenarios).flatMap(({ heading, scenarios: ofSetting }) =>
    chartGroups(ofSetting).map(group => ({ heading, group, pools: poolNames(ofSetting) })),
  );
  const charts = groups.slice(0, mostCharts).flatMap(({ heading, group, pools }) => {
    const chart = chartOf(heading, group, pools);
    return chart === null ? [] : [{ heading, chart }];
  });
  if (charts.length === 0) return null;
  const note = html`<p class="note">All rounds of a scenario together, from the histograms of result.json.${
    groups.length > mostCharts &&
    ` Drawn are the first ${mostCharts} of ${groups.length} charts; the table of all results has the percentiles of every scenario.`
  }</p>`;
  let shown = 0;
  const headings = [...new Set(charts.map(({ heading }) => heading))];
  // Settings of a chart or two are told by what stands under its title.
  if (headings.length > charts.length / 2)
    return html`${note}<div class="charts">${charts.map(({ chart }) => chart)}</div>`;
  return html`${note}${headings.map(heading => {
    const ofSetting = charts.filter(one => one.heading === heading).map(({ chart }) => chart);
    const open = shown === 0 || shown + ofSetting.length <= mostOpen;
    shown += ofSetting.length;
    return fold(
      `${heading}: ${formatPlural(ofSetting.length, 'chart')}`,
      html`<div class="charts">${ofSetting}</div>`,
      open,
    );
  })}`;
}

/** Scenarios that differ in their pools only, or in an open loop in their rates. */
function chartGroups(scenarios: readonly ScenarioResult[]): ScenarioResult[][] {
  const groups = new Map<string, ScenarioResult[]>();
  for (const scenario of scenarios.toSorted(bySize)) {
    const key = isOpen(scenario) ? `${scenario.workers} ${namePools(scenario)}` : String(scenario.workers);
    groups.set(key, [...(groups.get(key) ?? []), scenario]);
  }
  return [...groups.values()].flatMap(group =>
    Array.from({ length: Math.ceil(group.length / mostInChart) }, (_, part) =>
      group.slice(part * mostInChart, (part + 1) * mostInChart),
    ),
  );
}

/** Pools have the look here that they have in the other charts of their setting; rates have one by their order. */
function chartOf(heading: string, scenarios: readonly ScenarioResult[], pools: readonly string[]): Content {
  const [first] = scenarios;
  const curves = scenarios.flatMap((scenario, index): Curves[] => {
    const look = isOpen(scenario) ? index : pools.indexOf(namePools(scenario));
    const service = percentileCurve(scenario.rounds.map(({ histograms }) => histograms.service));
    const response = percentileCurve(scenario.rounds.map(({ histograms }) => histograms.response));
    return service === null || response === null
      ? []
      : [{ name: nameCurve(scenario), look, service, response }];
  });
  if (first === undefined || curves.length === 0) return null;
  const most = Math.max(...curves.map(({ response }) => response.count));
  const lines = curves.flatMap(({ name, look, service, response }): Line[] => [
    { name, measure: 'response', look, points: place(response, most) },
    { name, measure: 'service', look, dashed: true, points: place(service, most) },
  ]);
  const size = isOpen(first)
    ? `${formatPlural(first.workers, 'worker')}, ${namePools(first)}`
    : formatPlural(first.workers, 'worker');
  return lineChart({
    title: `Latency by percentile, ${scenarios.length === 1 ? nameSize(first) : size}`,
    subtitle: heading,
    x: ninesAxis(most),
    y: logAxis(
      'ms, logarithmic',
      lines.flatMap(({ points }) => points.map(({ y }) => y)),
      formatMs,
    ),
    unit: 'ms',
    lines,
    describeX: x => (x === longestOf(most) ? 'the longest' : `p${Number((100 - 100 / x).toFixed(7))}`),
    marks: false,
    legend: [
      ...curves.map(({ name, look }) => ({ name, look, bare: true })),
      { name: 'dashed: service, else response', look: -1, dashed: true, bare: true },
    ],
    inTable: x => x === longestOf(most) || tabled.includes(x),
  });
}

function nameCurve(scenario: ScenarioResult): string {
  return isOpen(scenario) ? describeArrival(scenario.arrival) : namePools(scenario);
}

/** The longest stands at the end for all curves of a chart, whatever their counts. */
function place({ points, longestMs }: PercentileCurve, most: number): Line['points'] {
  return [
    ...points.map(({ percentile, ms }) => ({ x: nines(percentile), y: ms })),
    { x: longestOf(most), y: longestMs },
  ];
}

function ninesAxis(most: number): Axis {
  const percentiles = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999].filter(
    percentile => nines(percentile) <= most,
  );
  return {
    label: 'percentile, as 1 / (1 − p); the longest at the end',
    kind: 'log',
    domain: [1, longestOf(most)],
    ticks: percentiles.map(percentile => ({ at: nines(percentile), label: `${percentile}` })),
  };
}
