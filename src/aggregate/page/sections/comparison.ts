import { scenarioColumns, sideColumns, sideRows } from '../../comparison/columns.ts';
import type { ComparedScenario, FairnessCheck, ResultComparison } from '../../comparison/schema.ts';
import { describeOutcomes, describeRatios } from '../../comparison/words.ts';
import type { Interval } from '../../result.ts';
import { formatInterval, formatMs, formatRate, formatRatioInterval } from '../../text/format.ts';
import { textColumn } from '../../text/table.ts';
import { type Format, logAxis } from '../charts/axis.ts';
import { stripChart } from '../charts/strip-chart.ts';
import type { Strip, StripMark } from '../charts/strip-geometry.ts';
import { type Content, html } from '../html.ts';
import { fold, htmlTable } from '../table.ts';
import { ratioAxis } from './verdicts.ts';

/** More rows than this are a table, not a chart. */
const mostRows = 60;

type Ratio = 'throughput' | 'responseP95' | 'responseP99';

/** Ratios of every scenario to the first side, with what they are worth. */
export function ratioCharts(comparison: ResultComparison): Content {
  const { scenarios, sides } = comparison;
  if (scenarios.length === 0) return null;
  const first = sides[0]?.name ?? '';
  const charts: { ratio: Ratio; title: string; more: string }[] = [
    { ratio: 'throughput', title: `Throughput, to ${first}`, more: 'right of the line is more' },
    { ratio: 'responseP95', title: `Response p95, to ${first}`, more: 'right of the line is slower' },
    { ratio: 'responseP99', title: `Response p99, to ${first}`, more: 'right of the line is slower' },
  ];
  return html`${describeOutcomes(comparison).map(sentence => html`<p class="gist">${sentence}</p>`)}<p class="note">${describeRatios(comparison).join(' ')}</p>${charts.map(
    ({ ratio, title, more }) => ratioChart(comparison, ratio, title, more),
  )}${fold('Table: all scenarios', htmlTable('Scenarios', sideRows(scenarios), scenarioColumns()))}`;
}

function ratioChart(
  { scenarios, sides }: ResultComparison,
  ratio: Ratio,
  title: string,
  more: string,
): Content {
  const rows = scenarios.flatMap(scenario =>
    rowOf(scenario, sides, ({ ratios }) => (ratios === null ? null : ratios[ratio])),
  );
  if (rows.length === 0) return null;
  const shown = rows.slice(0, mostRows);
  return stripChart({
    title,
    subtitle: `ratios with their intervals, logarithmic: ${more}${sayShown(shown, rows)}`,
    axis: ratioAxis(shown),
    unit: '×',
    reference: 1,
    rows: shown,
    legend: legendOf(sides.slice(1), 1),
    format: formatRatioInterval,
  });
}

/** All sides on the same axis. */
export function figureCharts({ scenarios, sides }: ResultComparison): Content {
  if (scenarios.length === 0) return null;
  const charts: { title: string; unit: string; figure: (side: Side) => Interval | null; format: Format }[] = [
    {
      title: 'Throughput of each side',
      unit: 'ops/s',
      figure: side => side.opsPerSecond,
      format: formatRate,
    },
    { title: 'Response p99 of each side', unit: 'ms', figure: side => side.responseP99, format: formatMs },
  ];
  return charts.map(({ title, unit, figure, format }) => {
    const rows = scenarios.flatMap(scenario => rowOf(scenario, sides, figure));
    if (rows.length === 0) return null;
    const shown = rows.slice(0, mostRows);
    return stripChart({
      title,
      subtitle: `${unit}, medians with their intervals, logarithmic${sayShown(shown, rows)}`,
      axis: logAxis(
        unit,
        shown.flatMap(({ marks }) => marks.flatMap(({ low, high }) => [low, high])),
        format,
      ),
      unit,
      reference: null,
      rows: shown,
      legend: legendOf(sides, 0),
      format: interval => formatInterval(interval, format),
    });
  });
}

type Side = ComparedScenario['sides'][number];

function rowOf(
  { id, sides: found, notes }: ComparedScenario,
  sides: ResultComparison['sides'],
  figure: (side: Side) => Interval | null,
): Strip[] {
  const marks = sides.flatMap(({ name }, look): StripMark[] => {
    const side = found.find(one => one.side === name);
    const value = side === undefined ? null : figure(side);
    return value === null || value.low <= 0 ? [] : [{ name, look, ...value }];
  });
  if (marks.length === 0) return [];
  const limits = found.map(({ side, limitedBy }) => `${side} limited by ${limitedBy.resource}`);
  return [
    {
      label: id,
      group: '',
      badge: null,
      strong: false,
      marks,
      band: null,
      bandText: '',
      notes: [...limits, ...notes],
    },
  ];
}

function sayShown(shown: readonly unknown[], all: readonly unknown[]): string {
  return shown.length < all.length ? `; the first ${shown.length} of ${all.length}, the table has all` : '';
}

const legendOf = (sides: ResultComparison['sides'], from: number) =>
  sides.map(({ name }, index) => ({ name, look: index + from, bare: false }));

const signs: Record<FairnessCheck['state'], Content> = {
  ok: html`<span class="badge good">✓ ok</span>`,
  'not ok': html`<span class="badge bad">✕ not ok</span>`,
  unknown: html`<span class="badge unknown">? unknown</span>`,
};

/** Whether the comparison is fair; what is unequal comes first. */
export function fairness({ checks, sides }: ResultComparison): Content {
  const order: FairnessCheck['state'][] = ['not ok', 'unknown', 'ok'];
  const rows = checks.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  const columns = [
    textColumn<FairnessCheck>('', ({ state }) => state),
    textColumn<FairnessCheck>('what', ({ name }) => name),
    ...sides.map(({ name }, index) => textColumn<FairnessCheck>(name, ({ values }) => values[index] ?? '')),
    textColumn<FairnessCheck>('note', ({ note }) => note),
  ];
  return htmlTable('Is it fair?', rows, columns, (check, column) =>
    column === columns[0] ? signs[check.state] : column.text(check),
  );
}

/** The runs that are compared, and what to know of single scenarios. */
export function sidesTable({ sides, scenarios }: ResultComparison): Content {
  const notes = scenarios.flatMap(({ id, notes }) => notes.map(note => ({ id, note })));
  return html`${htmlTable('Sides', sides, sideColumns())}${
    notes.length > 0 &&
    fold(
      `What to know of single scenarios: ${notes.length}`,
      htmlTable('Notes', notes, [
        textColumn('scenario', ({ id }) => id),
        textColumn('note', ({ note }) => note),
      ]),
    )
  }`;
}
