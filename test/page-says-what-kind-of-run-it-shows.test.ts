import { expect, test } from 'vitest';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../src/aggregate/report/html/comparison-page.ts';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import type { RoundResult } from '../src/aggregate/result.ts';
import { buildFullResult } from './support/full-result.ts';
import {
  buildLatency,
  buildResult,
  buildRound,
  buildScenario,
  standInTarget,
} from './support/result-builder.ts';

/** The part above the first section, and the part below the last. */
function ends(page: string): { top: string; end: string } {
  return { top: page.split('<main>')[0]?.split('</style>')[1] ?? '', end: page.split('</main>')[1] ?? '' };
}

const failing = () =>
  buildRound(1, 0, {
    issued: 10,
    failed: { OOM: 10 },
    series: [{ second: 0, completed: 0, failed: 10, p50: null, p99: null }],
  });

test('a stand-in is shouted at the top and at the end, of a comparison too', () => {
  const banner = 'STAND-IN: these are figures of redis 7.0.15, which stood in for dragonfly.';
  const result = buildFullResult({ rounds: 1 }, { target: standInTarget });
  for (const page of [renderReportPage(result), renderComparisonPage(compareResults([result, result]))]) {
    expect(ends(page).top).toContain(banner);
    expect(ends(page).end).toContain(banner);
  }
});

test('an interrupted run, one without rounds, and one of nothing but failures are pages that say so', () => {
  const some = renderReportPage(
    buildFullResult({ rounds: 2 }, { complete: false, config: { thresholds: { 'response.p99': '< 5ms' } } }),
  );
  expect(ends(some).top).toContain('INCOMPLETE: the run ended early');
  expect(ends(some).top).toContain('Thresholds: not judged');
  expect(ends(renderReportPage(buildResult([]))).top).toContain('NOTHING MEASURED');
  expect(ends(renderReportPage(buildResult([buildScenario({}, [])], { complete: false }))).top).toContain(
    'INCOMPLETE',
  );
  const failed = renderReportPage(buildResult([buildScenario({}, [failing(), { ...failing(), round: 2 }])]));
  expect(ends(failed).top).toContain('NOTHING COMPLETED');
  expect(failed).toContain('nothing completed');
  expect(failed).toContain('class="outage"');
});

test('no page has a figure that is none', () => {
  const pages = [
    renderReportPage(buildResult([])),
    renderReportPage(buildResult([buildScenario({}, [])])),
    renderReportPage(buildResult([buildScenario({}, [failing()])])),
    renderReportPage(buildResult([buildScenario({}, [buildRound(1, 100, { seconds: 0, series: [] })])])),
    renderReportPage(buildFullResult()),
    renderComparisonPage(compareResults([buildResult([]), buildResult([])])),
  ];
  for (const page of pages)
    expect(page.replace(/<script>.*<\/script>/s, '')).not.toMatch(/NaN|Infinity|undefined|null/);
});

test('a comparison of nothing says so', () => {
  const page = renderComparisonPage(compareResults([buildResult([]), buildResult([])]));
  expect(ends(page).top).toContain('NOTHING TO COMPARE');
});

test('a certificate that was not checked, a crossed threshold and every warning are told', () => {
  const page = renderReportPage(
    buildFullResult(
      { rounds: 1 },
      {
        warnings: ['the server writes to disk', 'other clients are connected'],
        target: { ...buildResult([]).target, unverified: true },
        thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 0, crossed: true }],
      },
    ),
  );
  expect(ends(page).top).toContain('certificate of the server was not checked');
  expect(ends(page).end).toContain('certificate of the server was not checked');
  expect(ends(page).top).toContain('Thresholds crossed: 1 of 1 check');
  expect(page).toContain('<li>The server writes to disk</li>');
  expect(page).toContain('<li>Other clients are connected</li>');
});

test('an open loop is shown against its load, with backlog and lag', () => {
  const lag = buildLatency(100, 0.02);
  const at = (rate: number): RoundResult =>
    buildRound(1, rate, {
      openLoop: {
        rate,
        offered: rate,
        sent: rate,
        completed: rate,
        shortfall: 0,
        unsent: 0,
        largestBacklog: 17,
        oldestUnsentMs: 0,
        lag,
        lagHistogram: '',
        spinShare: 0.5,
      },
    });
  const page = renderReportPage(
    buildResult(
      [1000, 2000].map(rate =>
        buildScenario({ id: `open${rate}`, arrival: { kind: 'poisson', rate } }, [at(rate)]),
      ),
    ),
  );
  for (const title of [
    'Latency against load',
    'Offered and completed',
    'Largest backlog',
    'Lag of the generator, p99',
  ]) {
    expect(page).toContain(`<b>${title}</b>`);
  }
  expect(page).toContain('due while every worker was busy: 17 [17, 17] operations');
  expect(page).toContain('late to a free worker: 0.05 [0.05, 0.05] ms');
});
