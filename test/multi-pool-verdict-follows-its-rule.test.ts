import { expect, test } from 'vitest';
import { judgeClaims } from '../src/aggregate/claims/claims.ts';
import type { ClaimResult, Result, ScenarioResult } from '../src/aggregate/result.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  type Matrix,
  standInTarget,
} from './support/result-builder.ts';

function judge(scenarios: readonly ScenarioResult[], changes: Partial<Result> = {}): ClaimResult {
  const [claim] = judgeClaims(buildResult(scenarios, changes));
  if (claim === undefined) throw new Error('expected C1 to be judged');
  return claim;
}

/** Gains of ×1.4 from 100 workers on, and none below. */
const asClaimed: Matrix['gain'] = ({ workers }) => (workers > 50 ? 1.4 : 1);

/** Replaces the rounds of one scenario. */
function withRounds(
  scenarios: readonly ScenarioResult[],
  id: string,
  rounds: ScenarioResult['rounds'],
): ScenarioResult[] {
  expect(scenarios.map(scenario => scenario.id)).toContain(id);
  return scenarios.map(scenario => (scenario.id === id ? { ...scenario, rounds } : scenario));
}

test('supported: pays above 50 workers and not at 50 or fewer', () => {
  const claim = judge(buildMatrix({ gain: asClaimed }));
  expect(claim).toMatchObject({ id: 'C1', verdict: 'supported' });
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.low).toBeGreaterThan(1.35);
  expect(claim.high).toBeLessThan(1.45);
  expect(claim.reason).toMatch(
    /^Several pools gain more than 5 % above 50 workers and not at 50 or fewer\. With ioredis, above 50 /,
  );
  expect(claim.reason).toMatch(
    /pools pay from 100 workers on \(there one pool and [24] were both limited by the client\)/,
  );
  expect(claim.reason).toContain('a thread of its own');
});

test('one number of pools that pays is enough', () => {
  const gain: Matrix['gain'] = ({ workers, pools }) => (workers > 50 && pools === 4 ? 1.3 : 1);
  const claim = judge(buildMatrix({ gain }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('4 pools pay from 100 workers on');
});

test('refuted: no gain above 50 workers', () => {
  const claim = judge(buildMatrix({ gain: () => 1.01 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1.01, 1);
  expect(claim.reason).toMatch(/^No number of pools gains 5 % above 50 workers\./);
  expect(claim.reason).toContain(
    'No level was found from which on several pools clearly pay (at 200 workers one pool and',
  );
});

test('refuted: gains, but already at 10 workers', () => {
  const claim = judge(buildMatrix({ gain: () => 1.6 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/^Several pools gain more than 5 % already at 50 workers or fewer\./);
  expect(claim.reason).toContain('from 10 workers on, the lowest level of the run');
});

test('refuted: gains at 50 workers or fewer, but not above', () => {
  const claim = judge(buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1 : 1.6) }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/^Several pools gain more than 5 % at 50 workers or fewer, but not above\./);
  expect(claim.reason).toContain('No level was found');
});

test('a loss is no gain', () => {
  expect(judge(buildMatrix({ gain: () => 0.7 })).verdict).toBe('refuted');
});

test('inconclusive: above 50 workers the interval is not clear of 5 %', () => {
  const claim = judge(buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1 + 0.05 * round : 1) }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^Above 50 workers the intervals are not clear of the 5 %/);
});

test('inconclusive: at 50 workers or fewer the interval is not clear of 5 %', () => {
  const claim = judge(buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1.4 : 1 + 0.05 * round) }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('but at 50 or fewer the intervals are not clear');
});

test('one good round among five is enough to leave it open', () => {
  const oneGood: Matrix['gain'] = ({ round }) => (round === 2 ? 1.2 : 1);
  expect(judge(buildMatrix({ gain: oneGood })).verdict).toBe('inconclusive');
  expect(judge(buildMatrix({ gain: cell => (cell.workers > 50 ? 1.4 : oneGood(cell)) })).verdict).toBe(
    'inconclusive',
  );
});

test('a gain below 5 % does not pay', () => {
  const claim = judge(buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1.03 : 1) }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.low).toBeGreaterThan(1);
});

test('without levels of 50 workers or fewer only the other half is judged, and the reason says so', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, workers: [100, 200] }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('the run has no level of 50 or fewer');
});

test('not tested: no level above 50 workers', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, workers: [10, 50] }));
  expect(claim).toMatchObject({ verdict: 'not tested', measured: null, low: null, high: null });
  expect(claim.comparisons).toHaveLength(4);
});

