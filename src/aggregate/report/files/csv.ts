/** A column of a table: its name in the first line, and what stands in it. Null: nothing was measured. */
export interface CsvColumn<Row> {
  readonly name: string;
  readonly value: (row: Row) => number | boolean | string | null;
}

/** What spreadsheets take for the beginning of a formula, in both widths of a character. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/;

/**
 * A table as comma-separated values: RFC 4180, with a line of names. Numbers have all their digits, null is an empty
 * field. A text that a spreadsheet would run as a formula has an apostrophe before it, which marks it as text.
 */
export function renderCsv<Row>(rows: readonly Row[], columns: readonly CsvColumn<Row>[]): string {
  const lines = [
    columns.map(({ name }) => field(name)),
    ...rows.map(row => columns.map(({ value }) => field(value(row)))),
  ];
  return lines.map(fields => `${fields.join(',')}\r\n`).join('');
}

function field(value: number | boolean | string | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
