import type { Caveat, Verdict } from '../result.ts';
import type { Html } from './html/markup.ts';

/**
 * The parts of a report: a list of blocks, plain data. Text in a block may come from any source and is stored
 * unchanged: only the renderers join it into one line, wrap, colour and escape it.
 */

/** Where a document is shown. */
type Medium = 'terminal' | 'markdown' | 'html';
/** Where a digest is shown. */
export const narrow: readonly Medium[] = ['terminal'];
/** Media with room for wide tables and for everything that a digest leaves out. */
export const wide: readonly Medium[] = ['markdown', 'html'];

/** The meaning of a text, from which a renderer takes its colour. Markdown has none. */
export type Tone = Verdict | 'good' | 'bad' | 'warning' | 'unknown' | 'muted';

/** A piece of a text. */
export interface Span {
  readonly text: string;
  readonly strong?: boolean;
  readonly code?: boolean;
  /** A path relative to the file that holds the document. The terminal shows the text alone. */
  readonly link?: string;
  readonly tone?: Tone | undefined;
  /** A word for a state, such as a verdict: HTML draws it as a badge. */
  readonly badge?: boolean;
}

/** Text from anywhere. */
export type Text = string | number | readonly (string | Span)[];

interface Shown {
  /** Everywhere by default. */
  readonly on?: readonly Medium[];
}

/** An alert: at the top of a document, and again at its end. */
interface Alert extends Shown {
  readonly kind: 'alert';
  readonly text: string;
}

interface Heading extends Shown {
  readonly kind: 'heading';
  /** 1 is the title of the document, 2 that of a section. */
  readonly level: 1 | 2 | 3;
  readonly text: Text;
}

interface Paragraph extends Shown {
  readonly kind: 'paragraph';
  /** `muted` for a note about the figures around it. */
  readonly tone?: Tone | undefined;
  readonly text: Text;
}

/** A column of a table that is already made: its heading, and how its cells are laid out. */
interface TableColumn extends Shown {
  /** Empty for a column that needs no heading. */
  readonly name: string;
  readonly align: 'left' | 'right';
  /** A terminal writes the cell on a separate line above or below the row, if it is not empty. */
  readonly ownLine?: 'above' | 'below';
}

export interface Table extends Shown {
  readonly kind: 'table';
  /** Title of the table: a line above it, or the label of its region in a page. */
  readonly title?: Text | undefined;
  readonly columns: readonly TableColumn[];
  /** A cell for each column. */
  readonly rows: readonly (readonly Text[])[];
}

/** An item of a list; with a label for what the text is about or in which state it is. */
export interface Item {
  readonly label?: Text;
  readonly text: Text;
  readonly tone?: Tone;
}

/** Items with labels: two columns in a terminal and in Markdown, a `<dl>` in HTML. */
export interface List extends Shown {
  readonly kind: 'list';
  readonly items: readonly Item[];
}

/** Lines to copy. Each stays one line, so foreign text cannot add a command. */
export interface Code extends Shown {
  readonly kind: 'code';
  readonly language: 'json' | 'sh';
  /** Its label in HTML. */
  readonly name: string;
  readonly lines: readonly string[];
}

/** A summary with details: indented in a terminal, folded in HTML unless it is open. */
export interface Details extends Shown {
  readonly kind: 'details';
  readonly summary: Text;
  readonly tone?: Tone;
  readonly open?: boolean;
  readonly blocks: readonly Block[];
}

/** A drawing, which only HTML shows: an accompanying table has the same figures. */
export interface Chart extends Shown {
  readonly kind: 'chart';
  /** Narrow charts are placed side by side. */
  readonly size: 'small' | 'medium' | 'wide';
  /** Of its figures, which have their marks. */
  readonly caveats: readonly Caveat[];
  /** Made only when it is shown: it may have to decode histograms. */
  readonly draw: () => Html;
}

export type Block = Alert | Heading | Paragraph | Table | List | Code | Details | Chart;

/** An alert for each text that is not null. */
export function alerts(texts: readonly (string | null)[]): Alert[] {
  return texts.flatMap(text => (text === null ? [] : { kind: 'alert', text }));
}

export const heading = (level: Heading['level'], text: Text): Heading => ({ kind: 'heading', level, text });

