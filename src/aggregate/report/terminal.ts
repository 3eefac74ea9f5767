import { toOneLine, withoutControlCharacters } from '../text/format.ts';
import { alignColumns, type Format, styleIf, terminalWidth, wrapText } from '../text/text-layout.ts';
import {
  type Block,
  type Item,
  plainText,
  type Span,
  shownOn,
  spansOf,
  type Table,
  type Text,
  type Tone,
  tableOn,
} from './blocks.ts';
import { withLegend } from './marks.ts';

type OneFormat = Extract<Format, string>;

const toneColours = {
  supported: 'green',
  refuted: 'red',
  inconclusive: 'yellow',
  'not tested': 'yellow',
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  unknown: 'yellow',
  muted: 'dim',
} as const satisfies Record<Tone, OneFormat>;

const step = '  ';

/** A document for a terminal of 80 columns. */
export function renderTerminal(blocks: readonly Block[], colour: boolean): string {
  const style = styleIf(colour);
  const shown = withLegend('terminal', blocks);
  // One for all lists, so that their texts stand in line.
  const hang = step.length + Math.max(0, ...shown.flatMap(labelWidths));

  /** Each word is styled by itself, so that text can be wrapped with its colours. */
  function styled(text: Text, formats: readonly OneFormat[] = []): string {
    const spans = spansOf(text).map(span => {
      const all = [...formats, ...formatsOf(span)];
      const clean = withoutControlCharacters(span.text);
      return all.length === 0 ? clean : clean.replace(/\S+/g, word => style(all, word));
    });
    return spans.join('').trim();
  }

  function render(block: Block, width: number): string[] {
    switch (block.kind) {
      case 'alert':
        return wrapText(styled(block.text, ['bold', toneColours.warning]), width);
      case 'heading':
        return wrapText(styled(block.text, ['bold']), width);
      case 'paragraph':
        return wrapText(styled(block.text, formatsOf(block)), width);
      case 'list':
        return block.items.flatMap(item => renderItem(item, width));
      case 'table':
        return renderTable(block, width);
      case 'code':
        return block.lines.map(line => step + withoutControlCharacters(line));
      case 'details':
        return [
          ...wrapText(styled(block.summary, ['bold', ...formatsOf(block)]), width),
          ...shownOn('terminal', block.blocks)
            .flatMap(inner => render(inner, width - step.length))
            .map(line => step + line),
        ];
      case 'chart':
        return [];
    }
  }

  function renderItem({ label, text, tone }: Item, width: number): string[] {
    const formats = formatsOf({ tone });
    if (label === undefined) {
      const [first = '', ...rest] = wrapText(styled(text, formats), width, step);
      return [first.trimStart(), ...rest];
    }
    const [first = '', ...rest] = wrapText(styled(text, formats), width, ' '.repeat(hang));
    const blanks = ' '.repeat(hang - toOneLine(plainText(label)).length);
    return [styled(label, formats) + blanks + first.trimStart(), ...rest];
  }

  function renderTable(block: Table, width: number): string[] {
    if (block.rows.length === 0) return [];
    const { title = '', columns, rows } = tableOn('terminal', block);
    const beside = <Cell>(cells: readonly Cell[]) =>
      cells.filter((_, index) => columns[index]?.ownLine === undefined);
    const indent = columns.some(({ ownLine }) => ownLine === 'above') ? step : '';
    const [head = '', ...lines] = alignColumns(
      [
        beside(columns).map(({ name }) => styled(name, ['dim'])),
        ...rows.map(row => beside(row).map(cell => styled(cell))),
      ],
      beside(columns).map(({ align }) => align === 'right'),
    );
    const ownLines = (row: readonly Text[], place: 'above' | 'below', indent: string) =>
      row.flatMap((cell, index) =>
        columns[index]?.ownLine === place ? wrapText(styled(cell), width, indent) : [],
      );
    return [
      ...wrapText(styled(title, ['bold']), width),
      indent + head,
      ...rows.flatMap((row, number) => [
        ...ownLines(row, 'above', ''),
        indent + lines[number],
        ...ownLines(row, 'below', step),
      ]),
    ];
  }

  // An empty line between blocks, but for a heading and what follows it.
  const rendered = shown.map(block => ({ kind: block.kind, lines: render(block, terminalWidth) }));
  return rendered
    .filter(({ lines }) => lines.length > 0)
    .map(({ kind, lines }) => `${lines.join('\n')}\n${kind === 'heading' ? '' : '\n'}`)
    .join('')
    .replace(/\n*$/, '\n');
}

function labelWidths(block: Block): number[] {
  if (block.kind === 'details') return shownOn('terminal', block.blocks).flatMap(labelWidths);
  return block.kind === 'list'
    ? block.items.map(({ label }) => toOneLine(plainText(label ?? '')).length)
    : [];
}

function formatsOf({ strong, tone }: Partial<Pick<Span, 'strong' | 'tone'>>): OneFormat[] {
  return [
    ...(strong === true ? (['bold'] as const) : []),
    ...(tone === undefined ? [] : [toneColours[tone]]),
  ];
}
