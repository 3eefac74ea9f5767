import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { reportFile } from '../../src/aggregate/report/files/result-files.ts';
import { readResult } from '../../src/main/run/results/read-result.ts';

const fixtures = new URL('../fixtures/', import.meta.url);

/** A ratio of fewer than 6 rounds no longer has an interval, as it excludes nothing. */
const ofRatio = /(×\S+) \[.*\]$/;

/** The cells of a report's tables, each with its heading: new columns may join them. */
function cellsOf(markdown: string): string[] {
  let headings: string[] = [];
  return markdown.split('\n').flatMap((line, index, lines) => {
    if (!line.startsWith('|') || line.startsWith('| --')) return [];
    const cells = line
      .split('|')
      .slice(1, -1)
      // Marks of figures may join them, too.
      .map(cell => cell.replaceAll('†', '').trim());
    if (lines[index + 1]?.startsWith('| --')) headings = cells;
    const [row = ''] = cells;
    return cells
      .map(cell => cell.replace(ofRatio, '$1'))
      .map((cell, column) => `${row}, ${headings[column]}: ${cell}`)
      .filter(isFigure);
  });
}

/** Words may change, and beside the figures of an arm a ratio without an interval is no longer shown. */
const isFigure = (cell: string) =>
  /: [×≥]?\d[^a-zA-Z]*k?(?: \[.*\])?$/.test(cell) && !cell.includes(', to 1 pool: ');

test('a result of 0.4 is read, and its report has the figures that 0.4 printed', async () => {
  const result = await readResult(new URL('result-0.4.json', fixtures).pathname);
  const then = cellsOf(await readFile(new URL('report-0.4.md', fixtures), 'utf8'));
  const now = cellsOf(reportFile(result).render());
  expect(then.length).toBeGreaterThan(100);
  expect(now).toEqual(expect.arrayContaining(then));
  for (const { summary } of result.scenarios) expect(summary?.pooledResponseP99).toBeGreaterThan(0);
});
