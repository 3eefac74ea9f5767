import { standOutTable } from '../../report/stand-out-table.ts';
import type { Result } from '../../result.ts';
import { type Content, html } from '../html.ts';
import { htmlTable } from '../table.ts';

/** Rounds far from the others of their scenario; null if there are none. */
export function standOuts(result: Pick<Result, 'scenarios' | 'environment' | 'target'>): Content {
  const table = standOutTable(result);
  if (table === null) return null;
  const { note, rows, columns, rest } = table;
  return html`<p class="note">${note}</p>${htmlTable('Rounds that stand out', rows, columns)}${
    rest !== null && html`<p class="note">${rest}</p>`
  }`;
}
