import { accountingTable } from '../../report/accounting-table.ts';
import type { Result } from '../../result.ts';
import { describeSurroundings } from '../../text/target-words.ts';
import { type Html, html } from '../html.ts';
import { fold, htmlTable } from '../table.ts';

/** Target, machine and tool, and where every operation went. */
export function surroundings(result: Result): Html {
  const { note, rows, columns } = accountingTable(result.scenarios);
  return html`<dl>${describeSurroundings(result, `, seed ${result.seed}`).map(
    ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`,
  )}</dl>${
    rows.length > 0 &&
    fold(
      'Table: where every operation went',
      html`<p class="note">${note}</p>${htmlTable('Accounting', rows, columns)}`,
    )
  }`;
}
