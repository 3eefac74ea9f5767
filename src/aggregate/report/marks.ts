import type { Caveat, Interval } from '../result.ts';
import { minCycles } from '../stats/tails.ts';
import { nothing } from '../text/format.ts';
import { type Block, note, plainText, shownOn, type Text, tableOn } from './blocks.ts';

/** The marks of figures that are not what their names say, and their legend. No other file writes or explains a mark. */

type Medium = Parameters<typeof shownOn>[0];

/** An interval with the caveat of its median. */
export interface MarkedInterval extends Interval {
  readonly caveat?: Caveat | null;
}

/** How a mark looks in a text, and what it means. */
const marks = {
  '≥': {
    pattern: /≥\S/,
    meaning:
      '≥ marks a lower bound: operations that were lost after a longer wait, or never sent, would have been slower.',
  },
  '†': {
    pattern: /\S†/,
    meaning: `† marks a percentile that is practically the worst stall, because each worker had fewer than ${minCycles} batches slower than it. Use longer windows (--seconds).`,
  },
} as const;

type Mark = keyof typeof marks;
const allMarks = Object.keys(marks) as Mark[];

const marksOf: Readonly<Record<Caveat, readonly Mark[]>> = {
  'lower bound': ['≥'],
  'worst stall': ['†'],
  'lower bound of the worst stall': ['≥', '†'],
};

/** The figure with the marks of its caveat. A dash has none. */
export function withMark(figure: string, caveat: Caveat | null | undefined): string {
  if (figure === nothing || caveat === null || caveat === undefined) return figure;
  const has = (mark: Mark) => marksOf[caveat]?.includes(mark);
  return `${has('≥') ? '≥' : ''}${figure}${has('†') ? '†' : ''}`;
}

/** The same of "2.50 [2.40, 2.60]": the mark stands at the median. */
export function withMedianMarked(figure: string, caveat: Caveat | null | undefined): string {
  const [median = '', ...interval] = figure.split(' [');
  return [withMark(median, caveat), ...interval].join(' [');
}

/**
 * The blocks that a medium shows, with the meaning of each mark after the first block that has it: for documents that are
 * read from top to bottom. Every rendering adds the legend to what it shows, so no document can have a mark without it.
 */
export function withLegend(medium: Exclude<Medium, 'html'>, blocks: readonly Block[]): Block[] {
  const explained = new Set<Mark>();
  return shownOn(medium, blocks).flatMap(block => {
    const found = marksIn(medium, block).filter(mark => !explained.has(mark));
    for (const mark of found) explained.add(mark);
    return [block, ...legendOf(found)];
  });
}

/**
 * A section of a page with the meaning of its marks at its end. A fold in it has its own legend at its end, but not for
 * marks that the section around it explains.
 *
 * @param explained by what is around these blocks
 */
export function withLegends(blocks: readonly Block[], explained: readonly Mark[] = []): Block[] {
  const shown = shownOn('html', blocks);
  const found = shown
    .filter(({ kind }) => kind !== 'details')
    .flatMap(block => marksIn('html', block))
    .filter(mark => !explained.includes(mark));
  const known = [...explained, ...found];
  return [
    ...shown.map(block =>
      block.kind === 'details' ? { ...block, blocks: withLegends(block.blocks, known) } : block,
    ),
    ...legendOf(found),
  ];
}

function legendOf(some: readonly Mark[]): Block[] {
  const found = allMarks.filter(mark => some.includes(mark));
  return found.length === 0 ? [] : [note(found.map(mark => marks[mark].meaning).join(' '))];
}

/** The marks that a medium shows in a block. */
function marksIn(medium: Medium, block: Block): readonly Mark[] {
  switch (block.kind) {
    case 'table':
      return markedIn(tableOn(medium, block).rows.flat());
    case 'list':
      return markedIn(block.items.flatMap(({ label = '', text }) => [label, text]));
    case 'details':
      return shownOn(medium, block.blocks).flatMap(inner => marksIn(medium, inner));
    case 'chart':
      return medium === 'html' ? block.caveats.flatMap(caveat => marksOf[caveat]) : [];
    default:
      return [];
  }
}

function markedIn(texts: readonly Text[]): Mark[] {
  const plain = texts.map(plainText);
  return allMarks.filter(mark => plain.some(text => marks[mark].pattern.test(text)));
}
