import { type Caveat, caveatSchema, type Interval } from '../result.ts';
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
const marks: Readonly<Record<Caveat, { readonly pattern: RegExp; readonly meaning: string }>> = {
  'lower bound': {
    pattern: /≥\S/,
    meaning:
      '≥ marks a lower bound: operations that were lost after a longer wait, or never sent, would have been slower.',
  },
  'worst stall': {
    pattern: /\S†/,
    meaning: `† marks a percentile that is practically the worst stall, because each worker had fewer than ${minCycles} batches slower than it. Use longer windows (--seconds).`,
  },
};

/** The figure with the mark of its caveat. A dash has none. */
export function withMark(figure: string, caveat: Caveat | null | undefined): string {
  if (figure === nothing) return figure;
  if (caveat === 'lower bound') return `≥${figure}`;
  return caveat === 'worst stall' ? `${figure}†` : figure;
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
  const explained = new Set<Caveat>();
  return shownOn(medium, blocks).flatMap(block => {
    const found = caveatsOf(medium, block).filter(caveat => !explained.has(caveat));
    for (const caveat of found) explained.add(caveat);
    return [block, ...legendOf(found)];
  });
}

/**
 * A section of a page with the meaning of its marks at its end. A fold in it has its own legend at its end, but not for
 * marks that the section around it explains.
 *
 * @param explained by what is around these blocks
 */
export function withLegends(blocks: readonly Block[], explained: readonly Caveat[] = []): Block[] {
  const shown = shownOn('html', blocks);
  const found = shown
    .filter(({ kind }) => kind !== 'details')
    .flatMap(block => caveatsOf('html', block))
    .filter(caveat => !explained.includes(caveat));
  const known = [...explained, ...found];
  return [
    ...shown.map(block =>
      block.kind === 'details' ? { ...block, blocks: withLegends(block.blocks, known) } : block,
    ),
    ...legendOf(found),
  ];
}

function legendOf(caveats: readonly Caveat[]): Block[] {
  const found = caveatSchema.options.filter(caveat => caveats.includes(caveat));
  return found.length === 0 ? [] : [note(found.map(caveat => marks[caveat].meaning).join(' '))];
}

/** The caveats whose marks a medium shows in a block. */
function caveatsOf(medium: Medium, block: Block): readonly Caveat[] {
  switch (block.kind) {
    case 'table':
      return markedIn(tableOn(medium, block).rows.flat());
    case 'list':
      return markedIn(block.items.flatMap(({ label = '', text }) => [label, text]));
    case 'details':
      return shownOn(medium, block.blocks).flatMap(inner => caveatsOf(medium, inner));
    case 'chart':
      return medium === 'html' ? block.caveats : [];
    default:
      return [];
  }
}

function markedIn(texts: readonly Text[]): Caveat[] {
  const plain = texts.map(plainText);
  return caveatSchema.options.filter(caveat => plain.some(text => marks[caveat].pattern.test(text)));
}
