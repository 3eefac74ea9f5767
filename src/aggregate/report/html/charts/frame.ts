import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import type { Caveat, Interval } from '../../../result.ts';
import { formatInterval, nothing } from '../../../text/format.ts';
import { type Chart, chart, type Table } from '../../blocks.ts';
import { type Content, type Html, html } from '../markup.ts';
import { fold, renderTable } from '../page.ts';
import { type Axis, scaleOf } from './axis.ts';

/** What all charts share: their caption and table, grid and ticks, tips, and the looks of lines and marks. */

/** With more scenarios, only the charts of a section and result.json have the figures. */
export const maxTables = 24;

interface Figure {
  readonly title: string;
  /** Units of the axes, and how the figures were made. */
  readonly subtitle: string;
  readonly size: Chart['size'];
  readonly legend?: Content;
  readonly drawing: Content;
  /** The same in figures, folded, for those who cannot see it; null on a page with too many charts. */
  readonly table: Table | null;
  /** Of its figures, which have their marks; null for a figure without any. */
  readonly caveats: readonly (Caveat | null | undefined)[];
}

/** A chart with its title and its table. Its values are read by pointer, or with the arrow keys. */
export function figure({ title, subtitle, size, legend = null, drawing, table, caveats }: Figure): Chart {
  const draw = () =>
    html`<figure class="chart"><figcaption><b>${title}</b> <span>${subtitle}</span></figcaption>${legend}<div class="drawing" tabindex="0" role="group" aria-label="${title}" aria-describedby="keys">${drawing}</div>${table !== null && fold('Table', renderTable({ ...table, title }))}</figure>`;
  return chart(
    draw,
    size,
    caveats.filter(caveat => caveat != null),
  );
}

/** A coordinate rounded to a tenth: invisible digits would double the size of the page. */
export function px(value: number): number {
  return Math.round(value * 10) / 10;
}

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

/** From values to places. */
export function scalesOf(area: Area, x: Axis, y: Axis): Record<'x' | 'y', (value: number) => number> {
  return { x: scaleOf(x, [area.left, area.right]), y: scaleOf(y, [area.bottom, area.top]) };
}

/** Grid, ticks and labels of a chart. */
export function frame(area: Area, x: Axis, y: Axis): Html {
  const { left, right, bottom } = area;
  const ticks = x.ticks.map(({ at, label }) => ({ at: px(scaleOf(x, [left, right])(at)), label }));
  return html`${yScale(area, y)}<g class="grid">${ticks.map(({ at }) => html`<path d="M${at} ${bottom}v5"/>`)}</g><path class="axis" d="M${left} ${bottom}H${right}"/><g class="ticks">${ticks.map(
    ({ at, label }) => html`<text x="${at}" y="${bottom + 19}" text-anchor="middle">${label}</text>`,
  )}</g><text class="axis-label" x="${(left + right) / 2}" y="${area.height - 6}" text-anchor="middle">${x.label}</text>`;
}

/** The y axis alone, with its lines over the whole width. */
export function yScale({ left, right, top, bottom }: Omit<Area, 'name' | 'width' | 'height'>, y: Axis): Html {
  const ticks = y.ticks.map(({ at, label }) => ({ at: px(scaleOf(y, [bottom, top])(at)), label }));
  return html`<g class="grid">${ticks.map(({ at }) => html`<path d="M${left} ${at}H${right}"/>`)}</g><g class="ticks">${ticks.map(
    ({ at, label }) => html`<text x="${left - 6}" y="${at + 4}" text-anchor="end">${label}</text>`,
  )}</g><text class="axis-label" x="${left - 40}" y="${top - 12}">${y.label}</text>`;
}

/** A drawing that scales with the page. */
export function drawing({ width, height }: Pick<Area, 'width' | 'height'>, content: Html): Html {
  return html`<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${content}</svg>`;
}

/** One place on the x axis with its tip. */
interface Slice {
  readonly x: number;
  readonly tip: string;
  /** Where it ends, if that is not halfway to its neighbours. */
  readonly left?: number;
  readonly right?: number;
}

/** Bands between the middles of neighbouring places, over the whole height, so that the pointer always finds a tip. */
export function slices(area: Pick<Area, 'name' | 'left' | 'right'>, places: readonly Slice[]): Html {
  const sorted = places.toSorted((a, b) => a.x - b.x);
  return html`<g class="slices ${area.name}">${sorted.map(({ x, tip, ...ends }, index) => {
    const before = sorted[index - 1]?.x;
    const after = sorted[index + 1]?.x;
    const left = ends.left ?? (before === undefined ? Math.min(area.left, x) : (before + x) / 2);
    const right = ends.right ?? (after === undefined ? Math.max(area.right, x) : (after + x) / 2);
    return html`<rect x="${px(left)}" width="${px(Math.max(0.1, right - left))}" data-tip="${tip}"/>`;
  })}</g>`;
}

/** Shapes of marks: each colour has its own shape, for readers who cannot distinguish colours. */
const forms = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];

/** The class of a look's colour, c0 to c6 in the style sheet; of −1 that of text. */
export function colourOf(look: number): string {
  return look < 0 ? 'plain' : `c${look % forms.length}`;
}

/** The outline of a mark around (0, 0). */
export function markPath(look: number, size = 46): string {
  return symbol(forms[look % forms.length] ?? symbolCircle, size).digits(1)() ?? '';
}

export interface LegendEntry {
  readonly name: string;
  readonly look: number;
  readonly dashed?: boolean;
  /** A line without marks. */
  readonly bare?: boolean;
}

export function legend(entries: readonly LegendEntry[]): Html {
  return swatches(
    entries.map(({ name, look, dashed, bare }) => ({
      name,
      swatch: html`<g class="${colourOf(look)}"><path class="line${dashed === true && ' dashed'}" d="M1 6H25"/>${
        bare !== true && html`<path class="mark" transform="translate(13 6)" d="${markPath(look, 40)}"/>`
      }</g>`,
    })),
  );
}

/** What each of these drawings, 26 × 12, means. */
export function swatches(entries: readonly { readonly name: string; readonly swatch: Html }[]): Html {
  return html`<ul class="legend">${entries.map(
    ({ name, swatch }) =>
      html`<li><svg width="26" height="12" aria-hidden="true">${swatch}</svg>${name}</li>`,
  )}</ul>`;
}

export function areaSwatch(className: string): Html {
  return html`<rect class="${className}" width="26" height="12"/>`;
}

const sevenDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 7 });

/** A value as result.json has it, to seven digits: "74,642.5", "0.292863". */
export function formatExact(value: number): string {
  return sevenDigits.format(value);
}

/** "74,642.5 [53,942.5, 88,470]"; a dash for null. */
export function formatExactInterval(interval: Interval | null): string {
  if (interval === null) return nothing;
  return formatInterval(interval, formatExact);
}
