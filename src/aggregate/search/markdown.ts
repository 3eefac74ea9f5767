import { asMarkdown } from '../text/as-markdown.ts';
import { markdownCode, markdownTable } from '../text/markdown.ts';
import { numberColumn, textColumn } from '../text/table.ts';
import { describeSurroundings, targetBanners } from '../text/target-words.ts';
import type { Search } from './schema.ts';
import {
  byRate,
  countPassed,
  describeConditions,
  describeStopped,
  formatSearchRate,
  stepFigure,
  stepLag,
  verdictWords,
} from './words.ts';

/** A search as the text of `search.md`. Text from outside is escaped. */
export function renderSearchMarkdown(search: Search): string {
  const { knee, steps, warnings, scenario } = search;
  const loud = [...targetBanners(search), describeStopped(search)].flatMap(text =>
    text === null ? [] : [`> **${asMarkdown(text)}**`],
  );
  return `${[
    `# ${asMarkdown(`Search: ${search.name}`)}`,
    ...loud,
    `**${asMarkdown(knee.gist)}**`,
    asMarkdown(`Conditions: ${describeConditions(search.conditions)}. Driven: ${scenario.id}.`),
    '## Target and environment',
    markdownTable(describeSurroundings(search, `, seed ${search.seed}`), [
      textColumn('', ([name]) => name),
      textColumn('', ([, value]) => value),
    ]),
    '## Steps, by rate',
    'Figures are medians over the repeats; lag is how late the generator itself was (p99). `steps/result.json` has each repeat as a round.',
    markdownTable(byRate(steps), [
      numberColumn('step', ({ step }) => step),
      numberColumn('rate', ({ rate }) => formatSearchRate(rate)),
      textColumn('verdict', ({ verdict }) => verdictWords[verdict]),
      numberColumn('passed', countPassed),
      numberColumn('p99 ms', step => stepFigure(step, 'responseP99Ms')),
      numberColumn('completed %', step => stepFigure(step, 'completedShare')),
      numberColumn('failed %', step => stepFigure(step, 'failedShare')),
      numberColumn('lag ms', stepLag),
      textColumn('limited by', ({ limitedBy }) => limitedBy.resource),
      textColumn('evidence', ({ limitedBy }) => limitedBy.evidence),
    ]),
    '## Warnings',
    warnings.length === 0 ? 'None.' : warnings.map(warning => `- ${asMarkdown(warning)}`).join('\n'),
    '## Run it again',
    markdownCode('json', JSON.stringify(search.config, null, 2)),
  ].join('\n\n')}\n`;
}
