import { compareResults } from '../../src/aggregate/comparison/compare-results.ts';
import type { Block } from '../../src/aggregate/report/blocks.ts';
import { comparisonDocument } from '../../src/aggregate/report/documents/comparison.ts';
import { ledgerDocument } from '../../src/aggregate/report/documents/ledger.ts';
import { resultDocument } from '../../src/aggregate/report/documents/result.ts';
import { searchDocument } from '../../src/aggregate/report/documents/search.ts';
import { thresholdBlocks } from '../../src/aggregate/report/documents/thresholds.ts';
import { trendDocument } from '../../src/aggregate/report/documents/trend.ts';
import type { Result } from '../../src/aggregate/result.ts';
import type { SearchStep } from '../../src/aggregate/search/schema.ts';
import { judgeThresholds } from '../../src/aggregate/thresholds/judge-thresholds.ts';
import { trendOf, trendRunOf } from '../../src/aggregate/trend/trend.ts';
import { buildClaim, buildLedger } from './ledger-builder.ts';
import { buildOpenScenario } from './open-loop-round.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  buildServerSeries,
  standInTarget,
} from './result-builder.ts';
import { buildSearch } from './search-builder.ts';

const untested = buildClaim('C3', {
  verdict: 'not tested',
  measured: null,
  low: null,
  high: null,
  limitedBy: [],
  reason: `There is no such ${'arm '.repeat(20)}.`,
  gist: '',
});

/** One small document of each kind, of fixed data. */
export const sampleDocuments: Readonly<Record<string, readonly Block[]>> = {
  result: resultDocument(sampleResult()),
  comparison: comparisonDocument({
    ...compareResults([
      sampleSide('redis', 20_000),
      sampleSide('a-name-that-is-too-long', 25_000, { target: standInTarget }),
    ]),
    claims: [buildClaim('C1'), untested],
  }),
  trend: sampleTrend(),
  ledger: ledgerDocument(sampleLedger()),
  search: searchDocument(sampleSearch()),
  thresholds: thresholdBlocks(sampleResult().thresholds),
};

/** Closed loops of one pool and of two, a rate on both ways, failures, an outlier and thresholds. */
function sampleResult(): Result {
  const closed = buildMatrix({
    clients: ['wire'],
    workers: [10, 100],
    pools: [1, 2],
    gain: ({ workers }) => (workers > 50 ? 1.4 : 1),
  });
  const failing = buildScenario(
    { workers: 20 },
    [1, 2, 3, 4, 5, 6].map(round =>
      buildRound(round, round === 3 ? 1000 : 9000, {
        issued: 9100,
        failed: { TIMEOUT: 60, 'OOM <|>': 30 },
        unfinished: 10,
      }),
    ),
  );
  const open = [
    buildOpenScenario(1000, [1, 1, 1], { leg: 'up' }),
    buildOpenScenario(1000, [1, 1.5, 2], { leg: 'down' }),
  ];
  const scenarios = [...closed, failing, ...open];
  const { claims: judged, target } = buildResult(scenarios);
  const claims = [buildClaim('C1', { comparisons: judged[0]?.comparisons ?? [] }), untested];
  const thresholds = judgeThresholds(
    { opsPerSecond: '> 500', 'response.p99': '< 1ms', 'claim.C1': 'supported' },
    { target, scenarios, claims },
  );
  const serverSeries = buildServerSeries([
    { usedMemoryBytes: 5_000_000, connectedClients: 3, evictedKeys: 0 },
    { usedMemoryBytes: 8_000_000, connectedClients: 21, evictedKeys: 1200 },
    { usedMemoryBytes: 7_900_000, connectedClients: 20, evictedKeys: 1250 },
  ]);
  const warnings = ['the *database* is in use by 3 others'];
  return buildResult(scenarios, { claims, thresholds, warnings, serverSeries });
}

function sampleSide(name: string, opsPerSecond: number, changes: Partial<Result> = {}): Result {
  const rounds = [1, 0.8, 1.2, 0.9, 1.5, 1].map((factor, index) =>
    buildRound(index + 1, opsPerSecond * factor),
  );
  const limits = [
    { resource: 'server', evidence: 'server main thread 0.99 of a core' },
    { resource: 'client', evidence: 'event loop 0.99' },
  ] as const;
  const scenarios = limits.map((limitedBy, index) =>
    buildScenario({ workers: 10 * (index + 1), limitedBy }, rounds),
  );
  const config = { workload: { keys: 100 }, rounds: 6, seconds: 1, warmupSeconds: 0.25 };
  return buildResult(scenarios, { name, config, claims: [], session: 'one', ...changes });
}

/** Three runs, and one of another config. */
function sampleTrend(): readonly Block[] {
  const runs = [1, 2, 3, 4].map(day => {
    const startedAt = `2026-11-0${day}T04:00:00.000Z`;
    const result = sampleSide(day === 4 ? 'other' : 'redis', 20_000 + 1000 * day, { startedAt });
    const again = sampleSide('again', 21_000 + 1000 * day);
    const controls = again.scenarios.map(scenario => ({
      ...scenario,
      id: `${scenario.id}-control`,
      control: true as const,
    }));
    return trendRunOf(`run-${day}`, { ...result, scenarios: [...result.scenarios, ...controls] });
  });
  const trend = trendOf(runs, [{ path: 'bad', reason: 'expected a *result*' }]);
  return trend === null ? [] : trendDocument(trend);
}

function sampleLedger() {
  return buildLedger([
    buildClaim('C1'),
    buildClaim('C2', { verdict: 'refuted', measured: 0.412, low: 0.4, high: 0.43, unit: 'ms' }),
    untested,
  ]);
}

function sampleSearch() {
  const base = buildSearch();
  const repeat = (round: number, passed: boolean): SearchStep['repeats'][number] => ({
    round,
    passed,
    offered: 1000,
    sent: 1000,
    completed: 1000,
    opsPerSecond: 1000,
    responseP99Ms: passed ? 1.25 : null,
    completedShare: passed ? 1 : 0.5,
    failedShare: 0,
    lagP99Ms: 0.03,
  });
  const steps = base.steps.flatMap((step): SearchStep[] => [
    { ...step, repeats: [1, 2, 3].map(round => repeat(round, true)) },
    {
      ...step,
      ...{ step: 2, rate: 4000, verdict: 'fail' },
      repeats: [1, 2, 3].map(round => repeat(round, false)),
      limitedBy: { resource: 'server', evidence: 'server main thread 0.99 of a core' },
    },
  ]);
  return buildSearch({ complete: false, steps, warnings: ['odd', 'very odd'] });
}
