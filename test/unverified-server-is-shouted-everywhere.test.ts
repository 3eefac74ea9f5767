import { expect, test } from 'vitest';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import { renderComparisonMarkdown } from '../src/aggregate/comparison/markdown.ts';
import { renderComparison } from '../src/aggregate/comparison/terminal.ts';
import { assembleLedger } from '../src/aggregate/ledger/ledger.ts';
import { renderLedgerMarkdown } from '../src/aggregate/ledger/markdown.ts';
import { renderLedger } from '../src/aggregate/ledger/terminal.ts';
import { renderComparisonPage } from '../src/aggregate/page/comparison-page.ts';
import { renderReportPage } from '../src/aggregate/page/report-page.ts';
import { renderMarkdown } from '../src/aggregate/report/markdown.ts';
import { renderTerminal } from '../src/aggregate/report/terminal.ts';
import type { Result } from '../src/aggregate/result.ts';
import { renderSearchMarkdown } from '../src/aggregate/search/markdown.ts';
import { renderSearch } from '../src/aggregate/search/terminal.ts';
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
    terminal: renderTerminal(result, false),
    'report.md': renderMarkdown(result),
    'report.html': renderReportPage(result),
    comparison: renderComparison(comparison, false),
    'comparison.md': renderComparisonMarkdown(comparison),
    'comparison.html': renderComparisonPage(comparison),
    ledger: renderLedger(ledger, false),
    'ledger.md': renderLedgerMarkdown(ledger),
    search: renderSearch(search, false),
    'search.md': renderSearchMarkdown(search),
  };
}

const { target } = buildResult([]);
const unverified = renderAll({ ...target, unverified: true });
const verified = renderAll({ ...target, unverified: false });

test.each(Object.keys(unverified))('%s', name => {
  expect(unverified[name]).toMatch(/NOT VERIFIED: the certificate of the server was not\s+checked/);
  expect(verified[name]).not.toMatch('NOT VERIFIED');
});
