import { asMarkdown } from '../text/as-markdown.ts';
import { describeMeasured, describeUntested, splitClaims } from '../text/claim-words.ts';
import { markdownTable } from '../text/markdown.ts';
import { textColumn } from '../text/table.ts';
import { thresholdSection } from '../thresholds/markdown.ts';
import { scenarioColumns, sideColumns, sideRows } from './columns.ts';
import type { ComparedScenario, ResultComparison } from './schema.ts';
import { describeAlarms, describeOutcomes, describeRatios, describeTitle } from './words.ts';

/** A comparison as the text of `comparison.md`. Text from outside is escaped. */
export function renderComparisonMarkdown(comparison: ResultComparison): string {
  const { sides, scenarios, checks } = comparison;
  const { told, silent } = splitClaims(comparison.claims, { atLeast: 0 });
  const untested = describeUntested(silent);
  const alarms = describeAlarms(comparison).map(alarm => `> **${asMarkdown(alarm)}**`);
  return `${[
    `# ${asMarkdown(describeTitle(comparison))}`,
    ...alarms,
    ...thresholdSection(comparison.thresholds),
    ...told.flatMap(claim => [
      `## ${asMarkdown(claim.id)}: ${asMarkdown(claim.verdict)}`,
      `**${asMarkdown(claim.statement)}**`,
      asMarkdown(claim.reason),
      asMarkdown(describeMeasured(claim)),
    ]),
    ...(untested === null ? [] : [asMarkdown(untested)]),
    ...describeOutcomes(comparison).map(asMarkdown),
    '## Sides',
    markdownTable(sides, sideColumns()),
    '## Is it fair?',
    markdownTable(checks, [
      textColumn('', check => check.state),
      textColumn('what', check => check.name),
      ...sides.map(({ name }, index) =>
        textColumn<(typeof checks)[number]>(asMarkdown(name), ({ values }) => values[index] ?? ''),
      ),
      textColumn('note', check => check.note),
    ]),
    '## Scenarios',
    [...describeRatios(comparison), 'The first side has medians over its rounds, the others ratios to it.']
      .map(asMarkdown)
      .join(' '),
    markdownTable(sideRows(scenarios), scenarioColumns()),
    ...notesSection(scenarios),
    ...alarms,
  ].join('\n\n')}\n`;
}

function notesSection(scenarios: readonly ComparedScenario[]): string[] {
  const notes = scenarios.flatMap(({ id, notes }) =>
    notes.map(note => `- ${asMarkdown(id)}: ${asMarkdown(note)}`),
  );
  return notes.length === 0 ? [] : ['## What to know of single scenarios', notes.join('\n')];
}
