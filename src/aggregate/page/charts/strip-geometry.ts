import type { Interval } from '../../result.ts';
import type { Content } from '../html.ts';
import { type Axis, scaleOf } from './axis.ts';

export interface StripMark extends Interval {
  /** Empty where a row has one mark, which the chart is about. */
  readonly name: string;
  readonly look: number;
}

export interface Strip {
  readonly label: string;
  /** What it belongs to, in small letters; empty: nothing. */
  readonly group: string;
  readonly badge: Content;
  readonly strong: boolean;
  readonly marks: readonly StripMark[];
  /** A range behind the marks, open where null; null: none. */
  readonly band: { readonly low: number | null; readonly high: number | null } | null;
  /** The range in words. */
  readonly bandText: string;
  /** What else is told of it. */
  readonly notes: readonly string[];
}

/** In percent of the strip's width, so that it can be as wide as the page lets it. */
export interface Place {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface Placed {
  readonly marks: readonly Place[];
  readonly band: { readonly low: number; readonly high: number } | null;
}

const percent = (value: number) => Math.round(value * 100) / 100;

/** Where everything of a strip chart lies. Values beyond the axis lie at its end. */
export function placeStrips({
  axis,
  rows,
  reference,
}: {
  readonly axis: Axis;
  readonly rows: readonly Strip[];
  readonly reference: number | null;
}): {
  readonly strips: readonly Placed[];
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly reference: number | null;
} {
  const scale = scaleOf(axis, [3, 97]);
  const [least, most] = axis.domain;
  const place = (value: number) => percent(scale(Math.min(most, Math.max(least, value))));
  return {
    strips: rows.map(({ marks, band }) => ({
      marks: marks.map(({ low, median, high }) => ({
        low: place(low),
        median: place(median),
        high: place(high),
      })),
      band: band && {
        low: band.low === null ? 0 : place(band.low),
        high: band.high === null ? 100 : place(band.high),
      },
    })),
    ticks: axis.ticks.map(({ at, label }) => ({ at: place(at), label })),
    reference: reference === null ? null : place(reference),
  };
}
