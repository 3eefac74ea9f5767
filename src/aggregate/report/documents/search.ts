import { conditionNames, medianOfRepeats, searchFigures } from '../../search/conditions.ts';
import type { Search, SearchStep } from '../../search/schema.ts';
import { countPassed, describeConditions, formatSearchRate, verdictWords } from '../../search/words.ts';
import { medianOfKnown } from '../../stats/statistics.ts';
import { formatMs, nothing } from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import {
  alerts,
  type Block,
  codeSpan,
  figures,
  heading,
  note,
  only,
  paragraph,
  strong,
  type Table,
  table,
  wide,
  words,
} from '../blocks.ts';
import { headOf } from '../figure-columns.ts';
import { configCode, environmentBlocks, warningBlocks } from './parts.ts';

/** A search: what it found, and its steps by rate. */
export function searchDocument(search: Search): Block[] {
  const { name, knee, steps, scenario, target } = search;
  const banners = targetBanners(search);
  const missing = describeMissingP99(steps);
  return [
    ...only(wide, [heading(1, `Search: ${name}`)]),
    ...alerts([...banners, describeStopped(search)]),
    paragraph([strong(knee.gist)]),
    paragraph(`${name}, measured on ${describeTarget(target)}: ${scenario.id}`),
    paragraph(`Conditions: ${describeConditions(search.conditions)}.`),
    ...environmentBlocks(search, `, seed ${search.seed}`),
    ...only(wide, [
      heading(2, 'Steps, by rate'),
      note([
        'Figures are medians over the repeats; lag is how late the generator itself was (p99). ',
        'The p99 counts operations that did not complete as the slowest, so it is no lower bound. ',
        codeSpan('steps/result.json'),
        ' has each repeat as a round.',
      ]),
    ]),
    stepTable(steps),
    ...missing.map(text => note(text)),
    ...warningBlocks(search.warnings),
    ...only(wide, [heading(2, 'Run it again'), configCode(search.config)]),
    ...alerts(banners),
  ];
}

function stepTable(steps: readonly SearchStep[]): Table {
  // Latency against load: those of one rate in the order in which they were taken.
  const byRate = steps.toSorted((a, b) => a.rate - b.rate || a.step - b.step);
  return table(byRate, [
    figures('step', ({ step }) => step, { terminal: false }),
    figures('rate', ({ rate }) => formatSearchRate(rate)),
    words('verdict', ({ verdict }) => verdictWords[verdict]),
    figures('passed', countPassed),
    ...conditionNames.map(name => {
      const { metric } = searchFigures[name];
      return figures<SearchStep>(headOf(metric), ({ repeats }) =>
        formatKnown(medianOfRepeats(repeats.map(repeat => repeat[name])), metric.kind.formatNumber),
      );
    }),
    figures('lag ms', ({ repeats }) =>
      formatKnown(medianOfKnown(repeats.map(({ lagP99Ms }) => lagP99Ms)), formatMs),
    ),
    words('limited by', ({ limitedBy }) => limitedBy.resource, { terminal: { name: 'limit' } }),
    words('evidence', ({ limitedBy }) => limitedBy.evidence, { terminal: false }),
  ]);
}

function formatKnown(figure: number | null, format: (value: number) => string): string {
  return figure === null ? nothing : format(figure);
}

/** Explains a dash in the column of the p99, if a step has one. */
function describeMissingP99(steps: readonly SearchStep[]): string[] {
  const isMissing = steps.some(
    ({ repeats }) =>
      repeats.length > 0 && medianOfRepeats(repeats.map(({ responseP99Ms }) => responseP99Ms)) === null,
  );
  return isMissing
    ? [
        `${nothing} as p99: in half of the repeats or more, over 1 % of the operations due did not complete, so there is no p99.`,
      ]
    : [];
}

/** Alert that the search was stopped; null if it finished. */
function describeStopped({ complete, steps }: Search): string | null {
  if (complete) return null;
  return `INCOMPLETE: the search was stopped in step ${Math.max(1, steps.length)}; this is what it had found.`;
}
