import { nothing } from '../../text/format.ts';
import { numberColumn, textColumn } from '../../text/table.ts';
import { formatExactInterval } from '../exact.ts';
import { type Content, type Html, html, px } from '../html.ts';
import { chartTable } from '../table.ts';
import type { Axis } from './axis.ts';
import { figure } from './figure.ts';
import { colourOf, type LegendEntry, legend, markPath } from './look.ts';
import { type Place, type Placed, placeStrips, type Strip } from './strip-geometry.ts';

export interface StripChart {
  readonly title: string;
  readonly subtitle: string;
  readonly axis: Axis;
  /** Of the values: "×", "ms". */
  readonly unit: string;
  /** Where a line stands through all rows: ×1, a limit. */
  readonly reference: number | null;
  readonly rows: readonly Strip[];
  /** What the looks of the marks mean, where there are several. */
  readonly legend: readonly LegendEntry[];
  /** How a figure is shown beside its row. */
  readonly format: (interval: { median: number; low: number; high: number }) => string;
  /** Heads the predicted ranges, where there are any. */
  readonly bandName?: string;
}

/** Intervals in rows above one axis; labels and figures are text of the page, so they wrap where it is narrow. */
export function stripChart(chart: StripChart): Html {
  const { title, subtitle, rows, unit } = chart;
  const { strips, ticks, reference } = placeStrips(chart);
  const grid = html`${ticks.map(({ at }) => html`<line class="grid" x1="${at}%" x2="${at}%" y1="0" y2="100%"/>`)}${
    reference !== null &&
    html`<line class="reference" x1="${reference}%" x2="${reference}%" y1="0" y2="100%"/>`
  }`;
  const banded = rows.some(({ band }) => band !== null);
  const several = chart.legend.length > 0;
  return figure({
    title,
    subtitle,
    legend:
      (several || banded) &&
      html`${several && legend(chart.legend)}${
        banded &&
        html`<ul class="legend"><li><svg width="26" height="12" aria-hidden="true"><rect class="band" width="26" height="12"/></svg>${chart.bandName ?? 'predicted'}</li></ul>`
      }`,
    drawing: html`<div class="strips">${rows.map((row, index) => drawRow(chart, row, strips[index], grid))}<div class="strip-row strip-axis"><span class="strip-label"></span><svg height="22" aria-hidden="true">${ticks.map(
      ({ at, label }) => html`<text x="${at}%" y="15" text-anchor="middle">${label}</text>`,
    )}</svg><span class="strip-value">${chart.axis.label}</span></div></div>`,
    table: chartTable(title, rows, [
      textColumn('', ({ label }) => label),
      ...(rows.some(({ group }) => group !== '') ? [textColumn<Strip>('of', ({ group }) => group)] : []),
      ...markNames(rows).map((name, place) =>
        numberColumn<Strip>(name === '' ? unit : `${name}, ${unit}`, ({ marks }) =>
          formatExactInterval(marks[place] ?? null),
        ),
      ),
      ...(banded
        ? [numberColumn<Strip>(chart.bandName ?? 'predicted', ({ bandText }) => bandText || nothing)]
        : []),
    ]),
  });
}

function markNames(rows: readonly Strip[]): string[] {
  const longest = rows.reduce<Strip['marks']>(
    (most, { marks }) => (marks.length > most.length ? marks : most),
    [],
  );
  return longest.map(({ name }) => name);
}

function drawRow(chart: StripChart, row: Strip, placed: Placed | undefined, grid: Content): Html {
  const { label, group, strong, marks, bandText } = row;
  const tip = [
    label,
    ...(group === '' ? [] : [group]),
    ...marks.map(
      mark => `${mark.name === '' ? '' : `${mark.name}: `}${formatExactInterval(mark)} ${chart.unit}`,
    ),
    ...(bandText === '' ? [] : [`${chart.bandName ?? 'predicted'}: ${bandText}`]),
    ...row.notes,
  ].join('\n');
  const height = Math.max(24, 10 + marks.length * 16);
  return html`<div class="strip-row${strong && ' strong'}" data-tip="${tip}"><span class="strip-label">${row.badge}${label}${
    group !== '' && html` <small>${group}</small>`
  }</span><svg height="${height}" aria-hidden="true">${
    placed !== undefined &&
    placed.band !== null &&
    html`<rect class="band" x="${placed.band.low}%" width="${placed.band.high - placed.band.low}%" height="100%"/>`
  }${grid}${(placed?.marks ?? []).map((mark, index) => drawMark(mark, marks[index]?.look ?? 0, px((100 * (index + 1)) / (marks.length + 1))))}</svg><span class="strip-value">${marks.map(
    mark => html`<span>${chart.format(mark)}</span>`,
  )}${marks.length === 0 && nothing}</span></div>`;
}

function drawMark({ low, median, high }: Place, look: number, y: number): Html {
  return html`<g class="${colourOf(look)}"><line class="whisker" x1="${low}%" x2="${high}%" y1="${y}%" y2="${y}%"/><svg x="${median}%" y="${y}%" overflow="visible"><path class="mark" d="${markPath(look, 52)}"/></svg></g>`;
}
