import type { Caveat, Interval, ScenarioResult } from '../../../result.ts';
import { bySize, describeSize, type SettingGroup } from '../../../scenario/setting.ts';
import type { Kind } from '../../../stats/metrics.ts';
import { clearlyLess, clearlyMore, isUnbounded } from '../../../stats/statistics.ts';
import { formatInterval, formatRatio, formatRatioInterval, nothing } from '../../../text/format.ts';
import { type Chart, figures, table, words } from '../../blocks.ts';
import { type MarkedInterval, withMark, withMedianMarked } from '../../marks.ts';
import { type Content, type Html, html } from '../markup.ts';
import { type Axis, type Format, logAxis, scaleOf } from './axis.ts';
import {
  areaSwatch,
  colourOf,
  figure,
  formatExactInterval,
  type LegendEntry,
  legend,
  markPath,
  px,
  swatches,
} from './frame.ts';

export interface StripMark extends MarkedInterval {
  /** Left out if a row has a single mark, which is the chart's subject. */
  readonly name?: string;
  readonly look: number;
}

export interface Strip {
  readonly label: string;
  /** Of what the label names; its mark is at the label. */
  readonly caveat?: Caveat | null;
  /** What the row belongs to, in small letters. */
  readonly group?: string;
  readonly badge?: Content;
  readonly strong?: boolean;
  readonly marks: readonly StripMark[];
  /** The predicted range behind the marks, open where null, and the same in words. */
  readonly band?: { readonly low: number | null; readonly high: number | null; readonly text: string } | null;
  /** Further lines of the tip. */
  readonly notes?: readonly string[];
}

interface Strips {
  readonly title: string;
  /** What the rows are. */
  readonly how: string;
  readonly rows: readonly Strip[];
  /** What the looks of the marks mean, where there are several. */
  readonly legend?: readonly LegendEntry[];
}

interface StripChart extends Strips {
  /** Of the values: "×", "ms". */
  readonly unit: string;
  /** Of the labels of the axis. */
  readonly format: Format;
  /** The figure beside its row. */
  readonly formatMark: (interval: Interval) => string;
}

/** Figures with their intervals in rows; no chart without rows. */
export function figureStrips(
  strips: Strips,
  { unit, formatNumber }: Pick<Kind, 'unit' | 'formatNumber'>,
): Chart[] {
  return stripChart({
    ...strips,
    how: `${unit}, ${strips.how}`,
    unit,
    format: formatNumber,
    formatMark: interval => formatInterval(interval, formatNumber),
  });
}

const ratioUnit = '×';

/** Ratios with their intervals in rows, and a line at ×1; no chart without rows. */
export function ratioStrips(strips: Strips): Chart[] {
  return stripChart({ ...strips, unit: ratioUnit, format: formatRatio, formatMark: formatRatioInterval });
}

/** Intervals in rows above one logarithmic axis; labels and figures are text of the page, so they wrap on a narrow page. */
function stripChart(chart: StripChart): Chart[] {
  const { title, how, rows, unit } = chart;
  if (rows.length === 0) return [];
  const axis = axisOf(chart);
  const place = placeOn(axis);
  const ticks = axis.ticks.map(({ at, label }) => ({ at: place(at), label }));
  const line = (name: string, at: number) =>
    html`<line class="${name}" x1="${at}%" x2="${at}%" y1="0" y2="100%"/>`;
  const grid = html`${ticks.map(({ at }) => line('grid', at))}${
    unit === ratioUnit && line('reference', place(1))
  }`;
  const banded = rows.some(({ band }) => band);
  const [maxMarks = []] = rows.map(({ marks }) => marks).toSorted((a, b) => b.length - a.length);
  const drawn = figure({
    title,
    subtitle: how,
    size: 'wide',
    legend: html`${chart.legend !== undefined && legend(chart.legend)}${
      banded && swatches([{ name: 'predicted', swatch: areaSwatch('band') }])
    }`,
    drawing: html`<div class="strips">${rows.map(row => drawRow(chart, row, place, grid))}<div class="strip-row strip-axis"><span class="strip-label"></span><svg height="22" aria-hidden="true">${ticks.map(
      ({ at, label }) => html`<text x="${at}%" y="15" text-anchor="middle">${label}</text>`,
    )}</svg><span class="strip-value">${axis.label}</span></div></div>`,
    table: table(rows, [
      words('', labelOf),
      ...(rows.some(({ group = '' }) => group !== '') ? [words<Strip>('of', ({ group = '' }) => group)] : []),
      ...maxMarks.map(({ name }, index) =>
        figures<Strip>(name === undefined ? unit : `${name}, ${unit}`, ({ marks }) =>
          formatMarked(marks[index], formatExactInterval),
        ),
      ),
      ...(banded ? [figures<Strip>('predicted', ({ band }) => band?.text ?? nothing)] : []),
    ]),
    caveats: rows.flatMap(({ caveat, marks }) => [caveat, ...marks.map(mark => mark.caveat)]),
  });
  return [drawn];
}

