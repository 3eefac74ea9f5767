import type { Result, ScenarioResult } from '../../../result.ts';
import { isDueWithin } from '../../../scenario/arrival.ts';
import { bySize, describeSize, groupBySetting, groupWithPopulations } from '../../../scenario/setting.ts';
import { sumOf } from '../../../stats/statistics.ts';
import { formatCount, formatMs, formatPlural, formatRate, nothing } from '../../../text/format.ts';
import { type Block, type Chart, details, figures, note, table } from '../../blocks.ts';
import { type Axis, axisFromZero, logAxis, scaleOf } from '../charts/axis.ts';
import { drawing, figure, formatExact, maxTables, px, slices, yScale } from '../charts/frame.ts';
import { type Content, html } from '../markup.ts';

/** Max bars of all charts of a page, max bars of a scenario, and max charts, to limit the page. */
const maxBars = 1200;
const maxBarsEach = 120;
const maxCharts = 50;
/** Charts that are open at once. */
const maxOpen = 12;

interface Drawn {
  readonly scenario: ScenarioResult;
  readonly timeline: Timeline;
  readonly failed: number;
  readonly outages: number;
}

/** Operations completed and failed in each second, and outages; charts of one setting have the same axes. */
export function overTime(scenarios: readonly ScenarioResult[], config: Result['config']): Block[] {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return [];
  const each = Math.max(8, Math.min(maxBarsEach, Math.floor(maxBars / Math.min(measured.length, maxCharts))));
  const drawn = measured.map((scenario): Drawn => {
    const timeline = timelineOf(scenario, each);
    const moments = momentsOf(timeline);
    return {
      scenario,
      timeline,
      failed: sumOf(moments, ({ failed }) => failed),
      outages: moments.filter(({ isOutage }) => isOutage).length,
    };
  });
  const kept = new Set(drawn.toSorted((a, b) => trouble(b) - trouble(a)).slice(0, maxCharts));
  const rest =
    kept.size < drawn.length
      ? ` The charts show ${kept.size} of ${drawn.length} scenarios, those with failures first; result.json has the series of all.`
      : '';
  const secondsEach = Math.max(...drawn.map(({ timeline }) => timeline.secondsEach));
  let shown = 0;
  return [
    note(describeBars(config, secondsEach) + rest),
    ...settingsOf(drawn.filter(one => kept.has(one))).map(({ heading, charts }) => {
      const open = shown === 0 || shown + charts.length <= maxOpen || charts.some(one => trouble(one) > 0);
      shown += charts.length;
      return details(heading + describeCharts(charts), chartsOf(charts, measured.length <= maxTables), {
        open: open && charts.length <= 2 * maxOpen,
      });
    }),
  ];
}

const momentsOf = ({ rounds }: Timeline): Moment[] => rounds.flatMap(({ moments }) => moments);

/** Charts by setting, if settings have several; headings end with a colon. */
function settingsOf(drawn: readonly Drawn[]): { heading: string; charts: readonly Drawn[] }[] {
  const groups = groupWithPopulations(drawn.map(({ scenario }) => scenario));
  if (groups.length > drawn.length / 2) return [{ heading: '', charts: drawn }];
  return groups.map(({ heading, scenarios }) => ({
    heading: `${heading}: `,
    charts: drawn
      .filter(({ scenario }) => scenarios.includes(scenario))
      .toSorted((a, b) => bySize(a.scenario, b.scenario)),
  }));
}

const trouble = ({ failed, outages }: Drawn) => (failed > 0 ? 2 : 0) + (outages > 0 ? 1 : 0);

function describeBars(config: Result['config'], secondsEach: number): string {
  const { warmupSeconds: warmup } = config;
  const before = typeof warmup === 'number' && warmup > 0 ? `the warm-up (${warmup} s) and ` : '';
  const bars = secondsEach === 1 ? 'one second' : `up to ${secondsEach} seconds`;
  return (
    `Each bar is ${bars} of a measured window; the last one can be shorter. The windows of all rounds stand one after another. ` +
    `The shaded gaps between them are ${before}the turns of other scenarios, which are not recorded here. ` +
    'Below, each line goes from the p50 to the p99 of the response time. ' +
    'A cross marks failed operations, a red frame a time in which nothing completed, although operations were due.'
  );
}

