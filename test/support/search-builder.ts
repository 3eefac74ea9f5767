import type { Search } from '../../src/aggregate/search/schema.ts';
import { buildResult } from './result-builder.ts';

/** A search that has tried one rate, which passed. */
export function buildSearch(changes: Partial<Search> = {}): Search {
  const { tool, environment, target } = buildResult([], { claims: [] });
  const limitedBy = { resource: 'none', evidence: 'Nothing was saturated.' } as const;
  const condition = { name: 'responseP99Ms', limit: 5, median: 1, met: 4, verdict: 'pass' } as const;
  return {
    schemaVersion: 1,
    complete: true,
    name: 'search',
    startedAt: '2026-11-23T10:00:00.000Z',
    finishedAt: '2026-11-23T10:01:00.000Z',
    seed: 1,
    ...{ tool, environment, target },
    warnings: [],
    config: {},
    scenario: { id: 'wire-optimized-1pool-10workers', threads: 1, workers: 10, connections: 20 },
    conditions: { responseP99Ms: 5, completedShare: 0.99, failedShare: 0.01 },
    precision: 0.05,
    steps: [{ step: 1, rate: 1000, verdict: 'pass', conditions: [condition], repeats: [], limitedBy }],
    knee: { rate: 1000, low: 1000, high: null, lowerBound: false, limitedBy: null, gist: 'At least 1000/s.' },
    ...changes,
  };
}
