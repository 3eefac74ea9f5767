import { expect, test } from 'vitest';
import { renderJunit } from '../src/aggregate/report/files/junit.ts';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

/** A minute was measured, a day and a night passed, and another minute was. */
const result = buildResult([buildScenario({}, [buildRound(1, 1000)])], {
  startedAt: '2026-11-23T10:00:00.000Z',
  finishedAt: '2026-11-24T10:02:00.000Z',
  resumed: [{ at: '2026-11-24T10:01:00.000Z', afterRounds: 1, gapSeconds: 86_400 }],
  thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 1000, crossed: false }],
});

test('junit.xml', () => {
  expect(renderJunit(result)).toContain(
    '<testsuite name="redis" tests="1" failures="0" errors="0" time="120"',
  );
});

test('report.html', () => {
  expect(renderReportPage(result)).toContain('2026-11-23 10:00:00 UTC, 2 min');
});