function describeCharts(charts: readonly Drawn[]): string {
  const failed = sumOf(charts, one => one.failed);
  const outages = charts.filter(one => one.outages > 0).length;
  const found = [
    failed === 0 ? 'no operation failed' : `${formatPlural(failed, 'operation')} failed`,
    ...(outages === 0 ? [] : [`outages in ${formatCount(outages)}`]),
  ];
  return `${formatPlural(charts.length, 'scenario')}, ${found.join(', ')}`;
}

function chartsOf(charts: readonly Drawn[], withTable: boolean): Chart[] {
  const moments = charts.flatMap(({ timeline }) => momentsOf(timeline));
  const throughput = axisFromZero(
    'ops/s',
    moments.map(({ completed, failed, seconds }) => (completed + failed) / seconds),
    formatRate,
    3,
  );
  const latency = logAxis(
    'ms',
    moments.flatMap(({ p50, p99 }) => [p50 ?? [], p99 ?? []].flat()),
    formatMs,
    4,
  );
  const labels = new Map(
    groupBySetting(charts.map(({ scenario }) => scenario)).flatMap(({ label, scenarios }) =>
      scenarios.map(scenario => [scenario, label] as const),
    ),
  );
  const several = new Set(labels.values()).size > 1;
  return charts.map(({ scenario, timeline }) =>
    timelineChart({
      title: describeSize(scenario),
      subtitle: several ? (labels.get(scenario) ?? '') : '',
      timeline,
      throughput,
      latency,
      withTable,
    }),
  );
}

/** A second of a round, or several that were put together. */
interface Moment {
  readonly round: number;
  /** From the start of the round's window. */
  readonly fromSecond: number;
  /** Less than a second at the end of a window. */
  readonly seconds: number;
  readonly completed: number;
  readonly failed: number;
  /** Nothing completed, although operations were due. */
  readonly isOutage: boolean;
  /** Of several seconds: the median, and the maximum. Null if nothing completed. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Timeline {
  readonly rounds: readonly { readonly round: number; readonly moments: readonly Moment[] }[];
  /** Seconds in one moment; 1 unless the chart would be too crowded. */
  readonly secondsEach: number;
}

type Series = ScenarioResult['rounds'][number]['series'];

/**
 * The seconds of all rounds, one after another; merged if there are more than `max`. Every round keeps at least one.
 */
function timelineOf({ arrival, rounds }: ScenarioResult, max: number): Timeline {
  const secondsEach = Math.max(1, Math.ceil(sumOf(rounds, ({ series }) => series.length) / max));
  return {
    secondsEach,
    rounds: rounds.map(({ round, seconds, series }) => ({
      round,
      moments: Array.from({ length: Math.ceil(series.length / secondsEach) }, (_, index) =>
        joinSeconds(
          { round, measured: seconds, arrival },
          series.slice(index * secondsEach, (index + 1) * secondsEach),
        ),
      ),
    })),
  };
}

function joinSeconds(
  { round, measured, arrival }: { round: number; measured: number; arrival: ScenarioResult['arrival'] },
  series: Series,
): Moment {
  const known = (figure: 'p50' | 'p99') =>
    series
      .map(second => second[figure])
      .filter(value => value !== null)
      .toSorted((a, b) => a - b);
  const medians = known('p50');
  const fromSecond = series[0]?.second ?? 0;
  const completed = sumOf(series, one => one.completed);
  const failed = sumOf(series, one => one.failed);
  const isDue = () => {
    // A recording can have pauses, and its instants are not in the result.
    if (arrival.kind === 'recorded') return failed > 0;
    return (
      arrival.stages === undefined || isDueWithin(arrival.stages, fromSecond, fromSecond + series.length)
    );
  };
  return {
    round,
    fromSecond,
    // The end of a window may cut its last second short.
    seconds: Math.max(0.001, Math.min(series.length, measured - fromSecond)),
    completed,
    isOutage: completed === 0 && isDue(),
    failed,
    p50: medians[Math.floor((medians.length - 1) / 2)] ?? null,
    p99: known('p99').at(-1) ?? null,
  };
}

