import type { Caveat } from '../../../result.ts';
import { isUnbounded } from '../../../stats/statistics.ts';
import { nothing } from '../../../text/format.ts';
import { type Chart, figures, table, words } from '../../blocks.ts';
import { type MarkedInterval, withMark, withMedianMarked } from '../../marks.ts';
import { type Html, html } from '../markup.ts';
import { type Axis, axisOfLevels, type Format } from './axis.ts';
import {
  type Area,
  areaSwatch,
  colourOf,
  drawing,
  figure,
  formatExact,
  formatExactInterval,
  frame,
  type LegendEntry,
  legend,
  markPath,
  px,
  scalesOf,
  slices,
  swatches,
} from './frame.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  readonly caveat?: Caveat | null;
  /** No line leads to it from the point before. */
  readonly apart?: boolean;
}

export interface Line {
  readonly name: string;
  /** Which figure it is, if a chart has several lines with one name: "service". */
  readonly measure?: string;
  readonly look: number;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Of the values on the y axis. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** A place on the x axis in words: "100 workers". */
  readonly describeX: (x: number) => string;
  /** Marks at the points, with their intervals; else a plain line. */
  readonly marks: boolean;
  /** Else one entry a line. */
  readonly legend?: readonly LegendEntry[];
  /** A range on the y axis behind the lines, and what it means. */
  readonly band?: { readonly low: number; readonly high: number; readonly name: string };
  /** Ranges on the x axis behind the lines, and what they mean. */
  readonly spans?: { readonly ranges: readonly (readonly [number, number])[]; readonly name: string };
  /** Places on the x axis that the table has; else all. */
  readonly inTable?: (x: number) => boolean;
}

const area: Area = {
  name: 'of-chart',
  width: 480,
  height: 288,
  left: 46,
  right: 468,
  top: 26,
  bottom: 244,
};

/** Room between marks of two lines at one place, so that their intervals can be told apart. */
const aside = 3.5;

interface LevelChart extends Pick<LineChart, 'title' | 'subtitle' | 'unit' | 'lines' | 'describeX'> {
  /** Of the x axis and its values. */
  readonly label: string;
  readonly formatX: Format;
  readonly y: (values: readonly number[]) => Axis;
}

/** Figures with their intervals against levels, such as workers; no chart without figures. */
export function levelChart({ label, formatX, y, ...chart }: LevelChart): Chart[] {
  const points = chart.lines.flatMap(line => line.points);
  const values = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  if (values.length === 0) return [];
  const x = axisOfLevels(
    label,
    points.map(point => point.x),
    formatX,
  );
  return [lineChart({ ...chart, x, y: y(values), marks: true })];
}

/** A median with its caveat, and its interval, if it has one. */
export function pointOf(x: number, interval: MarkedInterval | null): Point[] {
  if (interval === null) return [];
  const { median, low, high, caveat = null } = interval;
  return [isUnbounded(interval) ? { x, y: median, caveat } : { x, y: median, low, high, caveat }];
}

