import type { Column } from '../text/table.ts';
import { type Content, type Html, html } from './html.ts';

/**
 * A table that scrolls by itself where the page is too narrow for it. End tags of rows and cells are left out, as HTML
 * has it: they would be a fifth of the page of a long run.
 */
export function htmlTable<Row>(
  name: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  cellOf: (row: Row, column: Column<Row>) => Content = (row, column) => column.text(row),
): Html {
  // Where all columns but perhaps the first are numbers, the style sheet knows without a word in each cell.
  const numbers = columns.slice(1).every(({ flushRight }) => flushRight === true);
  const cellClass = ({ flushRight }: Column<Row>) => flushRight === true && !numbers && html` class=n`;
  return html`<div class="table" role="region" aria-label="${name}" tabindex="0"><table${
    numbers && html` class="numbers"`
  }><thead><tr>${columns.map(column =>
    column.name === '' ? html`<td>` : html`<th scope="col"${cellClass(column)}>${column.name}`,
  )}<tbody>${rows.map(
    row => html`<tr>${columns.map(column => html`<td${cellClass(column)}>${cellOf(row, column)}`)}`,
  )}</table></div>`;
}

/** The same, folded. */
export function foldedTable<Row>(name: string, rows: readonly Row[], columns: readonly Column<Row>[]): Html {
  return fold(name, htmlTable(name, rows, columns));
}

/** The figures behind a chart, folded beneath it. */
export function chartTable<Row>(title: string, rows: readonly Row[], columns: readonly Column<Row>[]): Html {
  return fold('Table', htmlTable(title, rows, columns));
}

export function fold(summary: Content, content: Content, open = false): Html {
  return html`<details${open && html` open`}><summary>${summary}</summary>${content}</details>`;
}