interface TimelineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly timeline: Timeline;
  /** Operations per second, common to charts that are to be compared. */
  readonly throughput: Axis;
  /** Milliseconds, likewise. */
  readonly latency: Axis;
  readonly withTable: boolean;
}

/** The panels of the chart, one above the other over a common x axis. */
const area = {
  name: 'of-timeline',
  width: 340,
  height: 204,
  left: 40,
  right: 334,
  throughput: { top: 24, bottom: 92 },
  latency: { top: 118, bottom: 174 },
} as const;

/** Fraction of the width that lies between the rounds, where nothing was recorded. */
const gapRatio = 0.16;

/** Completed and failed operations in each second above, p50 to p99 of the response time below, round after round. */
function timelineChart(chart: TimelineChart): Chart {
  const { title, subtitle, timeline, withTable } = chart;
  const { bars, windows, gap } = placeTimeline(chart);
  const top = area.throughput.top;
  return figure({
    title,
    subtitle,
    size: 'small',
    drawing: drawing(
      area,
      html`${drawAxes(chart, windows)}${windows.map(
        ({ gapX }) =>
          html`<rect class="warmup" x="${px(gapX)}" y="${top}" width="${px(gap)}" height="${area.latency.bottom - top}"/>`,
      )}${drawThroughput(bars)}${drawLatencies(bars)}${slices(
        area,
        bars.map(({ moment, x, width }) => ({
          x,
          left: x,
          right: x + Math.max(0.5, width),
          tip: describeMoment(moment),
        })),
      )}`,
    ),
    table: !withTable
      ? null
      : table(momentsOf(timeline), [
          figures('round', ({ round }) => round),
          figures('from second', ({ fromSecond }) => fromSecond),
          figures('completed', ({ completed }) => formatCount(completed)),
          figures('failed', ({ failed }) => formatCount(failed)),
          figures('p50 ms', ({ p50 }) => (p50 === null ? nothing : formatExact(p50))),
          figures('p99 ms', ({ p99 }) => (p99 === null ? nothing : formatExact(p99))),
        ]),
    caveats: [],
  });
}

interface Bar {
  readonly moment: Moment;
  readonly x: number;
  readonly width: number;
  /** Tops of the bars: of what completed, and of what failed above it. */
  readonly completedY: number;
  readonly failedY: number;
  readonly latencies: { readonly p50Y: number; readonly p99Y: number } | null;
}

/** The measured window of a round, with a gap before it. */
interface Window {
  readonly round: number;
  readonly gapX: number;
  readonly middle: number;
}

function placeTimeline({ timeline: { rounds }, throughput, latency }: TimelineChart): {
  readonly bars: readonly Bar[];
  readonly windows: readonly Window[];
  readonly gap: number;
} {
  const lengthOf = (moments: readonly Moment[]) => sumOf(moments, ({ seconds }) => seconds);
  const width = area.right - area.left;
  const seconds = lengthOf(rounds.flatMap(({ moments }) => moments));
  const gap = rounds.length === 0 ? 0 : Math.min(12, (width * gapRatio) / rounds.length);
  const perSecond = seconds === 0 ? 0 : (width - gap * rounds.length) / seconds;
  const opsY = scaleOf(throughput, [area.throughput.bottom, area.throughput.top]);
  const scaleMs = scaleOf(latency, [area.latency.bottom, area.latency.top]);
  const msY = (ms: number) => scaleMs(Math.max(latency.domain[0], Math.min(latency.domain[1], ms)));
  let x: number = area.left;
  const bars: Bar[] = [];
  const windows: Window[] = [];
  for (const { round, moments } of rounds) {
    windows.push({ round, gapX: x, middle: x + gap + (lengthOf(moments) * perSecond) / 2 });
    x += gap;
    for (const moment of moments) {
      const { completed, failed, p50, p99 } = moment;
      const isOnAxis = p50 !== null && p99 !== null && p50 > 0 && p99 > 0;
      bars.push({
        moment,
        x,
        width: moment.seconds * perSecond,
        completedY: opsY(completed / moment.seconds),
        failedY: opsY((completed + failed) / moment.seconds),
        latencies: isOnAxis ? { p50Y: msY(p50), p99Y: msY(p99) } : null,
      });
      x += moment.seconds * perSecond;
    }
  }
  return { bars, windows, gap };
}

