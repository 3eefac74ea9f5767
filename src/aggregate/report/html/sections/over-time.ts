import type { Result, ScenarioResult } from '../../../result.ts';
import { groupBySetting } from '../../../scenario/setting.ts';
import { formatCount, formatMs, formatPlural, formatRate } from '../../../text/format.ts';
import { type Block, type Chart, details, note } from '../../blocks.ts';
import { axisFromZero, logAxis } from '../charts/axis.ts';
import { type Moment, type Timeline, timelineChart, timelineOf } from '../charts/timeline-chart.ts';
import { bySize, nameSize } from '../scenario-names.ts';

/** Bars of all charts of a page together, bars of one scenario, and charts, or a page would have no end. */
const maxBars = 1200;
const maxBarsEach = 120;
const maxCharts = 50;
/** With more scenarios only the charts and result.json have the figures. */
const maxTables = 24;
/** Charts that are open at once. */
const maxOpen = 12;

interface Drawn {
  readonly scenario: ScenarioResult;
  readonly timeline: Timeline;
  readonly failed: number;
  readonly outages: number;
}

/** What completed in each second, with what failed and when nothing did; charts of one setting have the same axes. */
export function overTime({ scenarios, config }: Pick<Result, 'scenarios' | 'config'>): Block[] {
  const measured = scenarios.filter(({ rounds }) => rounds.length > 0);
  if (measured.length === 0) return [];
  const each = Math.max(8, Math.min(maxBarsEach, Math.floor(maxBars / Math.min(measured.length, maxCharts))));
  const drawn = measured.map((scenario): Drawn => {
    const timeline = timelineOf(scenario, each);
    const moments = momentsOf(timeline);
    return {
      scenario,
      timeline,
      failed: moments.reduce((sum, { failed }) => sum + failed, 0),
      outages: moments.filter(({ completed }) => completed === 0).length,
    };
  });
  const kept = new Set(drawn.toSorted((a, b) => trouble(b) - trouble(a)).slice(0, maxCharts));
  const rest =
    kept.size < drawn.length
      ? ` The charts show ${kept.size} of ${drawn.length} scenarios, those with failures first; result.json has the series of all.`
      : '';
  let shown = 0;
  return [
    note(explain(config, Math.max(...drawn.map(({ timeline }) => timeline.secondsEach))) + rest),
    ...settingsOf(drawn.filter(one => kept.has(one))).map(({ heading, charts }) => {
      const open = shown === 0 || shown + charts.length <= maxOpen || charts.some(one => trouble(one) > 0);
      shown += charts.length;
      return details(`${heading}${describe(charts)}`, chartsOf(charts, measured.length <= maxTables), {
        open: open && charts.length <= 2 * maxOpen,
      });
    }),
  ];
}

const momentsOf = ({ rounds }: Timeline): Moment[] => rounds.flatMap(({ moments }) => moments);

interface Setting {
  /** With a colon behind it; empty where there is no other setting. */
  readonly heading: string;
  readonly charts: readonly Drawn[];
}

/** Charts by setting, where settings have several. */
function settingsOf(drawn: readonly Drawn[]): Setting[] {
  const groups = groupBySetting(drawn.map(({ scenario }) => scenario));
  if (groups.length > drawn.length / 2) return [{ heading: '', charts: drawn }];
  return groups.map(({ heading, scenarios }) => ({
    heading: `${heading}: `,
    charts: drawn
      .filter(({ scenario }) => scenarios.includes(scenario))
      .toSorted((a, b) => bySize(a.scenario, b.scenario)),
  }));
}

const trouble = ({ failed, outages }: Drawn) => (failed > 0 ? 2 : 0) + (outages > 0 ? 1 : 0);

function explain(config: Result['config'], secondsEach: number): string {
  const { warmupSeconds: warmup } = config;
  const before = typeof warmup === 'number' && warmup > 0 ? `the warm-up (${warmup} s) and ` : '';
  const bars = secondsEach === 1 ? 'one second' : `up to ${secondsEach} seconds`;
  return (
    `Each bar is ${bars} of a measured window; the last one can be shorter. The windows of all rounds stand one after another. ` +
    `The shaded gaps between them are ${before}the turns of other scenarios, which are not recorded here. ` +
    'Below, each line goes from the p50 to the p99 of the response time. ' +
    'A cross marks failed operations, a red frame a time in which nothing completed.'
  );
}

function describe(charts: readonly Drawn[]): string {
  const failed = charts.reduce((sum, one) => sum + one.failed, 0);
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
    'operations/s',
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
      title: nameSize(scenario),
      subtitle: several ? (labels.get(scenario) ?? '') : '',
      timeline,
      throughput,
      latency,
      withTable,
    }),
  );
}
