import type { ClaimResult, Result } from '../result.ts';
import { asMarkdown } from '../text/as-markdown.ts';
import { describeMeasured, splitClaims } from '../text/claim-words.ts';
import { markdownCode, markdownTable } from '../text/markdown.ts';
import { textColumn } from '../text/table.ts';
import { describeSurroundings, targetBanners } from '../text/target-words.ts';
import { thresholdSection } from '../thresholds/markdown.ts';
import { describeUnjudged } from '../thresholds/words.ts';
import { warningsOf } from '../warnings.ts';
import { fileName } from './file-name.ts';
import {
  accountingSection,
  commandSection,
  loadSection,
  poolSection,
  standOutSection,
} from './markdown-sections.ts';
import {
  comparisonColumns,
  comparisonNote,
  limitColumns,
  resultColumns,
  resultNote,
} from './result-columns.ts';
import { describeShortfall } from './shortfall.ts';

/** A result as the text of `report.md`. Text from outside is escaped. */
export function renderMarkdown(result: Result): string {
  const banners = targetBanners(result);
  const shortfall = describeShortfall(result);
  const loud = [...banners, shortfall].flatMap(text => (text === null ? [] : `> **${asMarkdown(text)}**`));
  const { told, silent } = splitClaims(result.claims, { atLeast: 1 });
  const warnings = warningsOf(result);
  return `${[
    `# ${asMarkdown(result.name)}`,
    ...loud,
    ...thresholdSection(result.thresholds),
    ...[describeUnjudged(result)].flatMap(text => (text === null ? [] : [asMarkdown(text)])),
    ...told.flatMap(verdictSection),
    '## Target and environment',
    targetTable(result),
    '## Results',
    resultNote(result.scenarios),
    markdownTable(result.scenarios, resultColumns(result.scenarios)),
    ...loadSection(result.scenarios),
    ...result.claims.flatMap(comparisonSection),
    '## What limited each scenario',
    markdownTable(result.scenarios, limitColumns()),
    ...standOutSection(result),
    ...commandSection(result.scenarios),
    ...poolSection(result.scenarios),
    ...accountingSection(result.scenarios),
    '## Warnings',
    warnings.length === 0 ? 'None.' : warnings.map(warning => `- ${asMarkdown(warning)}`).join('\n'),
    ...untestedSection(silent),
    '## Run it again',
    `Save this as \`${fileName(result.name)}\` (add the password to the URL, if there is one):`,
    markdownCode('json', JSON.stringify(result.config, null, 2)),
    markdownCode('sh', `npm start -- ${fileName(result.name)}`),
    ...banners.map(banner => `> **${asMarkdown(banner)}**`),
  ].join('\n\n')}\n`;
}

function verdictSection(claim: ClaimResult): string[] {
  return [
    `## ${asMarkdown(claim.id)}: ${asMarkdown(claim.verdict)}`,
    `**${asMarkdown(claim.statement)}**`,
    asMarkdown(claim.reason),
    asMarkdown(describeMeasured(claim)),
  ];
}

function untestedSection(claims: readonly ClaimResult[]): string[] {
  if (claims.length === 0) return [];
  return [
    '## Not tested by this run',
    markdownTable(claims, [
      textColumn('claim', claim => claim.id),
      textColumn('statement', claim => claim.statement),
      textColumn('why', claim => claim.reason),
    ]),
  ];
}

function targetTable(result: Result): string {
  const rows = describeSurroundings(result, `, seed ${result.seed}`);
  return markdownTable(rows, [textColumn('', ([name]) => name), textColumn('', ([, value]) => value)]);
}

function comparisonSection(claim: ClaimResult): string[] {
  if (claim.comparisons.length === 0) return [];
  return [
    `## What ${asMarkdown(claim.id)} was judged by`,
    comparisonNote,
    markdownTable(claim.comparisons, comparisonColumns()),
  ];
}
