import type { Column } from './table.ts';

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
