import { type Html, html, px } from '../html.ts';
import { type Axis, scaleOf } from './axis.ts';

/** Where a chart draws, in its own units. */
export interface Area {
  /** The style sheet gives its slices their height by it. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const chartArea: Area = {
  name: 'of-chart',
  width: 480,
  height: 288,
  left: 46,
  right: 468,
  top: 26,
  bottom: 244,
};

export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

export function scalesOf(area: Area, x: Axis, y: Axis): Scales {
  return { x: scaleOf(x, [area.left, area.right]), y: scaleOf(y, [area.bottom, area.top]) };
}

/** Grid, ticks and labels of a chart. */
export function frame(area: Area, x: Axis, y: Axis): Html {
  const scales = scalesOf(area, x, y);
  return html`<g class="grid">${y.ticks.map(
    ({ at }) => html`<path d="M${area.left} ${px(scales.y(at))}H${area.right}"/>`,
  )}${x.ticks.map(({ at }) => html`<path d="M${px(scales.x(at))} ${area.bottom}v5"/>`)}</g><path class="axis" d="M${area.left} ${area.bottom}H${area.right}"/><g class="ticks">${y.ticks.map(
    ({ at, label }) =>
      html`<text x="${area.left - 7}" y="${px(scales.y(at) + 4)}" text-anchor="end">${label}</text>`,
  )}${x.ticks.map(
    ({ at, label }) =>
      html`<text x="${px(scales.x(at))}" y="${area.bottom + 19}" text-anchor="middle">${label}</text>`,
  )}</g><text class="axis-label" x="${area.left - 40}" y="12">${y.label}</text><text class="axis-label" x="${(area.left + area.right) / 2}" y="${area.height - 6}" text-anchor="middle">${x.label}</text>`;
}

/** A drawing that scales with the page. */
export function drawing(area: Area, content: Html): Html {
  return html`<svg viewBox="0 0 ${area.width} ${area.height}" aria-hidden="true">${content}</svg>`;
}

/** One place on the x axis with what a reader is told there. */
export interface Slice {
  readonly x: number;
  readonly tip: string;
  /** Where it ends, if that is not halfway to its neighbours. */
  readonly left?: number;
  readonly right?: number;
}

/** Bands between the middles of neighbouring places, over the whole height: wherever the pointer is, one tells. */
export function slices(area: Area, places: readonly Slice[]): Html {
  const sorted = places.toSorted((a, b) => a.x - b.x);
  return html`<g class="slices ${area.name}">${sorted.map(({ x, tip, ...ends }, index) => {
    const before = sorted[index - 1]?.x;
    const after = sorted[index + 1]?.x;
    const left = ends.left ?? (before === undefined ? Math.min(area.left, x) : (before + x) / 2);
    const right = ends.right ?? (after === undefined ? Math.max(area.right, x) : (after + x) / 2);
    return html`<rect x="${px(left)}" width="${px(Math.max(0.1, right - left))}" data-tip="${tip}"/>`;
  })}</g>`;
}
