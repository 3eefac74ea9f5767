/** A column of a table of the page. */
export interface Column<Row> {
  readonly name: string;
  readonly text: (row: Row) => string;
  readonly flushRight?: boolean;
}

/** A column of numbers. */
export function numberColumn<Row>(name: string, cell: (row: Row) => string | number): Column<Row> {
  return { name, flushRight: true, text: row => String(cell(row)) };
}

/** A column of text. */
export function textColumn<Row>(name: string, text: (row: Row) => string): Column<Row> {
  return { name, text };
}
