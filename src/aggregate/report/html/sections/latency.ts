import type { ScenarioResult } from '../../../result.ts';
import { describeArrival } from '../../../scenario/arrival.ts';
import { namePools } from '../../../scenario/dimensions.ts';
import {
  bySize,
  describeSize,
  groupWithPopulations,
  hasPopulations,
  type Lines,
  linesOf,
} from '../../../scenario/setting.ts';
import { withMerged } from '../../../stats/histogram.ts';
import { formatMs, formatPlural } from '../../../text/format.ts';
import { type Block, type Chart, details, note } from '../../blocks.ts';
import { isOpen } from '../../load-tables.ts';
import { type Axis, logAxis } from '../charts/axis.ts';
import { type Line, lineChart } from '../charts/line-chart.ts';

/** The latencies of a scenario, all rounds together. */
interface PercentileCurve {
  /** Percentiles, 0 to 100, that have values beyond them, ascending. */
  readonly points: readonly { readonly percentile: number; readonly ms: number }[];
  readonly count: number;
  readonly maxMs: number;
}

/** Up to 90 %; then how many percent lie beyond, for each decade: 90, 92.5, 95, 97.5, 98.5, then 99, 99.25… */
const firstPercentiles = [0, 10, 25, 40, 50, 60, 70, 75, 80, 85];
const beyond = [10, 7.5, 5, 2.5, 1.5];
const decades = 6;

/** Evenly spread where the axis is that of 1 / (1 − p). */
const percentiles: readonly number[] = [
  ...firstPercentiles,
  ...Array.from({ length: decades }, (_, decade) =>
    beyond.map(percent => Number((100 - percent / 10 ** decade).toFixed(decades + 1))),
  ).flat(),
];

/**
 * The percentiles of all rounds of a scenario together; null if nothing was recorded.
 *
 * @param encoded HDR V2 compressed, base64, in nanoseconds; empty for a round that recorded nothing
 */
export function percentileCurve(encoded: readonly string[]): PercentileCurve | null {
  const known = encoded.filter(one => one !== '');
  if (known.length === 0) return null;
  return withMerged(known, merged => {
    const count = merged.totalCount;
    if (count === 0) return null;
    const at = (percentile: number) => Math.round(merged.getValueAtPercentile(percentile)) / 1e6;
    // Without a value beyond it a percentile would be the maximum.
    const drawn = percentiles.filter(percentile => nines(percentile) < count || percentile === 0);
    return {
      count,
      maxMs: at(100),
      points: drawn.map(percentile => ({ percentile, ms: at(percentile) })),
    };
  });
}

/** The position of a percentile on a logarithmic axis: 1 / (1 − p), so that each nine takes the same room. */
function nines(percentile: number): number {
  return 100 / (100 - percentile);
}

/** Scenarios in one chart: each has two curves. */
const maxInChart = 6;
/** Max charts that are open at first, and max charts. */
const maxOpen = 8;
const maxCharts = 24;

/** Percentiles of the table; the tips have all of them. */
const tabled = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999].map(nines);
/** The place of the maximum, beyond all percentiles. */
const placeOfMax = (count: number) => count * 2;

interface Curves {
  readonly name: string;
  readonly look: number;
  readonly service: PercentileCurve;
  readonly response: PercentileCurve;
}

/** Percentile curves of service and response time: scenarios with the same number of workers share a chart. */
export function percentileCharts(scenarios: readonly ScenarioResult[]): Block[] {
  const groups = groupWithPopulations(scenarios).flatMap(({ heading, scenarios: ofSetting }) => {
    const lines = hasRates(ofSetting) ? null : linesOf(ofSetting);
    return chartGroups(ofSetting, lines).map(group => ({ heading, group, lines }));
  });
  const charts = groups
    .slice(0, maxCharts)
    .flatMap(({ heading, group, lines }) =>
      chartOf(heading, group, lines).map(drawn => ({ heading, chart: drawn })),
    );
  if (charts.length === 0) return [];
  const rest =
    groups.length > maxCharts
      ? ` These are the first ${maxCharts} of ${groups.length} charts; the table of all results has the percentiles of every scenario.`
      : '';
  const intro = note(
    `The completed operations of a scenario, all rounds together, from the histograms of result.json.${rest}`,
  );
  const headings = [...new Set(charts.map(({ heading }) => heading))];
  // A setting with one or two charts needs no fold: its heading is the subtitle of the chart.
  if (headings.length > charts.length / 2) return [intro, ...charts.map(one => one.chart)];
  let shown = 0;
  return [
    intro,
    ...headings.map(heading => {
      const ofSetting = charts.filter(one => one.heading === heading).map(one => one.chart);
      const open = shown === 0 || shown + ofSetting.length <= maxOpen;
      shown += ofSetting.length;
      return details(`${heading}: ${formatPlural(ofSetting.length, 'chart')}`, ofSetting, { open });
    }),
  ];
}

