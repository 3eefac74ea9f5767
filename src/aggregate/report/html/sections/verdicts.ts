import type { ClaimResult, Comparison, Result, ScenarioResult } from '../../../result.ts';
import { describePair } from '../../../scenario/setting.ts';
import { withoutControls } from '../../../stats/control.ts';
import { excludesNothing, formatPlural, formatRange, formatRatio } from '../../../text/format.ts';
import { type Block, badge, type Details, details, list, note, paragraph } from '../../blocks.ts';
import { describeMeasured, measuredInterval } from '../../documents/parts.ts';
import { describeComparisons } from '../../documents/result.ts';
import {
  formatPredicted,
  hasInterval,
  judgedNote,
  judgedTable,
  ratioNote,
  untestedTable,
} from '../../result-tables.ts';
import type { Strip } from '../charts/strip-chart.ts';
import { ratioStrips } from '../charts/strip-chart.ts';
import { renderBadge } from '../page.ts';

/** Ratios of one claim in a chart, and in its table; report.md has all of them. */
const maxRows = 24;
const maxTabled = 80;

/** Claims with findings, each with the ratios behind it; untested ones with their reasons. */
export function verdictBlocks(
  claims: readonly ClaimResult[],
  untested: readonly ClaimResult[],
  scenarios: readonly ScenarioResult[],
): Block[] {
  const byId = byIdOf(scenarios);
  return [
    ...ratioStrips({
      title: 'Predicted against measured',
      how: 'ratios with their intervals, logarithmic; the line is ×1: no difference',
      rows: claims.flatMap(overviewRow),
    }),
    ...claims.map(claim => card(claim, byId)),
    ...(untested.length === 0
      ? []
      : [
          details(`Not tested by this run: ${untested.map(({ id }) => id).join(', ')}`, [
            untestedTable(untested),
          ]),
        ]),
  ];
}

/** Of a claim that measured a ratio. */
function overviewRow(claim: ClaimResult): Strip[] {
  const { id, statement, verdict, unit, predictedRange } = claim;
  const measured = measuredInterval(claim);
  if (unit !== '×' || measured === null || excludesNothing(measured)) return [];
  return [
    {
      label: id,
      group: statement,
      badge: renderBadge(verdict, verdict),
      strong: true,
      marks: [{ look: 0, ...measured }],
      band: predictedRange && { ...predictedRange, text: formatRange(predictedRange, formatRatio) },
      notes: [verdict],
    },
  ];
}

function card(claim: ClaimResult, scenarios: ReadonlyMap<string, ScenarioResult>): Details {
  const { id, verdict, statement, reason, gist } = claim;
  const measured = paragraph(describeMeasured(claim), 'muted');
  const body =
    gist === ''
      ? [measured, paragraph(reason)]
      : [
          paragraph(gist),
          measured,
          ...(gist === reason ? [] : [details('The reason in full', [paragraph(reason)])]),
        ];
  return details(
    [badge(verdict, verdict), ` ${id}: ${statement}`],
    [...body, ...judgedBy(claim, scenarios)],
    { tone: verdict },
  );
}

function judgedBy(claim: ClaimResult, scenarios: ReadonlyMap<string, ScenarioResult>): Block[] {
  const { id } = claim;
  const comparisons = claim.comparisons.filter(hasInterval);
  if (comparisons.length === 0) return [];
  const title = `The ratios behind ${id}`;
  const count = comparisons.length === 1 ? 'one ratio' : `${comparisons.length} ratios`;
  return [details(`${title}: ${count}`, ratioBlocks(title, comparisons, scenarios, judgedNote))];
}

/** The comparisons of a run without claims, and their findings. */
export function comparedBlocks(result: Result): Block[] {
  const found = describeComparisons(result);
  if (found.length === 0) return [];
  const comparisons = result.comparisons.filter(hasInterval);
  return [
    list(found.slice(0, maxRows)),
    ...(comparisons.length === 0
      ? []
      : ratioBlocks('Ratios', comparisons, byIdOf(withoutControls(result)), ratioNote)),
  ];
}

const byIdOf = (scenarios: readonly ScenarioResult[]) =>
  new Map(scenarios.map(scenario => [scenario.id, scenario]));

function ratioBlocks(
  title: string,
  comparisons: readonly Comparison[],
  scenarios: ReadonlyMap<string, ScenarioResult>,
  how: string,
): Block[] {
  const judged = comparisons.filter(({ predicted }) => predicted !== null);
  const rows = (judged.length > 0 ? judged : comparisons)
    .slice(0, maxRows)
    .map(comparison => ratioRow(comparison, scenarios));
  const tabled = comparisons.slice(0, maxTabled);
  const all =
    tabled.length < comparisons.length
      ? `${tabled.length} of ${comparisons.length} ratios, report.md has all`
      : formatPlural(comparisons.length, 'ratio');
  return [
    note(how),
    ...ratioStrips({
      title,
      how:
        rows.length < comparisons.length
          ? `${rows.length} of the ratios, in the order of the run`
          : 'paired by round',
      rows,
    }),
    details(`Table: ${all}, with p-values`, [judgedTable(tabled)]),
  ];
}

function ratioRow(comparison: Comparison, scenarios: ReadonlyMap<string, ScenarioResult>): Strip {
  const { measure, caveat, ratio, predicted, p, rounds, limitedBy } = comparison;
  const base = scenarios.get(comparison.base);
  const other = scenarios.get(comparison.other);
  return {
    label: measure,
    caveat: caveat ?? null,
    group:
      base === undefined || other === undefined
        ? `${comparison.other} to ${comparison.base}`
        : describePair(base, other),
    marks: [{ look: 0, ...ratio }],
    band: predicted && { ...predicted, text: formatPredicted(comparison) },
    notes: [
      `p-value ${p.toFixed(4)}, ${formatPlural(rounds, 'round')}`,
      `limited by ${limitedBy.other}, the base by ${limitedBy.base}`,
    ],
  };
}
