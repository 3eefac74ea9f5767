import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { reportFile } from '../../src/aggregate/report/files/result-files.ts';
import { readResult } from '../../src/main/run/results/read-result.ts';

const fixtures = new URL('../fixtures/', import.meta.url);

/** Rows of figures: of tables with words alone the wording may change. */
function rowsOfFigures(markdown: string): string[] {
  const isFigure = (cell: string) => /^ ?[×≥]?\d/.test(cell);
  return markdown
    .split('\n')
    .filter(line => line.startsWith('|') && line.split('|').filter(isFigure).length >= 5);
}

test('a result of 0.4 is read, and its report has the figures that 0.4 printed', async () => {
  const result = await readResult(new URL('result-0.4.json', fixtures).pathname);
  const then = rowsOfFigures(await readFile(new URL('report-0.4.md', fixtures), 'utf8'));
  const now = rowsOfFigures(reportFile(result).render());
  expect(then.length).toBeGreaterThan(10);
  expect(now).toEqual(expect.arrayContaining(then));
});
