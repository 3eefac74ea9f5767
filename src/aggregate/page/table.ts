import type { Column } from '../text/markdown.ts';
import { type Content, type Html, html } from './html.ts';

/** A table that scrolls by itself where the page is too narrow for it. */
export function htmlTable<Row>(
  name: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  cellOf: (row: Row, column: Column<Row>) => Content = (row, column) => column.text(row),
): Html {
  return html`<div class="table" role="region" aria-label="${name}" tabindex="0"><table><thead><tr>${columns.map(
    ({ name, flushRight }) =>
      name === ''
        ? html`<td></td>`
        : html`<th scope="col"${flushRight === true && html` class="n"`}>${name}</th>`,
  )}</tr></thead><tbody>${rows.map(
    row =>
      html`<tr>${columns.map(
        column => html`<td${column.flushRight === true && html` class="n"`}>${cellOf(row, column)}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`;
}

/** The same, folded. */
export function foldedTable<Row>(name: string, rows: readonly Row[], columns: readonly Column<Row>[]): Html {
  return fold(name, htmlTable(name, rows, columns));
}

export function fold(summary: Content, content: Content, open = false): Html {
  return html`<details${open && html` open`}><summary>${summary}</summary>${content}</details>`;
}