const labelOf = ({ label, caveat }: Strip) => withMark(label, caveat);

/** Its figure with the mark of its caveat, as in the tables. */
function formatMarked(mark: StripMark | undefined, format: (interval: Interval) => string): string {
  return mark === undefined ? nothing : withMedianMarked(format(mark), mark.caveat);
}

/** Wide enough for all intervals and predicted ranges. */
function axisOf({ unit, rows, format }: StripChart): Axis {
  const values = rows.flatMap(({ marks, band }) => [
    ...marks.flatMap(({ low, median, high }) => [low, median, high]),
    ...[band?.low ?? [], band?.high ?? []].flat(),
  ]);
  return unit === ratioUnit
    ? logAxis('ratio', [clearlyLess, clearlyMore, ...values], format)
    : logAxis(unit, values, format);
}

/**
 * Places in percent of a strip's width, so that it can be as wide as the page allows. Values beyond the axis are placed
 * at its end.
 */
function placeOn(axis: Axis): (value: number) => number {
  const scale = scaleOf(axis, [3, 97]);
  const [min, max] = axis.domain;
  return value => Math.round(scale(Math.min(max, Math.max(min, value))) * 100) / 100;
}

function drawRow(chart: StripChart, row: Strip, place: (value: number) => number, grid: Content): Html {
  const { group = '', badge = null, strong = false, marks, band, notes = [] } = row;
  const label = labelOf(row);
  const tip = [
    label,
    ...(group === '' ? [] : [group]),
    ...marks.map(
      mark =>
        `${mark.name === undefined ? '' : `${mark.name}: `}${formatMarked(mark, formatExactInterval)} ${chart.unit}`,
    ),
    ...(band ? [`predicted: ${band.text}`] : []),
    ...notes,
  ].join('\n');
  const height = Math.max(24, 10 + marks.length * 16);
  const low = band?.low == null ? 0 : place(band.low);
  const high = band?.high == null ? 100 : place(band.high);
  return html`<div class="strip-row${strong && ' strong'}" data-tip="${tip}"><span class="strip-label">${badge}${label}${
    group !== '' && html` <small>${group}</small>`
  }</span><svg height="${height}" aria-hidden="true">${
    band != null && html`<rect class="band" x="${low}%" width="${high - low}%" height="100%"/>`
  }${grid}${marks.map((mark, index) => drawMark(mark, place, px((100 * (index + 1)) / (marks.length + 1))))}</svg><span class="strip-value">${marks.map(
    mark => html`<span>${formatMarked(mark, chart.formatMark)}</span>`,
  )}${marks.length === 0 && nothing}</span></div>`;
}

function drawMark(mark: StripMark, place: (value: number) => number, y: number): Html {
  const { low, median, high, look } = mark;
  return html`<g class="${colourOf(look)}">${
    !isUnbounded(mark) &&
    html`<line class="whisker" x1="${place(low)}%" x2="${place(high)}%" y1="${y}%" y2="${y}%"/>`
  }<svg x="${place(median)}%" y="${y}%" overflow="visible"><path class="mark" d="${markPath(look, 52)}"/></svg></g>`;
}

/** A row for each scenario whose figure is above 0: others cannot be shown on a logarithmic axis. */
export function scenarioStrips(
  groups: readonly SettingGroup[],
  figure: (scenario: ScenarioResult) => MarkedInterval | null,
  notes: (scenario: ScenarioResult) => readonly string[] = () => [],
): Strip[] {
  return groups.flatMap(({ label, scenarios }) =>
    scenarios.toSorted(bySize).flatMap((scenario): Strip[] => {
      const interval = figure(scenario);
      if (interval === null || interval.median <= 0) return [];
      return [
        { label, group: describeSize(scenario), marks: [{ look: 0, ...interval }], notes: notes(scenario) },
      ];
    }),
  );
}