/** A heading with its blocks; empty if there is nothing to show. */
export function section(title: string, blocks: readonly Block[]): Block[] {
  return blocks.length === 0 ? [] : [heading(2, title), ...blocks];
}

export const paragraph = (text: Text, tone?: Tone): Paragraph => ({ kind: 'paragraph', text, tone });

/** A note on the figures around it. */
export const note = (text: Text): Paragraph => paragraph(text, 'muted');

export function list(items: readonly (Item | string)[]): List {
  return { kind: 'list', items: items.map(item => (typeof item === 'string' ? { text: item } : item)) };
}

export function code(language: Code['language'], name: string, lines: readonly string[]): Code {
  return { kind: 'code', language, name, lines };
}

export function details(
  summary: Text,
  blocks: readonly Block[],
  more: Pick<Details, 'tone' | 'open'> = {},
): Details {
  return { kind: 'details', summary, blocks, ...more };
}

export function chart(
  draw: () => Html,
  size: Chart['size'] = 'wide',
  caveats: readonly Caveat[] = [],
): Chart {
  return { kind: 'chart', draw, size, caveats };
}

export const strong = (text: string): Span => ({ text, strong: true });
export const codeSpan = (text: string): Span => ({ text, code: true });
export const link = (text: string, path: string): Span => ({ text, link: path });
export const toned = (text: string, tone: Tone | undefined): Span => ({ text, tone });
/** A state, such as a verdict, as a separate word. */
export const badge = (text: string, tone: Tone): Span => ({ text, tone, badge: true });

/** A column of a table that is to be made. */
export interface Column<Row> extends TableColumn {
  readonly cell: (row: Row) => Text;
  /** What a narrow terminal shows instead: nothing, or another heading or a shorter cell. */
  readonly terminal?:
    | false
    | { readonly name?: string; readonly cell?: (row: Row) => Text; readonly align?: TableColumn['align'] };
}

type Options<Row> = Pick<Column<Row>, 'terminal' | 'on' | 'ownLine'>;

/** A column of words. */
export function words<Row>(name: string, cell: (row: Row) => Text, options: Options<Row> = {}): Column<Row> {
  return { name, align: 'left', cell, ...options };
}

/** A column of figures. */
export function figures<Row>(
  name: string,
  cell: (row: Row) => Text,
  options: Options<Row> = {},
): Column<Row> {
  return { name, align: 'right', cell, ...options };
}

/** A table of rows × columns, written once for every rendering. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], title?: Text): Table {
  const made = columns.flatMap(bothForms);
  return {
    kind: 'table',
    title,
    columns: made.map(({ cell: _, terminal: __, ...column }) => column),
    rows: rows.map(row => made.map(({ cell }) => cell(row))),
  };
}

/** A column that a terminal shows differently becomes two. */
function bothForms<Row>(column: Column<Row>): Column<Row>[] {
  const { terminal } = column;
  if (terminal === undefined) return [column];
  const roomy: Column<Row> = { ...column, on: wide };
  return terminal === false ? [roomy] : [roomy, { ...column, ...terminal, on: narrow }];
}

/** The blocks and columns that one medium shows. */
export function shownOn<Part extends Shown>(medium: Medium, parts: readonly Part[]): Part[] {
  return parts.filter(({ on }) => on === undefined || on.includes(medium));
}

/** A table with the columns that one medium shows. */
export function tableOn(medium: Medium, { columns, rows, ...table }: Table): Table {
  const isShown = columns.map(column => shownOn(medium, [column]).length > 0);
  const pick = <Cell>(cells: readonly Cell[]) => cells.filter((_, index) => isShown[index]);
  return { ...table, columns: pick(columns), rows: rows.map(pick) };
}

/** A text as its pieces. */
export function spansOf(text: Text): Span[] {
  const spans = typeof text === 'object' ? text : [String(text)];
  return spans.map(span => (typeof span === 'string' ? { text: span } : span));
}

/** A text without its marks. */
export function plainText(text: Text): string {
  return spansOf(text)
    .map(span => span.text)
    .join('');
}

/** Blocks for these media alone. */
export function only(media: readonly Medium[], blocks: readonly Block[]): Block[] {
  return blocks.map(block => ({ ...block, on: block.on?.filter(medium => media.includes(medium)) ?? media }));
}