/** Lines over a common x axis; a tip has the values of all lines at one place. */
export function lineChart(chart: LineChart): Chart {
  const { title, subtitle, x, y, lines, marks, band, spans } = chart;
  const scales = scalesOf(area, x, y);
  const places = [...new Set(lines.flatMap(({ points }) => points.map(point => point.x)))].toSorted(
    (a, b) => a - b,
  );
  return figure({
    title,
    subtitle,
    size: 'medium',
    legend: html`${legend(
      chart.legend ?? lines.map(({ name, look, dashed = false }) => ({ name, look, dashed, bare: !marks })),
    )}${band !== undefined && swatches([{ name: band.name, swatch: areaSwatch('band') }])}${
      spans !== undefined && swatches([{ name: spans.name, swatch: areaSwatch('span') }])
    }`,
    drawing: drawing(
      area,
      html`${
        band !== undefined &&
        html`<rect class="band" x="${area.left}" y="${px(scales.y(band.high))}" width="${area.right - area.left}" height="${px(scales.y(band.low) - scales.y(band.high))}"/>`
      }${
        spans !== undefined &&
        html`<path class="span" d="${spans.ranges.map(
          ([from, to]) =>
            `M${px(scales.x(from))} ${area.top}V${area.bottom}H${px(Math.max(scales.x(to), scales.x(from) + 0.3))}V${area.top}z`,
        )}"/>`
      }${frame(area, x, y)}${lines.map((line, index) =>
        drawLine(chart, line, marks ? (index - (lines.length - 1) / 2) * aside : 0),
      )}${slices(
        area,
        places.map(place => ({ x: scales.x(place), tip: describePlace(chart, place) })),
      )}`,
    ),
    table: table(places.filter(chart.inTable ?? (() => true)), [
      words('', chart.describeX),
      ...lines.map(({ name, measure, points }) =>
        figures<number>(`${[name, ...[measure ?? []].flat()].join(', ')}, ${chart.unit}`, place =>
          formatPoint(points.find(point => point.x === place)),
        ),
      ),
    ]),
    caveats: lines.flatMap(({ points }) => points.map(({ caveat }) => caveat)),
  });
}

/** Values of 0 or below are left out on a logarithmic axis. */
function drawLine({ x, y, marks }: LineChart, { look, dashed, points }: Line, shift: number): Html {
  const scales = scalesOf(area, x, y);
  const [min, max] = y.domain;
  const inside = (value: number) => scales.y(Math.min(max, Math.max(min, value)));
  // So that the signs of two lines at one place do not overlap.
  const side = shift < 0 ? -1 : 1;
  const placed = points
    .filter(point => (x.kind === 'linear' || point.x > 0) && (y.kind === 'linear' || point.y > 0))
    .map(point => ({ ...point, x: px(scales.x(point.x) + shift), y: px(inside(point.y)) }));
  const path = placed
    .map(({ x, y, apart }, index) => `${index === 0 || apart === true ? 'M' : 'L'}${x},${y}`)
    .join('');
  return html`<g class="${colourOf(look)}">${
    marks &&
    placed.map(
      ({ x, low, high }) =>
        low !== undefined &&
        high !== undefined &&
        html`<path class="whisker" d="M${x} ${px(inside(low))}V${px(inside(high))}"/>`,
    )
  }<path class="line${dashed === true && ' dashed'}" d="${path}${placed.length === 1 && 'Z'}"/>${
    marks &&
    placed.map(
      ({ x, y, caveat }) =>
        html`<path class="mark" transform="translate(${x} ${y})" d="${markPath(look)}"/>${
          caveat != null &&
          html`<text class="sign" x="${px(x + side * 5)}" y="${px(y - 4)}" text-anchor="${side < 0 ? 'end' : 'start'}">${withMark('', caveat)}</text>`
        }`,
    )
  }</g>`;
}

/** The values at one place: a row for each name, with all its measures. */
function describePlace({ lines, describeX, unit }: LineChart, place: number): string {
  const rows = new Map<string, string[]>();
  for (const { name, measure, points } of lines) {
    const point = points.find(({ x }) => x === place);
    if (point === undefined) continue;
    const value = measure === undefined ? formatPoint(point) : `${measure} ${formatPoint(point)}`;
    rows.set(name, [...(rows.get(name) ?? []), value]);
  }
  return [
    describeX(place),
    ...[...rows].map(([name, values]) => `${name}: ${values.join(', ')} ${unit}`),
  ].join('\n');
}

function formatPoint(point: Point | undefined): string {
  if (point === undefined) return nothing;
  const { y: median, low, high, caveat } = point;
  const figure =
    low === undefined || high === undefined
      ? formatExact(median)
      : formatExactInterval({ median, low, high });
  return withMedianMarked(figure, caveat);
}
