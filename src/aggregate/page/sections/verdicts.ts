import { comparisonColumns, comparisonNote, sayPredicted } from '../../report/result-columns.ts';
import type { ClaimResult, ScenarioResult, Verdict } from '../../result.ts';
import { clearlyLess, clearlyMore } from '../../statistics.ts';
import { describeMeasured } from '../../text/claim-words.ts';
import { formatRange, formatRatio, formatRatioInterval } from '../../text/format.ts';
import { textColumn } from '../../text/table.ts';
import { logAxis } from '../charts/axis.ts';
import { stripChart } from '../charts/strip-chart.ts';
import type { Strip } from '../charts/strip-geometry.ts';
import { type Content, type Html, html } from '../html.ts';
import { namePair } from '../scenario-names.ts';
import { fold, foldedTable, htmlTable } from '../table.ts';

/** Ratios of one claim in a chart; the table has all of them. */
const mostRows = 24;
const mostTabled = 80;

/** The claims that there is something to say of, predicted against measured; `silent` are named with their reasons. */
export function verdicts(
  told: readonly ClaimResult[],
  silent: readonly ClaimResult[],
  scenarios: readonly ScenarioResult[],
): Html {
  const byId = new Map(scenarios.map(scenario => [scenario.id, scenario]));
  return html`${overview(told)}<div class="cards">${told.map(claim => card(claim, byId))}</div>${
    silent.length > 0 &&
    fold(
      `Not tested by this run: ${silent.map(({ id }) => id).join(', ')}`,
      htmlTable('Claims that were not tested', silent, [
        textColumn('claim', ({ id }) => id),
        textColumn('statement', ({ statement }) => statement),
        textColumn('why', ({ reason }) => reason),
      ]),
    )
  }`;
}

const signs: Record<Verdict, string> = { supported: '✓', refuted: '✕', inconclusive: '?', 'not tested': '–' };

function verdictBadge(verdict: Verdict): Html {
  return html`<span class="badge v-${verdict.replace(' ', '-')}"><span aria-hidden="true">${signs[verdict]}</span> ${verdict}</span>`;
}

/** Every claim that measured a ratio, on one axis. */
function overview(claims: readonly ClaimResult[]): Content {
  const rows = claims.flatMap(claim => overviewRow(claim) ?? []);
  if (rows.length === 0) return null;
  return stripChart({
    title: 'Predicted against measured',
    subtitle: 'ratios with their intervals, logarithmic; the line is ×1: no difference',
    axis: ratioAxis(rows),
    unit: '×',
    reference: 1,
    rows,
    legend: [],
    format: formatRatioInterval,
  });
}

function overviewRow({
  id,
  statement,
  verdict,
  unit,
  measured,
  low,
  high,
  predictedRange,
}: ClaimResult): Strip | null {
  if (unit !== '×' || measured === null || low === null || high === null) return null;
  return {
    label: id,
    group: statement,
    badge: verdictBadge(verdict),
    strong: true,
    marks: [{ name: '', look: 0, median: measured, low, high }],
    band: predictedRange,
    bandText: predictedRange === null ? '' : formatRange(predictedRange, formatRatio),
    notes: [verdict],
  };
}

/** Wide enough for all intervals and for what is predicted of them. */
export function ratioAxis(rows: readonly Pick<Strip, 'marks' | 'band'>[]) {
  const values = rows.flatMap(({ marks, band }) => [
    ...marks.flatMap(({ low, high }) => [low, high]),
    ...[band?.low ?? [], band?.high ?? []].flat(),
  ]);
  return logAxis('ratio', [clearlyLess, clearlyMore, ...values], formatRatio);
}

function card(claim: ClaimResult, scenarios: ReadonlyMap<string, ScenarioResult>): Html {
  const { id, verdict, statement, reason, gist } = claim;
  return html`<article class="card v-${verdict.replace(' ', '-')}" id="${id}"><h3>${verdictBadge(verdict)} <span>${id}: ${statement}</span></h3>${
    gist !== '' && html`<p class="gist">${gist}</p>`
  }<p class="measured">${describeMeasured(claim)}</p>${
    gist === '' || gist === reason
      ? gist === '' && html`<p>${reason}</p>`
      : fold('The reason in full', html`<p>${reason}</p>`)
  }${judgedBy(claim, scenarios)}</article>`;
}

function judgedBy(claim: ClaimResult, scenarios: ReadonlyMap<string, ScenarioResult>): Content {
  const { id, comparisons } = claim;
  if (comparisons.length === 0) return null;
  const judged = comparisons.filter(({ predicted }) => predicted !== null);
  const rows = (judged.length > 0 ? judged : comparisons).slice(0, mostRows).map((comparison): Strip => {
    const base = scenarios.get(comparison.base);
    const other = scenarios.get(comparison.other);
    return {
      label: comparison.measure,
      group:
        base === undefined || other === undefined
          ? `${comparison.other} to ${comparison.base}`
          : namePair(base, other),
      badge: null,
      strong: false,
      marks: [{ name: '', look: 0, ...comparison.ratio }],
      band: comparison.predicted,
      bandText: comparison.predicted === null ? '' : sayPredicted(comparison),
      notes: [
        `p-value ${comparison.p.toFixed(4)}, ${comparison.rounds} rounds`,
        `limited by ${comparison.limitedBy.other}, the base by ${comparison.limitedBy.base}`,
      ],
    };
  });
  const tabled = comparisons.slice(0, mostTabled);
  const all =
    tabled.length < comparisons.length
      ? `${tabled.length} of ${comparisons.length} ratios, report.md has all`
      : `all ${comparisons.length} ratios`;
  return fold(
    `What ${id} was judged by: ${comparisons.length === 1 ? 'one ratio' : `${comparisons.length} ratios`}`,
    html`<p class="note">${comparisonNote}</p>${stripChart({
      title: `What ${id} was judged by`,
      subtitle:
        rows.length < comparisons.length
          ? `${rows.length} of its ratios, in the order of the run`
          : 'paired by round',
      axis: ratioAxis(rows),
      unit: '×',
      reference: 1,
      rows,
      legend: [],
      format: formatRatioInterval,
    })}${foldedTable(`Table: ${all}, with p-values`, tabled, comparisonColumns())}`,
  );
}
