import { expect, test } from 'vitest';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import { buildFullResult } from './support/full-result.ts';
import { tipsOf } from './support/page-text.ts';

const megabyte = 1_000_000;
/** To judge claims on so many scenarios takes seconds; these have as many ratios as a page shows. */
const { claims } = buildFullResult({ workers: [10, 50, 100, 200], pools: [1, 2, 4, 8] });

test('50 scenarios of 20 rounds are a page below a megabyte, with all of their rounds', () => {
  const result = buildFullResult(
    { workers: [1, 10, 50, 100, 200], pools: [1, 2, 3, 4, 8], rounds: 20 },
    { claims },
  );
  expect(result.scenarios).toHaveLength(50);
  const page = renderReportPage(result);
  expect(Buffer.byteLength(page)).toBeLessThan(megabyte);
  expect(tipsOf(page).filter(([head]) => head?.startsWith('round '))).toHaveLength(50 * 20);
});

test('so is one of long windows, whose seconds are put together, and one of 200 scenarios', () => {
  const long = renderReportPage(buildFullResult({ workers: [10, 50], rounds: 5, seconds: 300 }));
  expect(Buffer.byteLength(long)).toBeLessThan(megabyte);
  expect(long).toMatch(/up to \d+ seconds of a measured window/);
  const workers = Array.from({ length: 25 }, (_, index) => index + 1);
  const wide = renderReportPage(buildFullResult({ workers, pools: [1, 2, 3, 4], rounds: 5 }, { claims }));
  expect(Buffer.byteLength(wide)).toBeLessThan(megabyte);
  expect(wide).toContain('50 of 200 scenarios');
});
