import { describeMeasured, describeUntested, splitClaims } from '../text/claim-words.ts';
import { formatInterval, formatMs, formatRate, formatRatioInterval } from '../text/format.ts';
import { asMarkdown, type Column, markdownTable, numberColumn, textColumn } from '../text/markdown.ts';
import { describeTarget } from '../text/target-words.ts';
import { thresholdSection } from '../thresholds/markdown.ts';
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
    scenariosTable(scenarios),
    ...notesSection(scenarios),
    ...alarms,
  ].join('\n\n')}\n`;
}

export function sideColumns(): Column<ResultComparison['sides'][number]>[] {
  return [
    textColumn('side', side => side.name),
    textColumn('server', side => describeTarget(side.target)),
    textColumn('declared', ({ target }) => `${target.declared.server} at ${target.declared.url}`),
    textColumn('stand-in', ({ target }) => (target.standIn ? 'yes' : 'no')),
    textColumn('time', side => `${side.startedAt} to ${side.finishedAt}`),
  ];
}

function scenariosTable(scenarios: readonly ComparedScenario[]): string {
  return markdownTable(sideRows(scenarios), scenarioColumns());
}

/** One scenario on one side. */
export type SideRow = ComparedScenario['sides'][number] & Pick<ComparedScenario, 'id'>;

export function sideRows(scenarios: readonly ComparedScenario[]): SideRow[] {
  return scenarios.flatMap(({ id, sides }) => sides.map(side => ({ id, ...side })));
}

export function scenarioColumns(): Column<SideRow>[] {
  return [
    textColumn('scenario', ({ id, ratios }) => (ratios === null ? id : '')),
    textColumn('side', ({ side }) => side),
    numberColumn('ops/s', ({ opsPerSecond }) => formatInterval(opsPerSecond, formatRate)),
    numberColumn('throughput', ({ ratios }) =>
      ratios === null ? '' : formatRatioInterval(ratios.throughput),
    ),
    numberColumn('p95 ms', ({ responseP95 }) => formatInterval(responseP95, formatMs)),
    numberColumn('p95', ({ ratios }) => (ratios === null ? '' : formatRatioInterval(ratios.responseP95))),
    numberColumn('p99 ms', ({ responseP99 }) => formatInterval(responseP99, formatMs)),
    numberColumn('p99', ({ ratios }) => (ratios === null ? '' : formatRatioInterval(ratios.responseP99))),
    textColumn('limited by', ({ limitedBy }) => limitedBy.resource),
    numberColumn('rounds', ({ ratios }) => ratios?.rounds ?? ''),
  ];
}

function notesSection(scenarios: readonly ComparedScenario[]): string[] {
  const notes = scenarios.flatMap(({ id, notes }) =>
    notes.map(note => `- ${asMarkdown(id)}: ${asMarkdown(note)}`),
  );
  return notes.length === 0 ? [] : ['## What to know of single scenarios', notes.join('\n')];
}
