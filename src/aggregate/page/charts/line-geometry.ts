import { curveLinear, line } from 'd3-shape';
import type { Axis } from './axis.ts';
import { type Area, type Scales, scalesOf } from './frame.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  /** What of it this is, where a chart has several lines of one name: "service". */
  readonly measure?: string;
  readonly look: number;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

/** A line as it is drawn. */
export interface PlacedLine extends Omit<Line, 'points'> {
  readonly path: string;
  readonly marks: readonly {
    readonly x: number;
    readonly y: number;
    readonly low?: number;
    readonly high?: number;
  }[];
}

/** Half of the room that marks of lines at one place keep from one another, so that their intervals can be told apart. */
const aside = 3.5;

/** Lines in their places: what is off a logarithmic axis, at 0 or below, is left out. */
export function placeLines(
  area: Area,
  { x, y, lines, spread }: { x: Axis; y: Axis; lines: readonly Line[]; spread: boolean },
): PlacedLine[] {
  const scales = scalesOf(area, x, y);
  return lines.map(({ points, ...rest }, index) => {
    const shift = spread ? (index - (lines.length - 1) / 2) * aside : 0;
    const marks = points.filter(point => fits(point, x, y)).map(point => placePoint(point, scales, shift, y));
    const draw = line<{ x: number; y: number }>(
      mark => mark.x,
      mark => mark.y,
    )
      .curve(curveLinear)
      .digits(1);
    return { ...rest, marks, path: draw(marks) ?? '' };
  });
}

function fits({ x, y }: Point, xAxis: Axis, yAxis: Axis): boolean {
  return (xAxis.kind === 'linear' || x > 0) && (yAxis.kind === 'linear' || y > 0);
}

function placePoint({ x, y, low, high }: Point, scales: Scales, shift: number, { domain }: Axis) {
  const inside = (value: number) => scales.y(Math.min(domain[1], Math.max(domain[0], value)));
  return {
    x: scales.x(x) + shift,
    y: inside(y),
    ...(low === undefined || high === undefined ? {} : { low: inside(low), high: inside(high) }),
  };
}
