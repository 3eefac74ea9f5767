import { capitalise, formatPlural } from '../../text/format.ts';
import { targetBanners } from '../../text/target-words.ts';
import type { Trend, TrendLine } from '../../trend/trend.ts';
import {
  alerts,
  type Block,
  type Chart,
  details,
  heading,
  list,
  note,
  paragraph,
  section,
} from '../blocks.ts';
import {
  describeNoise,
  describeOthers,
  describeRuns,
  describeSubject,
  formatTime,
  leftOutTable,
  runsTable,
  trendCaveat,
  trendTable,
} from '../documents/trend.ts';
import { axisOfTime, logAxis } from './charts/axis.ts';
import { lineChart, pointOf } from './charts/line-chart.ts';
import { renderPage } from './page.ts';

/** Further scenarios are only in the table. */
const maxCharts = 60;

/** Runs of one config over time as the text of `trend.html`: one file that fetches nothing. */
export function renderTrendPage(trend: Trend): string {
  const { newest, runs, leftOut } = trend;
  const alarms = alerts(targetBanners(newest));
  return renderPage({
    brand: 'poolbench trend',
    title: `${newest.name} over time – poolbench`,
    blocks: [
      ...alarms,
      heading(1, `${newest.name} over time`),
      paragraph(describeSubject(newest)),
      list([describeRuns(trend), formatPlural(newest.scenarios.length, 'scenario')]),
      ...describeOthers(trend).map(text => paragraph(text)),
      ...section('Throughput and p99', figureBlocks(trend)),
      ...section('Runs', [runsTable(runs)]),
      ...section('Left out', leftOut.length === 0 ? [] : [leftOutTable(leftOut)]),
      ...alarms,
    ],
    footer: 'All figures are from the runs’ result.json.',
  });
}

function figureBlocks(trend: Trend): Block[] {
  const { lines, runs } = trend;
  const times = runs.map(({ startedMs }) => startedMs);
  const rest =
    lines.length > maxCharts ? [`The first ${maxCharts} of ${lines.length} charts; the table has all.`] : [];
  return [
    paragraph(trendCaveat),
    note([describeNoise(trend), ...rest].join(' ')),
    ...lines.slice(0, maxCharts).map(line => overTime(line, times)),
    details('Table: all scenarios', [trendTable(lines)]),
  ];
}

/** All charts have the same x axis. */
function overTime({ id, metric, points, band }: TrendLine, times: readonly number[]): Chart {
  const { name, kind } = metric;
  const drawn = points.flatMap(point => pointOf(point.startedMs, point));
  const values = [
    ...drawn.flatMap(({ y, low = y, high = y }) => [y, low, high]),
    ...(band === null ? [] : [band.low, band.high]),
  ];
  return lineChart({
    title: id,
    subtitle: capitalise(name),
    x: axisOfTime('time (UTC)', times),
    y: logAxis(`${kind.unit}, logarithmic`, values, kind.formatNumber),
    unit: kind.unit,
    lines: [
      {
        name,
        look: 0,
        points: drawn,
      },
    ],
    ...(band === null ? {} : { band: { ...band, name: 'noise within a run' } }),
    describeX: formatTime,
    marks: true,
    legend: [{ name: 'median of a run, with its interval', look: 0 }],
  });
}
