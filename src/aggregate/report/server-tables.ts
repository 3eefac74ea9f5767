import { type ServerFieldName, serverFieldNames, serverFields } from '../stats/server-fields.ts';
import { type ServerSeries, serverCurve } from '../stats/server-series.ts';
import { sumOf } from '../stats/statistics.ts';
import {
  capitalise,
  formatCount,
  formatDuration,
  formatList,
  formatMs,
  formatPlural,
  formatRate,
  nothing,
} from '../text/format.ts';
import { type Block, figures, note, table, words } from './blocks.ts';

export const serverTitle = 'The server over time';

/** Of values on an axis and in a table: "keys/s". */
export function serverUnit(name: ServerFieldName): string {
  const { kind, unit } = serverFields[name];
  return kind === 'counter' ? `${unit}/s` : unit;
}

/** How the figures were requested, and what the server did not report. */
function describeSeries({ points, everySeconds, asked, unanswered, cost }: ServerSeries): string {
  const untold = serverFieldNames.filter(name => points.every(point => point[name] === null));
  return [
    `What the server reported in reply to INFO, once a second during the run: ${formatPlural(asked, 'request')}`,
    unanswered === 0 ? '' : `, ${formatCount(unanswered)} of them unanswered`,
    everySeconds === 1 ? '. ' : `; one reply of every ${everySeconds} s is kept. `,
    'Counters are shown as growth per second. The connected clients include poolbench. ',
    describeCost(cost),
    untold.length === 0
      ? ''
      : ` The server does not report: ${formatList(untold.map(name => serverFields[name].words))}.`,
  ].join('');
}

/** What asking cost the server. */
function describeCost(cost: ServerSeries['cost']): string {
  if (cost === null || cost.calls === 0 || cost.seconds === 0)
    return 'It is not known how much time the server spent on INFO.';
  const { calls, micros, seconds } = cost;
  const percent = Number((micros / 1e4 / seconds).toPrecision(2));
  return (
    `According to its own count, the server ran ${formatPlural(calls, 'INFO command')} of ${formatMs(micros / calls)} µs each in ${formatDuration(seconds)}, ` +
    `${percent} % of its time; this includes the INFO commands at both ends of each window.`
  );
}

/** A count of three digits at most is exact. */
function formatFigure(value: number): string {
  return Number.isInteger(value) && value < 1000 ? String(value) : formatRate(value);
}

interface FigureRow {
  readonly name: ServerFieldName;
  readonly values: readonly number[];
  readonly grown: number;
}

/**
 * A row for each figure that the server reported; empty if there are none.
 *
 * @param charts of the same, where they can be shown
 */
export function serverBlocks(
  series: ServerSeries | undefined,
  charts: (series: ServerSeries) => readonly Block[] = () => [],
): Block[] {
  if (series === undefined) return [];
  const rows = serverFieldNames.flatMap((name): FigureRow[] => {
    const curve = serverCurve(series, name);
    const values = curve.flatMap(({ value }) => value ?? []);
    return values.length === 0 ? [] : [{ name, values, grown: sumOf(curve, ({ grown }) => grown) }];
  });
  if (rows.length === 0) return [];
  return [
    note(describeSeries(series)),
    ...charts(series),
    table(rows, [
      words('figure', ({ name }) => capitalise(serverFields[name].words)),
      words('unit', ({ name }) => serverUnit(name)),
      figures('first', ({ values }) => formatFigure(values[0] ?? 0)),
      figures('last', ({ values }) => formatFigure(values.at(-1) ?? 0)),
      figures('min', ({ values }) => formatFigure(Math.min(...values))),
      figures('max', ({ values }) => formatFigure(Math.max(...values))),
      figures('total', ({ name, grown }) =>
        serverFields[name].kind === 'counter' ? formatCount(grown) : nothing,
      ),
    ]),
  ];
}
