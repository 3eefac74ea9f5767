import { expect, test } from 'vitest';
import { pairArms } from '../../../src/aggregate/claims/judging/arms.ts';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';

interface Effects {
  /** Gain of several pools in one thread over one pool. */
  readonly pool: number;
  /** Gain of as many threads over those pools in one thread. */
  readonly thread: number;
}

/** The suite with these effects above 50 workers, and none below. */
function measure(
  effects: Effects,
  changed: (scenario: Scenario, round: number) => number = () => 1,
): Promise<ScenarioResult[]> {
  return measureSuite('scaling', (scenario, round) => {
    const { pools, threads, workers } = scenario;
    const pool = pools > 1 && workers > 50 ? effects.pool : 1;
    const thread = threads > 1 && workers > 50 ? effects.thread : 1;
    // Four pools gain most, so that it is known which are told.
    return { speed: pool * thread * (pools === 4 ? 1.01 : 1) * changed(scenario, round) };
  });
}

/** One setting of the suite: the optimized pools of one client. */
const ofClient = (scenarios: readonly ScenarioResult[], client: string) =>
  scenarios.filter(scenario => scenario.client === client && scenario.pool === 'optimized');

test('the gain is that of the threads', async () => {
  const claim = judge('C1', ofClient(await measure({ pool: 1, thread: 1.4 }), 'ioredis'));
  expect(claim.verdict).toBe('supported');
  expect(claim.gist).toMatch(/ the threads, not the pools \(pools alone ×1\.01, their threads ×1\.40\)/);
  expect(claim.reason).toMatch(/ 4 pools .* ×1\.01 \[1\.01, 1\.01\], .* ×1\.40 \[1\.40, 1\.40\]\./);
});

test.each([
  [{ pool: 1.3, thread: 1 }, 'it is the pools, not'],
  [{ pool: 1.3, thread: 1.2 }, 'both pools and threads'],
  [{ pool: 1.03, thread: 1.03 }, 'stays open'],
  [{ pool: 0.7, thread: 2 }, 'it is the threads, not'],
])('%o: %s', async (effects, told) => {
  const claim = judge('C1', ofClient(await measure(effects), 'ioredis'));
  expect(claim.verdict).toBe('supported');
  expect(claim.gist).toContain(told);
});

test('arms with different numbers of threads are paired by pools only if threads are named as well', async () => {
  const scenarios = ofClient(await measure({ pool: 1, thread: 1 }), 'ioredis');
  const threadsOf = (differ: readonly ('pools' | 'poolsPerThread' | 'threads')[]) =>
    pairArms(scenarios, {
      isBase: ({ pools }) => pools === 1,
      isOther: ({ pools }) => pools > 1,
      differ,
    }).map(({ other }) => other.threads);
  expect(new Set(threadsOf(['pools', 'poolsPerThread']))).toEqual(new Set([1]));
  expect(new Set(threadsOf(['pools', 'poolsPerThread', 'threads']))).toEqual(new Set([1, 2, 4]));
});

test('an effect whose interval lies across 5 % leaves it open', async () => {
  const scenarios = await measure({ pool: 1, thread: 1.4 }, ({ pools, threads }, round) =>
    pools === 4 && threads === 1 ? 1 + 0.03 * round : 1,
  );
  const claim = judge('C1', ofClient(scenarios, 'ioredis'));
  expect(claim.verdict).toBe('supported');
  expect(claim.gist).toContain('its source stays open');
});

/** Changes the arms that have four pools in one thread. */
const changeShared = (
  scenarios: readonly ScenarioResult[],
  change: (scenario: ScenarioResult) => Partial<ScenarioResult>,
) =>
  scenarios.map(scenario =>
    scenario.pools === 4 && scenario.threads === 1 ? { ...scenario, ...change(scenario) } : scenario,
  );

const connectTime = { count: 50, mean: 1, p50: 1, p99: 1, max: 1 };

test.each([
  ['too few rounds', ({ rounds }: ScenarioResult) => ({ rounds: rounds.slice(3) }), 'only 5 rounds'],
  [
    'lost operations',
    ({ rounds }: ScenarioResult) => ({ rounds: rounds.map(round => ({ ...round, unfinished: 1000 })) }),
    'unfinished',
  ],
  [
    'connections still being opened',
    ({ rounds }: ScenarioResult) => ({
      rounds: rounds.map(round => ({
        ...round,
        poolMetrics: { ...round.poolMetrics, created: 500, lastCreatedMs: 900, connectTime },
      })),
    }),
    'being opened',
  ],
])('arms of one thread with %s do not split the gain, and leave the verdict', async (_, change, told) => {
  const scenarios = ofClient(await measure({ pool: 1, thread: 1.4 }), 'ioredis');
  const claim = judge('C1', changeShared(scenarios, change));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toMatch(/ cannot tell pools from threads, because /);
  expect(claim.reason).toContain(told);
});

test('without pools that share a thread, pool and thread stay together', async () => {
  const scenarios = (await measure({ pool: 1, thread: 1.4 })).filter(
    ({ pools, threads }) => threads === pools,
  );
  const claim = judge('C1', ofClient(scenarios, 'ioredis'));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('cannot tell pools from threads');
});

test('the split decides nothing', async () => {
  const scenarios = ofClient(await measure({ pool: 1.4, thread: 0.7 }), 'ioredis');
  expect(judge('C1', scenarios)).toMatchObject({ verdict: 'refuted' });
});

test('both effects are compared at every level, beside the whole', async () => {
  const { comparisons } = judge('C1', ofClient(await measure({ pool: 1.1, thread: 1.4 }), 'ioredis'));
  const at400 = comparisons.filter(({ other }) => other.includes('4pools-400workers'));
  expect(at400.map(({ measure, base, other, predicted }) => [measure, base, other, predicted])).toEqual([
    ['throughput', one, apart, { low: 1.05, high: null }],
    ['response p99', one, apart, null],
    ['throughput, pool effect', one, together, null],
    ['throughput, thread effect', together, apart, null],
  ]);
  expect(at400[2]?.ratio.median).toBeCloseTo(1.1 * 1.01);
  expect(at400[3]?.ratio.median).toBeCloseTo(1.4);
});

test('pools that share some threads are neither effect', async () => {
  const scenarios = ofClient(await measure({ pool: 1, thread: 1.4 }), 'ioredis');
  const shared = scenarios
    .filter(({ pools, threads }) => pools === 4 && threads === 4)
    .map(scenario => ({ ...scenario, id: `${scenario.id}-2perThread`, poolsPerThread: 2, threads: 2 }));
  expect(shared).toHaveLength(6);
  const { comparisons } = judge('C1', [...scenarios, ...shared]);
  expect(comparisons).toEqual(judge('C1', scenarios).comparisons);
});

const one = 'ioredis-optimized-1pool-400workers-1perThread';
const apart = 'ioredis-optimized-4pools-400workers-1perThread';
const together = 'ioredis-optimized-4pools-400workers-4perThread';
