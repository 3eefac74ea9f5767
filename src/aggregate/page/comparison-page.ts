import type { ResultComparison } from '../comparison/schema.ts';
import { describeAlarms, describeTitle } from '../comparison/words.ts';
import { splitClaims } from '../text/claim-words.ts';
import { formatPlural } from '../text/format.ts';
import { describeTarget } from '../text/target-words.ts';
import { describeThresholds } from '../thresholds/words.ts';
import { renderDocument } from './document.ts';
import { type Html, html } from './html.ts';
import { section } from './section.ts';
import { fairness, figureCharts, ratioCharts, sidesTable } from './sections/comparison.ts';
import { thresholdTable } from './sections/thresholds.ts';
import { verdicts } from './sections/verdicts.ts';

/** A comparison as the text of `comparison.html`: one file that fetches nothing. Text from outside is escaped. */
export function renderComparisonPage(comparison: ResultComparison): string {
  const { told, silent } = splitClaims(comparison.claims, { atLeast: 0 });
  const hasClaims = comparison.claims.length > 0;
  return renderDocument({
    title: `${describeTitle(comparison)} – poolbench`,
    header: header(comparison),
    alarms: alarmsOf(comparison),
    sections: [
      section('verdicts', 'Verdicts', hasClaims && verdicts(told, silent, [])),
      section('ratios', 'Differences', ratioCharts(comparison)),
      section('fairness', 'Is it fair?', fairness(comparison)),
      section('figures', 'Side by side', figureCharts(comparison)),
      section('thresholds', 'Thresholds', thresholdTable(comparison.thresholds)),
      section('sides', 'Sides', sidesTable(comparison)),
    ].flat(),
    footer: html`<p>All figures are from the runs’ result.json. comparison.md says the same as text.</p>`,
  });
}

function header(comparison: ResultComparison): Html {
  const { sides, scenarios, checks } = comparison;
  const unequal = checks.filter(({ state }) => state === 'not ok').length;
  return html`<p class="brand">poolbench comparison</p><h1>${describeTitle(comparison)}</h1>${sides.map(
    ({ name, target }) => html`<p class="lead"><b>${name}</b> ${describeTarget(target)}</p>`,
  )}<p class="facts">${[
    formatPlural(scenarios.length, 'scenario'),
    `${unequal === 0 ? 'no' : unequal} unequal ${unequal === 1 ? 'condition' : 'conditions'}`,
  ].map(fact => html`<span>${fact}</span>`)}</p>`;
}

function alarmsOf(comparison: ResultComparison): string[] {
  const nothing =
    comparison.scenarios.length === 0 ? ['NOTHING TO COMPARE: no scenario was measured on two sides.'] : [];
  const crossed = comparison.thresholds.some(threshold => threshold.crossed);
  return [
    ...describeAlarms(comparison),
    ...nothing,
    ...[crossed ? (describeThresholds(comparison.thresholds) ?? []) : []].flat(),
  ];
}
