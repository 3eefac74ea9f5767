import type { Ledger } from '../../src/aggregate/claims/ledger.ts';
import type { ResultComparison } from '../../src/aggregate/comparison/schema.ts';
import { comparisonDocument } from '../../src/aggregate/report/documents/comparison.ts';
import { ledgerDocument } from '../../src/aggregate/report/documents/ledger.ts';
import { resultDocument } from '../../src/aggregate/report/documents/result.ts';
import { searchDocument } from '../../src/aggregate/report/documents/search.ts';
import { renderMarkdown } from '../../src/aggregate/report/markdown.ts';
import { renderTerminal } from '../../src/aggregate/report/terminal.ts';
import type { Result } from '../../src/aggregate/result.ts';
import type { Search } from '../../src/aggregate/search/schema.ts';

/** Documents as a user sees them in a terminal, without colour unless told, and in a file. */

export const onTerminal = {
  result: (result: Result, colour = false) => renderTerminal(resultDocument(result), colour),
  comparison: (comparison: ResultComparison, colour = false) =>
    renderTerminal(comparisonDocument(comparison), colour),
  ledger: (ledger: Ledger, colour = false) => renderTerminal(ledgerDocument(ledger), colour),
  search: (search: Search, colour = false) => renderTerminal(searchDocument(search), colour),
} as const;

export const inMarkdown = {
  result: (result: Result) => renderMarkdown(resultDocument(result)),
  comparison: (comparison: ResultComparison) => renderMarkdown(comparisonDocument(comparison)),
  ledger: (ledger: Ledger) => renderMarkdown(ledgerDocument(ledger)),
  search: (search: Search) => renderMarkdown(searchDocument(search)),
} as const;