function drawAxes({ throughput, latency }: TimelineChart, windows: readonly Window[]): Content {
  const { left, right, height } = area;
  const step = Math.ceil(windows.length / 10);
  return html`${yScale({ left, right, ...area.throughput }, throughput)}${yScale({ left, right, ...area.latency }, latency)}<g class="ticks">${windows.map(
    ({ round, middle }, index) =>
      index % step === 0 &&
      html`<text x="${px(middle)}" y="${area.latency.bottom + 14}" text-anchor="middle">${round}</text>`,
  )}</g><text class="axis-label" x="${(left + right) / 2}" y="${height - 3}" text-anchor="middle">round</text>`;
}

/** One path for all bars of a kind, as a long run has thousands. */
function drawThroughput(bars: readonly Bar[]): Content {
  const { bottom, top } = area.throughput;
  const outline = (bar: Bar, low: number, high: number) =>
    `M${px(bar.x)} ${px(low)}V${px(high)}h${px(innerWidth(bar))}V${px(low)}z`;
  const failing = bars.filter(({ moment }) => moment.failed > 0);
  const dead = bars.filter(({ moment }) => moment.isOutage);
  const crosses = failing.map(
    bar => `M${px(centre(bar))} ${px(Math.max(top, bar.failedY) - 7)}m-3-3l6 6m0-6l-6 6`,
  );
  return html`<path class="completed" d="${bars.map(bar => outline(bar, bottom, bar.completedY)).join('')}"/>${
    dead.length > 0 && html`<path class="outage" d="${dead.map(bar => outline(bar, bottom, top)).join('')}"/>`
  }${
    failing.length > 0 &&
    html`<path class="failed" d="${failing.map(bar => outline(bar, bar.completedY, Math.min(bar.failedY, bar.completedY - 1.5))).join('')}"/><path class="failure" d="${crosses.join('')}"/>`
  }`;
}

function drawLatencies(bars: readonly Bar[]): Content {
  const answered = bars.flatMap(bar => (bar.latencies === null ? [] : [{ bar, ...bar.latencies }]));
  const spreads = answered.map(({ bar, p50Y, p99Y }) => `M${px(centre(bar))} ${px(p50Y)}V${px(p99Y)}`);
  const tops = answered.map(
    ({ bar, p99Y }) =>
      `M${px(centre(bar) - Math.min(5, innerWidth(bar) / 2))} ${px(p99Y)}h${px(Math.min(10, innerWidth(bar)))}`,
  );
  return html`<path class="spread" d="${spreads.join('')}"/><path class="p99" d="${tops.join('')}"/>`;
}

const innerWidth = ({ width }: Bar) => Math.max(0.6, width - Math.min(1.5, width * 0.2));
const centre = (bar: Bar) => bar.x + innerWidth(bar) / 2;

function describeMoment({ round, fromSecond, seconds, completed, failed, p50, p99 }: Moment): string {
  const until = seconds > 1 ? ` to ${Math.round(fromSecond + seconds)}` : '';
  const rate = `${formatExact(completed / seconds)} ops/s`;
  const done = seconds === 1 ? rate : `${formatPlural(completed, 'operation')}, ${rate}`;
  return [
    `round ${round}, second ${fromSecond}${until}`,
    completed === 0 ? 'nothing completed' : done,
    ...(failed === 0 ? [] : [`failed: ${formatCount(failed)}`]),
    ...(p50 === null || p99 === null ? [] : [`p50 ${formatExact(p50)} ms, p99 ${formatExact(p99)} ms`]),
  ].join('\n');
}
