import { nothing } from '../../text/format.ts';
import { numberColumn, textColumn } from '../../text/table.ts';
import { formatExact } from '../exact.ts';
import { type Html, html, px } from '../html.ts';
import { chartTable } from '../table.ts';
import type { Axis } from './axis.ts';
import { figure } from './figure.ts';
import { chartArea, drawing, frame, scalesOf, slices } from './frame.ts';
import { type Line, type PlacedLine, type Point, placeLines } from './line-geometry.ts';
import { colourOf, type LegendEntry, legend, markPath } from './look.ts';

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Of the values on the y axis. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** How a place on the x axis is told: "100 workers". */
  readonly describeX: (x: number) => string;
  /** Marks at the points, with their intervals; else a plain line. */
  readonly marks: boolean;
  /** Else one entry a line. */
  readonly legend?: readonly LegendEntry[];
  /** Places on the x axis that the table has; else all. */
  readonly inTable?: (x: number) => boolean;
}

/** Lines over a common x axis; the values of all lines at one place are told together. */
export function lineChart(chart: LineChart): Html {
  const { title, subtitle, x, y, lines, marks } = chart;
  const placed = placeLines(chartArea, { x, y, lines, spread: marks });
  const scales = scalesOf(chartArea, x, y);
  const places = placesOf(lines);
  return figure({
    title,
    subtitle,
    legend: legend(
      chart.legend ?? lines.map(({ name, look, dashed = false }) => ({ name, look, dashed, bare: !marks })),
    ),
    drawing: drawing(
      chartArea,
      html`${frame(chartArea, x, y)}${placed.map(line => drawLine(line, marks))}${slices(
        chartArea,
        places.map(place => ({ x: scales.x(place), tip: tell(chart, place) })),
      )}`,
    ),
    table: chartTable(title, places.filter(chart.inTable ?? (() => true)), [
      textColumn('', chart.describeX),
      ...lines.map(({ name, measure, points }) =>
        numberColumn<number>(`${[name, ...[measure ?? []].flat()].join(', ')}, ${chart.unit}`, place =>
          tellPoint(points.find(({ x }) => x === place)),
        ),
      ),
    ]),
  });
}

function drawLine({ look, dashed, path, marks }: PlacedLine, withMarks: boolean): Html {
  return html`<g class="${colourOf(look)}">${
    withMarks &&
    marks.map(
      ({ x, low, high }) =>
        low !== undefined &&
        high !== undefined &&
        html`<path class="whisker" d="M${px(x)} ${px(low)}V${px(high)}"/>`,
    )
  }<path class="line${dashed === true && ' dashed'}" d="${path}"/>${
    withMarks &&
    marks.map(
      ({ x, y }) => html`<path class="mark" transform="translate(${px(x)} ${px(y)})" d="${markPath(look)}"/>`,
    )
  }</g>`;
}

function placesOf(lines: readonly Line[]): number[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted((a, b) => a - b);
}

/** The values at one place: a row for each name, with all that is measured of it. */
function tell({ lines, describeX, unit }: LineChart, place: number): string {
  const rows = new Map<string, string[]>();
  for (const { name, measure, points } of lines) {
    const point = points.find(({ x }) => x === place);
    if (point === undefined) continue;
    const value = measure === undefined ? tellPoint(point) : `${measure} ${tellPoint(point)}`;
    rows.set(name, [...(rows.get(name) ?? []), value]);
  }
  return [
    describeX(place),
    ...[...rows].map(([name, values]) => `${name}: ${values.join(', ')} ${unit}`),
  ].join('\n');
}

function tellPoint(point: Point | undefined): string {
  if (point === undefined) return nothing;
  const { y, low, high } = point;
  const interval =
    low === undefined || high === undefined ? '' : ` [${formatExact(low)}, ${formatExact(high)}]`;
  return formatExact(y) + interval;
}
