import { toOneLine } from './format.ts';

/** Text from outside as plain text on one line of Markdown: it can end no table cell, start no markup and no HTML. */
export function asMarkdown(text: string): string {
  return toOneLine(text)
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/^[-+=]/, '\\$&');
}

export interface Column<Row> {
  readonly name: string;
  /** As it is, for a rendering that escapes by itself. */
  readonly text: (row: Row) => string;
  /** Markdown already. */
  readonly cell: (row: Row) => string;
  readonly flushRight?: boolean;
}

/** A column of numbers. */
export function numberColumn<Row>(name: string, cell: (row: Row) => string | number): Column<Row> {
  const text = (row: Row) => String(cell(row));
  return { name, flushRight: true, text, cell: text };
}

/** A column of text from outside, which is escaped. */
export function textColumn<Row>(name: string, text: (row: Row) => string): Column<Row> {
  return { name, text, cell: row => asMarkdown(text(row)) };
}

/** A table that every rendering can write. */
export interface Table<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
}

export function markdownTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(column => column.name)),
    line(columns.map(column => (column.flushRight ? '---:' : '---'))),
    ...rows.map(row => line(columns.map(column => column.cell(row)))),
  ].join('\n');
}

/** A fenced block, with a fence longer than any in the text. */
export function markdownCode(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