/** Whether the curves of a chart are the rates of open loops: not beside populations, which are the curves there. */
function hasRates(scenarios: readonly ScenarioResult[]): boolean {
  return scenarios.every(isOpen) && !hasPopulations(scenarios);
}

/** Scenarios that differ in their pools or populations only, or in their rates if these are the lines. */
function chartGroups(scenarios: readonly ScenarioResult[], lines: Lines | null): ScenarioResult[][] {
  const groups = new Map<string, ScenarioResult[]>();
  for (const scenario of scenarios.toSorted(bySize)) {
    const key = `${scenario.workers} ${lines === null ? namePools(scenario) : describeArrival(scenario.arrival)}`;
    groups.set(key, [...(groups.get(key) ?? []), scenario]);
  }
  return [...groups.values()].flatMap(group =>
    Array.from({ length: Math.ceil(group.length / maxInChart) }, (_, part) =>
      group.slice(part * maxInChart, (part + 1) * maxInChart),
    ),
  );
}

/**
 * Pools and populations have the look here that they have in the other charts of their setting.
 *
 * @param named null: the curves are rates, which have a look by their order
 */
function chartOf(heading: string, scenarios: readonly ScenarioResult[], named: Lines | null): Chart[] {
  const [first] = scenarios;
  const curves = scenarios.flatMap((scenario, index): Curves[] => {
    const name = named === null ? describeArrival(scenario.arrival) : named.nameOf(scenario);
    const look = named === null ? index : named.names.indexOf(name);
    const service = percentileCurve(scenario.rounds.map(({ histograms }) => histograms.service));
    const response = percentileCurve(scenario.rounds.map(({ histograms }) => histograms.response));
    return service === null || response === null ? [] : [{ name, look, service, response }];
  });
  if (first === undefined || curves.length === 0) return [];
  const count = Math.max(...curves.map(({ response }) => response.count));
  const lines = curves.flatMap(({ name, look, service, response }): Line[] => [
    { name, measure: 'response', look, points: place(response, count) },
    { name, measure: 'service', look, dashed: true, points: place(service, count) },
  ]);
  const rest = named === null ? namePools(first) : isOpen(first) ? describeArrival(first.arrival) : '';
  const size = [formatPlural(first.workers, 'worker'), ...(rest === '' ? [] : [rest])].join(', ');
  return [
    lineChart({
      title: `Latency by percentile, ${scenarios.length === 1 ? describeSize(first) : size}`,
      subtitle: heading,
      x: ninesAxis(count),
      y: logAxis(
        'ms, logarithmic',
        lines.flatMap(({ points }) => points.map(({ y }) => y)),
        formatMs,
      ),
      unit: 'ms',
      lines,
      describeX: x => (x === placeOfMax(count) ? 'max' : `p${Number((100 - 100 / x).toFixed(7))}`),
      marks: false,
      legend: [
        ...curves.map(({ name, look }) => ({ name, look, bare: true })),
        { name: 'dashed: service, else response', look: -1, dashed: true, bare: true },
      ],
      inTable: x => x === placeOfMax(count) || tabled.includes(x),
    }),
  ];
}

/** The maximum is at the end for all curves of a chart, whatever their counts. */
function place({ points, maxMs }: PercentileCurve, count: number): Line['points'] {
  return [
    ...points.map(({ percentile, ms }) => ({ x: nines(percentile), y: ms })),
    { x: placeOfMax(count), y: maxMs },
  ];
}

function ninesAxis(count: number): Axis {
  const shown = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999].filter(
    percentile => nines(percentile) <= count,
  );
  return {
    label: 'percentile, as 1 / (1 − p); the maximum at the end',
    kind: 'log',
    domain: [1, placeOfMax(count)],
    ticks: shown.map(percentile => ({ at: nines(percentile), label: `${percentile}` })),
  };
}
