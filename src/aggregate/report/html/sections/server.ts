import type { Result } from '../../../result.ts';
import { type ServerFieldName, serverFieldNames, serverFields } from '../../../stats/server-fields.ts';
import { areApart, measuredWindows, type ServerSeries, serverCurve } from '../../../stats/server-series.ts';
import { formatCount, formatRate } from '../../../text/format.ts';
import type { Chart } from '../../blocks.ts';
import { serverUnit } from '../../server-tables.ts';
import { axisFromZero } from '../charts/axis.ts';
import { type Line, lineChart } from '../charts/line-chart.ts';

/** Max points of a line: more are merged to limit the page. */
const maxPoints = 120;
/** With more windows, they are not shaded: they would merge into one area. */
const maxWindows = 200;
/** Windows that a tip names. */
const maxNamed = 2;

/**
 * A chart for each kind of figures that were ever above 0, over the time of the run, with the measured windows behind
 * the lines. Merged points show their maximum.
 */
export function serverCharts(
  series: ServerSeries,
  { scenarios, resumed = [] }: Pick<Result, 'scenarios' | 'resumed'>,
): Chart[] {
  const startMs = Date.parse(series.points[0]?.at ?? '');
  /** Seconds since the first point, without the gaps before the run was resumed. */
  const placeOf = (atMs: number) =>
    (atMs - startMs) / 1000 -
    resumed.reduce((sum, { at, gapSeconds }) => sum + (Date.parse(at) <= atMs ? gapSeconds : 0), 0);
  const windows = measuredWindows({ scenarios }).flatMap(window => {
    const [from, to] = [placeOf(window.fromMs), placeOf(window.toMs)];
    return from >= 0 ? { ...window, from, to } : [];
  });
  const perPoint = Math.ceil(series.points.length / maxPoints);
  const linesOf = (names: readonly ServerFieldName[]) =>
    names
      .map(
        (name, look): Line => ({
          name: serverFields[name].words,
          look,
          points: pointsOf(series, name, { placeOf, perPoint }),
        }),
      )
      .filter(({ points }) => points.some(({ y }) => y > 0));
  const x = axisFromZero(
    'seconds since the first reply',
    series.points.map(({ at }) => placeOf(Date.parse(at))),
    value => formatCount(value),
  );
  const secondsEach = perPoint * series.everySeconds;
  return chartTitles().flatMap(({ title, names }) => {
    const lines = linesOf(names);
    const [first] = names;
    if (lines.length === 0 || first === undefined) return [];
    const unit = serverUnit(first);
    return lineChart({
      title,
      subtitle: perPoint === 1 ? '' : `the maximum of every ${formatCount(secondsEach)} s`,
      x,
      y: axisFromZero(
        unit,
        lines.flatMap(({ points }) => points.map(({ y }) => y)),
        formatRate,
      ),
      unit,
      lines,
      marks: false,
      describeX: place => {
        const meanwhile = windows.filter(({ from, to }) => to > place - secondsEach && from < place);
        const named = meanwhile
          .slice(0, maxNamed)
          .map(({ scenario, round }) => `; round ${round} of ${scenario}`);
        const more = meanwhile.length - named.length;
        return `${place.toFixed(1)} s${named.join('')}${more > 0 ? `; ${more} more` : ''}`;
      },
      ...(windows.length === 0 || windows.length > maxWindows
        ? {}
        : { spans: { name: 'measured', ranges: windows.map(({ from, to }) => [from, to] as const) } }),
    });
  });
}

function chartTitles(): { readonly title: string; readonly names: readonly ServerFieldName[] }[] {
  const titles = [...new Set(serverFieldNames.map(name => serverFields[name].chart))];
  return titles.map(title => ({
    title,
    names: serverFieldNames.filter(name => serverFields[name].chart === title),
  }));
}

function pointsOf(
  series: ServerSeries,
  name: ServerFieldName,
  { placeOf, perPoint }: { readonly placeOf: (atMs: number) => number; readonly perPoint: number },
): Line['points'] {
  const curve = serverCurve(series, name);
  const points: Line['points'][number][] = [];
  let lastMs = Number.NaN;
  for (let index = 0; index < curve.length; index += perPoint) {
    const known = curve
      .slice(index, index + perPoint)
      .flatMap(({ atMs, value }) => (value === null ? [] : { atMs, value }));
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) continue;
    points.push({
      x: placeOf(last.atMs),
      y: Math.max(...known.map(({ value }) => value)),
      apart: areApart(lastMs, first.atMs, series),
    });
    lastMs = last.atMs;
  }
  return points;
}
