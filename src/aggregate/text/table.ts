import { asMarkdown } from './as-markdown.ts';

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
