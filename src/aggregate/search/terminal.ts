import { toOneLine } from '../text/format.ts';
import { describeTarget, targetBanners } from '../text/target-words.ts';
import { type Format, styleIf, terminalWidth } from '../text/terminal-style.ts';
import { alignColumns, wrapText } from '../text/text-layout.ts';
import type { Search, SearchStep } from './schema.ts';
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

/** A search for a terminal of 80 columns: what it found, then its steps by rate. */
export function renderSearch(search: Search, colour: boolean): string {
  const style = styleIf(colour);
  const paragraph = (text: string, format?: Format) =>
    wrapText(toOneLine(text), terminalWidth).map(line => (format === undefined ? line : style(format, line)));
  const banners = targetBanners(search);
  const stopped = describeStopped(search);
  const loud = ['bold', 'yellow'] as const;
  const [heading = '', ...rows] = renderSteps(search.steps);
  const blocks = [
    ...banners.map(banner => paragraph(banner, [...loud])),
    stopped === null ? [] : paragraph(stopped, [...loud]),
    paragraph(search.knee.gist, 'bold'),
    paragraph(`${search.name} against ${describeTarget(search.target)}: ${search.scenario.id}`),
    paragraph(`Conditions: ${describeConditions(search.conditions)}.`),
    [style('dim', heading), ...rows],
    ...search.warnings.map(warning => paragraph(`Warning: ${warning}`, 'yellow')),
    ...banners.map(banner => paragraph(banner, [...loud])),
  ];
  return `${blocks
    .filter(block => block.length > 0)
    .map(block => block.join('\n'))
    .join('\n\n')}\n`;
}

function renderSteps(steps: readonly SearchStep[]): string[] {
  const rows = byRate(steps).map(step => [
    formatSearchRate(step.rate),
    verdictWords[step.verdict],
    countPassed(step),
    stepFigure(step, 'responseP99Ms'),
    stepFigure(step, 'completedShare'),
    stepFigure(step, 'failedShare'),
    stepLag(step),
    step.limitedBy.resource,
  ]);
  const head = ['rate', 'verdict', 'passed', 'p99 ms', 'completed %', 'failed %', 'lag ms', 'limit'];
  return alignColumns([head, ...rows], [true, false, true, true, true, true, true, false]);
}
