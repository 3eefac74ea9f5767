import { toOneLine, withoutControls } from '../text/format.ts';
import {
  type Format as Formats,
  type Style,
  styleIf,
  terminalWidth as width,
} from '../text/terminal-style.ts';
import { alignColumns, wrapText } from '../text/text-layout.ts';
import { type Block, type Item, type Span, shownOn, type Table, type Text, type Tone } from './blocks.ts';

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
} as const satisfies Record<Tone, Formats>;

type Format = Extract<Formats, string>;

const step = '  ';

/** A document for a terminal of 80 columns. */
export function renderTerminal(blocks: readonly Block[], colour: boolean): string {
  return `${renderBlocks(blocks, new Writer(styleIf(colour), labelWidth(blocks)), width).join('\n')}\n`;
}

/** Blocks with an empty line between them, but for a heading and what follows it. */
function renderBlocks(blocks: readonly Block[], writer: Writer, columns: number): string[] {
  const lines: string[] = [];
  let apart = false;
  for (const block of shownOn('terminal', blocks)) {
    const more = writer.render(block, columns);
    if (more.length === 0) continue;
    lines.push(...(apart ? [''] : []), ...more);
    apart = block.kind !== 'heading';
  }
  return lines;
}

/** One for all lists of a document, so that their texts stand in line. */
function labelWidth(blocks: readonly Block[]): number {
  const widths = shownOn('terminal', blocks).map(block => {
    if (block.kind === 'details') return labelWidth(block.blocks);
    return block.kind === 'list'
      ? Math.max(0, ...block.items.map(({ label }) => plain(label ?? '').length))
      : 0;
  });
  return Math.max(0, ...widths);
}

function plain(text: Text): string {
  return toOneLine(
    spansOf(text)
      .map(span => span.text)
      .join(''),
  );
}

function spansOf(text: Text): Span[] {
  if (typeof text === 'number') return [{ text: String(text) }];
  if (typeof text === 'string') return [{ text }];
  return text.map(span => (typeof span === 'string' ? { text: span } : span));
}

class Writer {
  readonly #style: Style;
  readonly #labelWidth: number;

  constructor(style: Style, labelWidth: number) {
    this.#style = style;
    this.#labelWidth = labelWidth;
  }

  render(block: Block, columns: number): string[] {
    switch (block.kind) {
      case 'alert':
        return this.#wrap(block.text, columns, '', ['bold', toneColours[block.tone]]);
      case 'heading':
        return this.#wrap(block.text, columns, '', ['bold']);
      case 'paragraph':
        return this.#wrap(block.text, columns, '', formatsOf(block));
      case 'list':
        return block.items.flatMap(item => this.#item(item, columns));
      case 'table':
        return this.#table(block, columns);
      case 'code':
        return block.lines.map(line => step + withoutControls(line));
      case 'details':
        return [
          ...this.#wrap(block.summary, columns, '', ['bold', ...formatsOf(block)]),
          ...shownOn('terminal', block.blocks)
            .flatMap(inner => this.render(inner, columns - step.length))
            .map(line => step + line),
        ];
      case 'chart':
        return this.#wrap(block.alternative, columns);
    }
  }

  #item({ label, text, tone }: Item, columns: number): string[] {
    const hang = label === undefined ? step.length : this.#labelWidth + step.length;
    const [first = '', ...rest] = wrapText(plain(text), columns, ' '.repeat(hang));
    const begin = label === undefined ? '' : plain(label).padEnd(hang);
    const spans = [...(label === undefined ? [] : spansOf(label)), ...spansOf(text)];
    return this.#paint([begin + first.trimStart(), ...rest], spans, formatsOf({ tone }));
  }

  #table({ title, columns, rows }: Table, width: number): string[] {
    if (rows.length === 0) return [];
    const shown = columns.map((column, index) => ({ ...column, index }));
    const all = shownOn('terminal', shown);
    const beside = all.filter(({ ownLine }) => ownLine === undefined);
    const own = (place: 'above' | 'below') => all.filter(({ ownLine }) => ownLine === place);
    const indent = own('above').length > 0 ? step : '';
    const [head = '', ...lines] = alignColumns(
      [
        beside.map(({ name }) => plain(name)),
        ...rows.map(row => beside.map(({ index }) => plain(row[index] ?? ''))),
      ],
      beside.map(({ align }) => align === 'right'),
    );
    return [
      ...(title === undefined ? [] : this.#wrap(title, width, '', ['bold'])),
      this.#style('dim', indent + head),
      ...rows.flatMap((row, number) => [
        ...own('above').flatMap(({ index }) => this.#wrap(row[index] ?? '', width)),
        ...this.#paint(
          [indent + lines[number]],
          beside.flatMap(({ index }) => spansOf(row[index] ?? '')),
        ),
        ...own('below').flatMap(({ index }) => this.#wrap(row[index] ?? '', width, step)),
      ]),
    ];
  }

  #wrap(text: Text, columns: number, indent = '', formats: readonly Format[] = []): string[] {
    return this.#paint(wrapText(plain(text), columns, indent), spansOf(text), formats);
  }

  /** Laying out changes nothing but white space, so the n-th other character of the lines is the n-th of the spans. */
  #paint(lines: readonly string[], spans: readonly Span[], formats: readonly Format[] = []): string[] {
    const owners = spans.flatMap(span => [...toOneLine(span.text).replace(/\s/g, '')].map(() => span));
    let next = 0;
    return lines.map(line => {
      const runs: { text: string; span?: Span | undefined }[] = [];
      for (const character of line) {
        const run = runs.at(-1);
        if (/\s/.test(character)) {
          if (run === undefined) runs.push({ text: character });
          else run.text += character;
          continue;
        }
        const span = owners[next++];
        if (run !== undefined && (run.span === undefined || run.span === span)) {
          run.text += character;
          run.span = span;
        } else runs.push({ text: character, span });
      }
      return runs.map(({ text, span }) => this.#dress(text, [...formats, ...formatsOf(span)])).join('');
    });
  }

  #dress(text: string, formats: Format[]): string {
    return formats.length === 0 ? text : this.#style(formats, text);
  }
}

function formatsOf(
  toned: (Pick<Span, 'strong'> & { readonly tone?: Tone | undefined }) | undefined,
): Format[] {
  return [
    ...(toned?.strong === true ? (['bold'] as const) : []),
    ...(toned?.tone === undefined ? [] : [toneColours[toned.tone]]),
  ];
}
