import { expect, test } from 'vitest';
import { assembleLedger } from '../src/aggregate/claims/ledger.ts';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../src/aggregate/report/html/comparison-page.ts';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import type { Result } from '../src/aggregate/result.ts';
import { inMarkdown, onTerminal } from './support/documents.ts';
import { ledgerHead } from './support/ledger-builder.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';
import { buildSearch } from './support/search-builder.ts';

const rounds = [1, 2, 3, 4, 5].map(round => buildRound(round, 1000));

/** Every rendering of what this target was measured for. */
function renderAll(target: Result['target']): Record<string, string> {
  const config = { workload: {} };
  const result = buildResult([buildScenario({}, rounds)], { target, config });
  const comparison = compareResults([result, result]);
  const ledger = assembleLedger({ ...ledgerHead, target }, [], [], new Date());
  const search = buildSearch({ target });
  return {
    terminal: onTerminal.result(result),
    'report.md': inMarkdown.result(result),
    'report.html': renderReportPage(result),
    comparison: onTerminal.comparison(comparison),
    'comparison.md': inMarkdown.comparison(comparison),
    'comparison.html': renderComparisonPage(comparison),
    ledger: onTerminal.ledger(ledger),
    'ledger.md': inMarkdown.ledger(ledger),
    search: onTerminal.search(search),
    'search.md': inMarkdown.search(search),
  };
}

const { target } = buildResult([]);
const unverified = renderAll({ ...target, unverified: true });
const verified = renderAll({ ...target, unverified: false });

test.each(Object.keys(unverified))('%s', name => {
  expect(unverified[name]).toMatch(/NOT VERIFIED: the certificate of the server was not\s+checked/);
  expect(verified[name]).not.toMatch('NOT VERIFIED');
});