test('not tested: nothing to compare, nothing measured, or nothing at all', () => {
  expect(judge(buildMatrix({ gain: asClaimed, pools: [1] })).verdict).toBe('not tested');
  expect(judge(buildMatrix({ gain: asClaimed, pools: [2, 4] })).verdict).toBe('not tested');
  expect(judge([]).verdict).toBe('not tested');
  const unmeasured = judge(buildMatrix({ gain: asClaimed, rounds: 0 }));
  expect(unmeasured).toMatchObject({ verdict: 'inconclusive', measured: null, comparisons: [] });
  expect(unmeasured.reason).toContain('No round is common to all scenarios');
});

test('not tested: open loops, for their throughput is the rate that was asked for', () => {
  const arrival = { kind: 'constant', rate: 2000 };
  const claim = judge(buildMatrix({ gain: () => 1 }).map(scenario => ({ ...scenario, arrival })));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('open loops only');
});

test('not tested: several pools in one thread are another question', () => {
  const inOneThread = buildMatrix({ gain: asClaimed }).map(scenario => ({ ...scenario, threads: 1 }));
  expect(judge(inOneThread).verdict).toBe('not tested');
});

test('only arms with equal totals are compared', () => {
  const unequal = buildMatrix({ gain: asClaimed }).map(scenario => ({
    ...scenario,
    connections: scenario.connections * scenario.pools,
  }));
  expect(judge(unequal)).toMatchObject({ verdict: 'not tested', comparisons: [] });
});

test('a stand-in tests nothing of the declared server; what its figures would give is said', () => {
  const claim = judge(buildMatrix({ gain: asClaimed }), { target: standInTarget });
  expect(claim.verdict).toBe('not tested');
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.reason).toMatch(
    /^The config declares dragonfly, but redis 7\.0\.15 stood in for it, so nothing is said of dragonfly; by the same rule the stand-in's figures would give: supported, as several pools gain more than 5 % above 50 workers/,
  );
});

test('inconclusive: fewer than five rounds, however clear', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, rounds: 4 }));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, low: null, high: null });
  expect(claim.reason).toContain('above 50 workers 2 pools gave ×1.40');
  expect(claim.reason).toContain(
    'medians over 4 rounds with intervals that cover the true median in at least 87.5 % of such runs',
  );
  expect(claim.reason).toMatch(/^Only 4 rounds are common to all scenarios, and a verdict needs 5\./);
  expect(claim.reason).not.toContain('pools pay from');
});

test('what was measured is that of the settings that are sound', () => {
  const gain: Matrix['gain'] = cell => (cell.client === 'wire' ? 3 : asClaimed(cell));
  const scenarios = buildMatrix({ gain, clients: ['ioredis', 'wire'] });
  const failing = Array.from({ length: 5 }, (_, round) =>
    buildRound(round, 42_000, { issued: 44_000, failed: { OOM: 2000 } }),
  );
  const claim = judge(withRounds(scenarios, 'wire-optimized-1pools-100workers', failing));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.measured).toBeCloseTo(1.4, 1);
});

