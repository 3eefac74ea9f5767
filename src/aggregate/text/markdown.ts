import { toOneLine } from './format.ts';
import type { Column } from './table.ts';

/** Text from outside as plain text on one line of Markdown: it can end no table cell, start no markup and no HTML. */
export function asMarkdown(text: string): string {
  return toOneLine(text)
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/^[-+=]/, '\\$&');
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
