import { paragraph } from '../../../src/aggregate/report/blocks.ts';
import { renderMarkdown } from '../../../src/aggregate/report/markdown.ts';
import { coveredElsewhere } from './covered-elsewhere.ts';
import { networkFaults } from './network-faults.ts';
import { errorOf, loopsOf, unknowable } from './render-reliability.ts';
import { runFaults } from './run-faults.ts';
import { serverFaults } from './server-faults.ts';

/** Columns of the tables in docs/reliability.md that are the same in every run of the suite. */
const steady = new Set([
  'fault',
  'loop',
  'operations lost',
  'what cannot be known',
  'exit code',
  'error',
  'test',
]);

/** What those columns must hold, row by row. */
export function expectedRows(): string[][] {
  const rows = [
    ...[...networkFaults, ...serverFaults].flatMap(fault =>
      loopsOf(fault).map(loop => [fault.name, loop, 'none', unknowable[fault.known]]),
    ),
    ...runFaults.map(fault => [fault.name, String(fault.exit), errorOf(fault)]),
    ...coveredElsewhere.map(({ fault, test }) => [fault, `\`${test}\``]),
  ];
  return rows.map(([fault = '', ...cells]) => [asMarkdown(fault), ...cells.map(escapeNames)]);
}

/** What those columns hold in a Markdown file. */
export function rowsOf(markdown: string): string[][] {
  let columns: string[] = [];
  return markdown.split('\n').flatMap(line => {
    if (!line.startsWith('| ') || line.startsWith('| ---')) return [];
    const cells = line.slice(2, -2).split(' | ');
    if (cells[0] === 'fault') {
      columns = cells;
      return [];
    }
    return [cells.filter((_, index) => steady.has(columns[index] ?? ''))];
  });
}

const asMarkdown = (text: string) => renderMarkdown([paragraph(text)]).trimEnd();

/** Error codes have underscores, which mean something in Markdown. */
function escapeNames(cell: string): string {
  return cell.startsWith('`') ? cell : asMarkdown(cell);
}
