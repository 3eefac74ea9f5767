import type { Caveat } from '../result.ts';
import { minCycles } from '../stats/tails.ts';
import { nothing } from '../text/format.ts';
import { type Block, note, plainText, shownOn, type Text, tableOn } from './blocks.ts';

/** The marks of figures that are not what their names say, and their legend. No other file writes or explains a mark. */

type Medium = Parameters<typeof shownOn>[0];

/** How a mark looks in a text, and what it means. */
const marks: readonly { readonly pattern: RegExp; readonly meaning: string }[] = [
  {
    pattern: /≥\S/,
    meaning:
      '≥ marks a lower bound: operations that were lost after a longer wait, or never sent, would have been slower.',
  },
  {
    pattern: /\S†/,
    meaning: `† marks a percentile that is practically the worst stall, because each worker had fewer than ${minCycles} batches slower than it. Use longer windows (--seconds).`,
  },
];

/** The figure with the marks of its caveat. */
export function withMark(figure: string, caveat: Caveat | null | undefined): string {
  switch (caveat) {
    case 'lower bound':
      return `≥${figure}`;
    case 'worst stall':
      return `${figure}†`;
    case 'lower bound of the worst stall':
      return `≥${figure}†`;
    default:
      return figure;
  }
}

/** The same of "2.50 [2.40, 2.60]": the mark stands at the median. A dash has none. */
export function withMedianMarked(figure: string, caveat: Caveat | null | undefined): string {
  if (figure === nothing) return figure;
  const [median = '', ...interval] = figure.split(' [');
  return [withMark(median, caveat), ...interval].join(' [');
}

/**
 * The blocks that a medium shows, with the meaning of each mark after the first table or list that has it. Every rendering
 * does this with what it shows, so no document can have a mark without its legend.
 */
export function withLegend(medium: Medium, blocks: readonly Block[]): Block[] {
  const left = new Set(marks);
  return shownOn(medium, blocks).flatMap(block => {
    const texts = textsOf(medium, block);
    const found = [...left].filter(({ pattern }) => texts.some(text => pattern.test(text)));
    for (const mark of found) left.delete(mark);
    return found.length === 0 ? [block] : [block, note(found.map(({ meaning }) => meaning).join(' '))];
  });
}

/** The texts of a block that can have marks. */
function textsOf(medium: Medium, block: Block): string[] {
  const plain = (texts: readonly (Text | undefined)[]) => texts.map(text => plainText(text ?? ''));
  switch (block.kind) {
    case 'table':
      return plain(tableOn(medium, block).rows.flat());
    case 'list':
      return plain(block.items.flatMap(({ label, text }) => [label, text]));
    case 'details':
      return shownOn(medium, block.blocks).flatMap(inner => textsOf(medium, inner));
    default:
      return [];
  }
}