test('seven rounds are no easier than five: one that does not pay leaves it open', () => {
  const gain: Matrix['gain'] = ({ workers, round }) => (workers > 50 && round !== 3 ? 1.4 : 1);
  const claim = judge(buildMatrix({ gain, rounds: 7 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('cover the true median in at least 93.75 % of such runs');
});

test('inconclusive: five rounds each, but not the same ones', () => {
  const scenarios = buildMatrix({ gain: asClaimed, rounds: 6 });
  const first = scenarios.map((scenario, index) => ({
    ...scenario,
    rounds: scenario.rounds.filter(({ round }) => round !== (index % 2 === 0 ? 0 : 5)),
  }));
  const claim = judge(first);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('4 rounds are common');
});

test('inconclusive: more than 1 % of an arm failed, which is named', () => {
  const id = 'ioredis-optimized-2pools-100workers';
  const scenarios = buildMatrix({ gain: asClaimed });
  const failing = (failed: number) =>
    Array.from({ length: 5 }, (_, round) =>
      buildRound(round, 42_000, { issued: 42_000 + failed, failed: { OOM: failed } }),
    );
  const claim = judge(withRounds(scenarios, id, failing(840)));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(`2.0 % of the operations of ${id} failed`);
  expect(judge(withRounds(scenarios, id, failing(84))).verdict).toBe('supported');
});

test('inconclusive: a round in which an arm completed nothing', () => {
  const id = 'ioredis-optimized-1pools-200workers';
  const scenarios = buildMatrix({ gain: asClaimed, rounds: 6 });
  const rounds = Array.from({ length: 6 }, (_, round) => buildRound(round, round === 2 ? 0 : 30_000));
  const claim = judge(withRounds(scenarios, id, rounds));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(`Nothing completed in round 2 of ${id}`);
});

test('clients that agree give one verdict', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, clients: ['ioredis', 'wire'] }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('With ioredis, above 50');
  expect(claim.reason).toContain('; with wire, above 50');
});

test('inconclusive: clients disagree, each with its finding', () => {
  const gain: Matrix['gain'] = cell => (cell.client === 'wire' ? 1 : asClaimed(cell));
  const claim = judge(buildMatrix({ gain, clients: ['ioredis', 'wire'] }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(
    'with ioredis it is supported (several pools gain more than 5 % above 50 workers and not at 50 or fewer)',
  );
  expect(claim.reason).toContain('with wire it is refuted (no number of pools gains 5 % above 50 workers)');
  // √(1.4 × 1): levels and clients are combined by geometric mean.
  expect(claim.measured).toBeCloseTo(1.183, 1);
});

test('the crossover is the level from which on all higher ones pay, not the first that does', () => {
  const gains = new Map([
    [10, 1.3],
    [50, 0.8],
    [100, 1],
    [200, 1.4],
  ]);
  const claim = judge(buildMatrix({ gain: ({ workers }) => gains.get(workers) ?? 1 }));
  expect(claim.reason).toContain('from 200 workers on');
});

test('presets are settings of their own', () => {
  const optimized = buildMatrix({ gain: asClaimed });
  const baseline = buildMatrix({ gain: () => 1 }).map(scenario => ({ ...scenario, pool: 'baseline' }));
  const claim = judge([...optimized, ...baseline]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('with ioredis, baseline pool it is refuted');
  expect(claim.comparisons).toHaveLength(16);
});

test('every pair of arms is a comparison with its ratios, p-value and limits', () => {
  const { comparisons } = judge(buildMatrix({ gain: asClaimed }));
  expect(comparisons.map(({ workers, pools }) => [workers, pools])).toEqual(
    [10, 50, 100, 200].flatMap(workers => [
      [workers, 2],
      [workers, 4],
    ]),
  );
  const at100 = comparisons.find(({ workers, pools }) => workers === 100 && pools === 2);
  expect(at100).toMatchObject({ client: 'ioredis', rounds: 5, throughputP: 2 / 32, connections: 200 });
  expect(at100?.throughput.median).toBeCloseTo(1.4, 1);
  expect(at100?.responseP99.median).toBeCloseTo(1 / 1.4, 1);
  expect(at100?.limitedBy).toEqual({ one: 'client', several: 'client' });
});

test('a reason has at most four sentences', () => {
  const many = buildMatrix({ gain: asClaimed, clients: ['ioredis', 'wire'] });
  for (const claim of [judge(many), judge(many, { target: standInTarget }), judge(many.slice(0, 0))]) {
    const sentences = claim.reason.split(/(?<=\.)\s+(?=[A-Z])/);
    expect(sentences.length).toBeGreaterThanOrEqual(1);
    expect(sentences.length).toBeLessThanOrEqual(4);
  }
});

test('a single pair is enough to be judged', () => {
  const rounds = (rate: number) => Array.from({ length: 5 }, (_, round) => buildRound(round, rate));
  const scenarios = [
    buildScenario({ workers: 100 }, rounds(1000)),
    buildScenario({ workers: 100, pools: 2 }, rounds(2000)),
  ];
  expect(judge(scenarios)).toMatchObject({ verdict: 'supported', measured: 2, low: 2, high: 2 });
});

test('a window that was cut short is in no ratio', () => {
  const scenarios = buildMatrix({ gain: asClaimed });
  const [first] = scenarios;
  if (first === undefined) throw new Error('expected a matrix');
  const cutShort = first.rounds.map((round, index) =>
    index === 4 ? { ...round, seconds: round.seconds / 2 } : round,
  );
  const roundsOf = (claim: ClaimResult) => claim.comparisons[0]?.rounds;
  expect(roundsOf(judge(scenarios))).toBe(5);
  expect(roundsOf(judge(withRounds(scenarios, first.id, cutShort)))).toBe(4);
});

test('a run without levels above 50 workers is no test, but says what it found', () => {
  const claim = judge(buildMatrix({ workers: [40], pools: [1, 2], gain: () => 0.8 }));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toMatch(/It does tell this: at 40 workers with ioredis, 2 pools gave ×0\.80 \[/);
});

test('a run that was stopped before any round was common has no empty sentences', () => {
  const [first, ...others] = buildMatrix({ clients: ['ioredis', 'wire'], gain: asClaimed });
  if (first === undefined) throw new Error('expected a matrix');
  const claim = judge([first, ...others.map(scenario => ({ ...scenario, rounds: [] }))]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).not.toMatch(/(^|[.;] ?)[.;]/);
});
