import type { Search, SearchStep } from '../../search/schema.ts';
import {
  byRate,
  countPassed,
  describeConditions,
  formatSearchRate,
  stepFigure,
  stepLag,
  verdictWords,
} from '../../search/words.ts';
import { describeTarget } from '../../text/target-words.ts';
import {
  alert,
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
import { bannerAlerts, configCode, environmentBlocks, warningBlocks } from './parts.ts';

/** A search: what it found, and its steps by rate. */
export function searchDocument(search: Search): Block[] {
  const { name, knee, steps, scenario, target } = search;
  const banners = bannerAlerts(search);
  const stopped = describeStopped(search);
  return [
    ...only(wide, [heading(1, `Search: ${name}`)]),
    ...banners,
    ...(stopped === null ? [] : [alert(stopped)]),
    paragraph([strong(knee.gist)]),
    paragraph(`${name} against ${describeTarget(target)}: ${scenario.id}`),
    paragraph(`Conditions: ${describeConditions(search.conditions)}.`),
    ...environmentBlocks(search, `, seed ${search.seed}`),
    ...only(wide, [
      heading(2, 'Steps, by rate'),
      note([
        'Figures are medians over the repeats; lag is how late the generator itself was (p99). ',
        codeSpan('steps/result.json'),
        ' has each repeat as a round.',
      ]),
    ]),
    stepTable(steps),
    ...warningBlocks(search.warnings),
    ...only(wide, [heading(2, 'Run it again'), configCode(search.config)]),
    ...banners,
  ];
}

function stepTable(steps: readonly SearchStep[]): Table {
  return table(byRate(steps), [
    figures('step', ({ step }) => step, { terminal: false }),
    figures('rate', ({ rate }) => formatSearchRate(rate)),
    words('verdict', ({ verdict }) => verdictWords[verdict]),
    figures('passed', countPassed),
    figures('p99 ms', step => stepFigure(step, 'responseP99Ms')),
    figures('completed %', step => stepFigure(step, 'completedShare')),
    figures('failed %', step => stepFigure(step, 'failedShare')),
    figures('lag ms', stepLag),
    words('limited by', ({ limitedBy }) => limitedBy.resource, { terminal: { name: 'limit' } }),
    words('evidence', ({ limitedBy }) => limitedBy.evidence, { terminal: false }),
  ]);
}

/** That the search was stopped; null if it came to its end. */
function describeStopped({ complete, steps }: Search): string | null {
  if (complete) return null;
  return `INCOMPLETE: the search was stopped in step ${Math.max(1, steps.length)}; this is what it had found.`;
}
