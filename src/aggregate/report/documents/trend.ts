import type { Caveat } from '../../result.ts';
import {
  formatFraction,
  formatList,
  formatPlural,
  formatRange,
  formatRatio,
  formatRatioInterval,
  nothing,
} from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import {
  type LeftOut,
  minPairs,
  noiseQuantile,
  type Trend,
  type TrendLine,
  type TrendMetric,
  type TrendRun,
} from '../../trend/trend.ts';
import {
  alerts,
  type Block,
  details,
  figures,
  heading,
  list,
  narrow,
  note,
  paragraph,
  type Table,
  table,
  wide,
  words,
} from '../blocks.ts';
import { headOf } from '../figure-columns.ts';
import { withMark } from '../marks.ts';

/** The same sentence on every rendering: a trend shows figures, and judges none. */
export const trendCaveat =
  'The runs are not paired, and a machine drifts between runs, often by more than the band: nothing follows from a single point, and only sides that one run measures in turn (versus) can be compared.';

/** More results that are left out are counted in a terminal. */
const maxListed = 10;

/** Runs of one config over time. */
export function trendDocument(trend: Trend): Block[] {
  const { newest, lines, leftOut } = trend;
  const alarms = alerts(targetBanners(newest));
  const listed = leftOut.slice(0, maxListed).map(({ path, reason }) => `${path}: ${reason}`);
  const more = leftOut.length - listed.length;
  return [
    ...alarms,
    heading(1, `${newest.name}: ${describeRuns(trend)}`),
    paragraph(describeSubject(newest)),
    ...describeOthers(trend).map(text => paragraph(text)),
    paragraph(trendCaveat),
    trendTable(lines),
    note(describeNoise(trend)),
    ...(leftOut.length === 0
      ? []
      : [
          details(`Left out: ${formatPlural(leftOut.length, 'result')}`, [
            list(more === 0 ? listed : [...listed, `and ${more} more, which the page lists`]),
          ]),
        ]),
    ...alarms,
  ];
}

/** "12 runs, 2026-11-01 04:00 UTC to 2026-11-28 04:00 UTC". */
export function describeRuns({ runs, newest }: Trend): string {
  const [first = newest] = runs;
  const since = first === newest ? '' : `${formatTime(first.startedMs)} to `;
  return `${formatPlural(runs.length, 'run')}, ${since}${formatTime(newest.startedMs)}`;
}

/** What else the folder has, and how to see it. */
export function describeOthers({ others }: Trend): string[] {
  if (others.length === 0) return [];
  const named = others.slice(0, maxListed).map(({ name, runs }) => `${name} (${formatPlural(runs, 'run')})`);
  const more = others.length - named.length;
  const all = formatList([...named, ...(more > 0 ? [`${more} more`] : [])]);
  return [`The folder also has results of other configs: ${all}. To see one: poolbench trend FOLDER NAME`];
}

/** What all runs have in common. */
export function describeSubject({ traits }: TrendRun): string {
  const place =
    traits['address of the server'] === 'local'
      ? "on poolbench's machine"
      : `at ${traits['address of the server']}`;
  return `${traits.server}, ${traits['server threads']}, ${place}; ${traits.machine}`;
}

/** "2026-11-28 04:00 UTC". */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The meaning of the band. */
export function describeNoise({ noise }: Trend): string {
  const known = noise.flatMap(({ metric, ratio, pairs }) =>
    ratio === null ? [] : `${formatRatio(ratio)} in ${metric.name} (${formatPlural(pairs, 'pair')})`,
  );
  const pairs = Math.max(...noise.map(one => one.pairs));
  return known.length > 0
    ? `The band around the median of the runs is the noise within a run: in ${formatFraction(noiseQuantile)} of the pairs of identical arms (an arm and its control in the same run), the two differed by less than ${formatList(known)}.`
    : `There is no band: the noise needs ${minPairs} pairs of identical arms (an arm and its control), and these runs have ${pairs}.`;
}

/** Two rows for each scenario. */
export function trendTable(lines: readonly TrendLine[]): Table {
  const rows = lines.map((line, index) => ({
    ...line,
    name: lines[index - 1]?.id === line.id ? '' : line.id,
  }));
  return table(rows, [
    words('', ({ name }) => name, { on: narrow, ownLine: 'above' }),
    words('scenario', ({ name }) => name, { on: wide }),
    words('', ({ metric }) => headOf(metric)),
    figures('runs', ({ points }) => points.length),
    figures('first', ({ metric, points }) => formatPoint(metric, points[0])),
    figures('latest', ({ metric, points }) => formatPoint(metric, points.at(-1))),
    ...(['median', 'lowest', 'highest'] as const).map(name =>
      figures<TrendLine>(name, ({ metric, [name]: { value, caveat } }) =>
        formatMarked(metric, value, caveat),
      ),
    ),
    figures('band', ({ metric, band, median: { caveat } }) =>
      band === null ? nothing : formatRange(band, value => formatMarked(metric, value, caveat)),
    ),
  ]);
}

function formatPoint(metric: TrendMetric, point: TrendLine['points'][number] | undefined): string {
  return point === undefined ? nothing : formatMarked(metric, point.median, point.caveat);
}

function formatMarked({ kind }: TrendMetric, value: number, caveat: Caveat | null): string {
  return withMark(kind.formatNumber(value), caveat);
}

/** What may have changed from run to run, and the folder of each. */
export function runsTable(runs: readonly TrendRun[]): Table {
  return table(runs, [
    words('started', ({ startedMs }) => formatTime(startedMs)),
    words('poolbench', ({ tool }) => tool.version),
    words('server', ({ target }) => describeTarget(target)),
    words('system', ({ environment: { os, node } }) => `${os}, Node ${node}`),
    figures('two identical arms', ({ control }) => formatRatioInterval(control?.ratio ?? null)),
    words('folder', ({ path }) => path),
  ]);
}

export function leftOutTable(leftOut: readonly LeftOut[]): Table {
  return table(leftOut, [words('result', ({ path }) => path), words('why', ({ reason }) => reason)]);
}
