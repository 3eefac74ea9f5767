import { expect, test } from 'vitest';
import { judgeClaims } from '../../../src/aggregate/claims/claims.ts';
import type { ClaimResult, Result, ScenarioResult } from '../../../src/aggregate/result.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  type Matrix,
  standInTarget,
} from '../../support/result-builder.ts';

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
    / cannot tell whether [^.]*\. ioredis: [24] pools ×1\.\d\d \[.*\] .*\(pays\), .*×1\.00 \[.*\] .*\(does not pay\); [24] pools .* from 100 /,
  );
  expect(claim.reason).toContain('thread');
  expect(claim.gist).toMatch(
    / cannot tell whether [^.]*\. ioredis: [24] pools ×1\.\d\d \[.*\] .*\(does not pay\)\.$/,
  );
  // Two numbers of pools, on either side of 50 workers.
  expect(claim.predictions).toBe(4);
});

test('one number of pools that pays is enough', () => {
  const gain: Matrix['gain'] = ({ workers, pools }) => (workers > 50 && pools === 4 ? 1.3 : 1);
  const claim = judge(buildMatrix({ gain }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('4 pools pay from 100');
});

test('refuted: no gain above 50 workers', () => {
  const claim = judge(buildMatrix({ gain: () => 1.01 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1.01, 1);
  expect(claim.reason).toMatch(/^No number .* above 50 /);
  expect(claim.reason).toContain('(does not pay)');
  expect(claim.reason).not.toContain('pay from');
  expect(claim.gist).toMatch(/^No number .* ioredis: /);
});

test('refuted: gains, but already at 10 workers', () => {
  const claim = judge(buildMatrix({ gain: () => 1.6 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/^Several pools .* already at 50 /);
  expect(claim.reason).toContain('pools pay from 10 ');
});

test('refuted: gains at 50 workers or fewer, but not above', () => {
  const claim = judge(buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1 : 1.6) }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/^Several .* but not above\./);
  expect(claim.reason).toMatch(/\(does not pay\), .*\(pays\)\. /);
});

test('a loss is no gain', () => {
  expect(judge(buildMatrix({ gain: () => 0.7 })).verdict).toBe('refuted');
});

test('inconclusive: above 50 workers the interval is not clear of 5 %', () => {
  const claim = judge(buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1 + 0.05 * round : 1) }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^Above 50 workers .* 5 %/);
});

test('inconclusive: at 50 workers or fewer the interval is not clear of 5 %', () => {
  const claim = judge(buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1.4 : 1 + 0.05 * round) }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('but at 50 or');
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

test('without levels of 50 workers or fewer only the other half is judged, and the reason notes it', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, workers: [100, 200] }));
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('no level of 50');
});

test('not tested: no level above 50 workers', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, workers: [10, 50] }));
  expect(claim).toMatchObject({ verdict: 'not tested', measured: null, low: null, high: null });
  expect(claim.comparisons).toHaveLength(2 * 4);
});

test('not tested: nothing to compare, nothing measured, or nothing at all', () => {
  expect(judge(buildMatrix({ gain: asClaimed, pools: [1] })).verdict).toBe('not tested');
  expect(judge(buildMatrix({ gain: asClaimed, pools: [2, 4] })).verdict).toBe('not tested');
  expect(judge([]).verdict).toBe('not tested');
  const unmeasured = judge(buildMatrix({ gain: asClaimed, rounds: 0 }));
  expect(unmeasured).toMatchObject({ verdict: 'inconclusive', measured: null, comparisons: [] });
  expect(unmeasured.reason).toContain('No round is');
});

test('not tested: open loops, because their throughput is the requested rate', () => {
  const arrival = { kind: 'constant', rate: 2000 };
  const claim = judge(buildMatrix({ gain: () => 1 }).map(scenario => ({ ...scenario, arrival })));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('only open loops');
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

test('a stand-in tests nothing of the declared server; the reason has the verdict that its figures would give', () => {
  const claim = judge(buildMatrix({ gain: asClaimed }), { target: standInTarget });
  expect(claim.verdict).toBe('not tested');
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.reason).toMatch(/ dragonfly, .* redis 7\.0\.15 .*: supported\. Several /);
  expect(claim.gist).toMatch(/^redis 7\.0\.15 .* dragonfly; .*: supported\. Several /);
});

test('inconclusive: fewer than five rounds, however clear', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, rounds: 4 }));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, low: null, high: null });
  expect(claim.reason).toMatch(/ioredis: [24] pools ×1\.40 \[[^(]*\] above /);
  expect(claim.reason).toMatch(/over 4 rounds .* 87\.5 %/);
  expect(claim.reason).toMatch(/^Only 4 rounds .* needs 5\./);
  expect(claim.reason).not.toContain('pay from');
});

test('what was measured is that of the first setting that is sound', () => {
  const gain: Matrix['gain'] = ({ workers }) => (workers > 50 ? 3 : 1);
  const optimized = buildMatrix({ gain: asClaimed });
  const baseline = inBaselinePools(buildMatrix({ gain }));
  expect(judge([...optimized, ...baseline]).measured).toBeCloseTo(1.4, 1);
  const failing = Array.from({ length: 6 }, (_, round) =>
    buildRound(round, 42_000, { issued: 44_000, failed: { OOM: 2000 } }),
  );
  const unsound = withRounds(optimized, 'ioredis-optimized-1pools-100workers', failing);
  const claim = judge([...unsound, ...baseline]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(
    / ioredis, optimized \(inconclusive\): .* of ioredis-.* ioredis, baseline \(supported\): /,
  );
  expect(claim.measured).toBeCloseTo(3, 0);
});

test('seven rounds are no easier than five: one that does not pay leaves it open', () => {
  const gain: Matrix['gain'] = ({ workers, round }) => (workers > 50 && round !== 3 ? 1.4 : 1);
  const claim = judge(buildMatrix({ gain, rounds: 7 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('at least 93.75 %');
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

test('inconclusive: more than 0.2 % of an arm failed, which is named', () => {
  const id = 'ioredis-optimized-2pools-100workers';
  const scenarios = buildMatrix({ gain: asClaimed });
  const failing = (failed: number) =>
    Array.from({ length: 6 }, (_, round) =>
      buildRound(round, 42_000, { issued: 42_000 + failed, failed: { OOM: failed } }),
    );
  const claim = judge(withRounds(scenarios, id, failing(840)));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(`of ${id} failed`);
  const justOver = judge(withRounds(scenarios, id, failing(97)));
  expect(justOver.verdict).toBe('inconclusive');
  expect(justOver.reason).toContain('0.23 %');
  expect(judge(withRounds(scenarios, id, failing(63))).verdict).toBe('supported');
});

test('inconclusive: a round in which an arm completed nothing', () => {
  const id = 'ioredis-optimized-1pools-200workers';
  const scenarios = buildMatrix({ gain: asClaimed, rounds: 6 });
  const rounds = Array.from({ length: 6 }, (_, round) => buildRound(round, round === 2 ? 0 : 30_000));
  const claim = judge(withRounds(scenarios, id, rounds));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(`in round 2 of ${id}`);
});

test('wire is a bound beside ioredis, whatever it finds', () => {
  const wireGains =
    (ofWire: number): Matrix['gain'] =>
    cell =>
      cell.client === 'wire' && cell.workers > 50 ? ofWire : asClaimed(cell);
  for (const ofWire of [1, 1.4, 3]) {
    const claim = judge(buildMatrix({ gain: wireGains(ofWire), clients: ['wire', 'ioredis'] }));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(1.4, 1);
    expect(claim.reason).toMatch(/^Several .* ioredis: .* a bound .*, wire: [24] pools ×/);
    expect(claim.gist).not.toContain('wire');
  }
});

test('a bound without enough rounds is marked, and leaves the verdict unchanged', () => {
  const wire = buildMatrix({ gain: asClaimed, clients: ['wire'], rounds: 4 });
  const claim = judge([...buildMatrix({ gain: asClaimed }), ...wire]);
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('wire: only 4 rounds');
});

test('alone wire decides', () => {
  const claim = judge(buildMatrix({ gain: () => 1, clients: ['wire'] }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).not.toContain('bound');
});

/** The same arms with a lock. */
const inBaselinePools = (scenarios: readonly ScenarioResult[]) =>
  scenarios.map(scenario => ({
    ...scenario,
    id: scenario.id.replace('optimized', 'baseline'),
    pool: 'baseline',
  }));

test('inconclusive: settings disagree, each with its finding', () => {
  const claim = judge([
    ...buildMatrix({ gain: asClaimed }),
    ...inBaselinePools(buildMatrix({ gain: () => 1 })),
  ]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/ ioredis, optimized \(supported\): .* ioredis, baseline \(refuted\): /);
  expect(claim.gist).toMatch(/^ioredis, optimized: supported; .*: refuted\. .*: [24] pools ×/);
  // Of the first setting, and no mixture of both.
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.comparisons).toHaveLength(2 * 16);
});

test('the crossover is the level from which on all higher ones pay, not the first that does', () => {
  const gains = new Map([
    [10, 1.3],
    [50, 0.8],
    [100, 1],
    [200, 1.4],
  ]);
  const claim = judge(buildMatrix({ gain: ({ workers }) => gains.get(workers) ?? 1 }));
  expect(claim.reason).toContain('from 200');
});

test('every pair of arms is compared by throughput and p99, with prediction, p-value and limits', () => {
  const { comparisons, limitedBy } = judge(buildMatrix({ gain: asClaimed }));
  const id = (pools: number, workers: number) => `ioredis-optimized-${pools}pools-${workers}workers`;
  expect(comparisons.map(({ measure, base, other }) => [measure, base, other])).toEqual(
    [10, 50, 100, 200].flatMap(workers =>
      [2, 4].flatMap(pools =>
        ['throughput', 'response p99'].map(measure => [measure, id(1, workers), id(pools, workers)]),
      ),
    ),
  );
  const of = (workers: number) => comparisons.filter(({ other }) => other === id(2, workers));
  const [throughput, p99] = of(100);
  expect(throughput).toMatchObject({ rounds: 5, p: 2 / 32, predicted: { low: 1.05, high: null } });
  expect(throughput?.ratio.median).toBeCloseTo(1.4, 1);
  expect(p99).toMatchObject({ rounds: 5, predicted: null });
  expect(p99?.ratio.median).toBeCloseTo(1 / 1.4, 1);
  expect(throughput?.limitedBy).toEqual({ base: 'client', other: 'client' });
  expect(of(50)[0]?.predicted).toEqual({ low: null, high: 1.05 });
  expect(limitedBy).toEqual(['client']);
});

const sentencesOf = ({ reason }: ClaimResult) => reason.split(/(?<=\.)\s+(?=[A-Z])/);

test('the reason of one setting has at most four sentences', () => {
  const one = buildMatrix({ gain: asClaimed });
  for (const claim of [judge(one), judge(one, { target: standInTarget }), judge([])]) {
    expect(sentencesOf(claim).length).toBeLessThanOrEqual(4);
  }
});

test('that of three settings has at most seven, and one that names each', () => {
  const optimized = buildMatrix({ gain: asClaimed, clients: ['ioredis', 'wire'] });
  const baseline = inBaselinePools(buildMatrix({ gain: () => 1 }));
  for (const target of [standInTarget, buildResult([]).target]) {
    const { reason } = judge([...optimized, ...baseline], { target });
    const sentences = reason.split(/(?<=\.)\s+(?=[A-Z]|ioredis, )/);
    expect(sentences.length).toBeLessThanOrEqual(7);
    for (const [setting, found] of [
      ['ioredis, optimized', 'supported'],
      ['ioredis, baseline', 'refuted'],
      ['As a bound that no application reaches, wire, optimized', 'supported'],
    ]) {
      const own = sentences.filter(sentence => sentence.startsWith(`${setting} (${found}): `));
      expect(own).toHaveLength(1);
      expect(own[0]).toMatch(/pools ×.* above 50 .* at 50 /);
    }
  }
});

test('inconclusive: a level that gains behind a mean that does not, which is named', () => {
  const contradictory: Matrix['gain'] = ({ workers }) => (workers === 100 ? 1.2 : workers === 200 ? 0.8 : 1);
  const claim = judge(buildMatrix({ gain: contradictory }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(
    /^Above 50 .* ×0\.98 \[.*\] .* ×1\.20 \[.*\] at 100 .* \(unclear, as ×1\.20 \[.*\] at /,
  );
});

test('inconclusive: a level that gains nothing behind a mean that does, on either side', () => {
  const above: Matrix['gain'] = ({ workers }) => (workers === 200 ? 1.8 : 1);
  expect(judge(buildMatrix({ gain: above })).verdict).toBe('inconclusive');
  const upTo: Matrix['gain'] = ({ workers }) => (workers > 50 ? 1.4 : workers === 50 ? 1.1 : 0.9);
  const claim = judge(buildMatrix({ gain: upTo }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/but at 50 .* ×(0\.99|1\.00) .* ×1\.1[01] .* at 50 /);
});

test('one number of pools without a contradiction is enough', () => {
  const gain: Matrix['gain'] = ({ workers, pools }) =>
    workers <= 50 ? 1 : pools === 4 ? 1.3 : workers === 100 ? 1 : 1.8;
  expect(judge(buildMatrix({ gain })).verdict).toBe('supported');
});

test('inconclusive: pools that still opened connections in the window', () => {
  const growing = (created: number) =>
    buildMatrix({ gain: asClaimed }).map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round => ({
        ...round,
        poolMetrics: {
          ...round.poolMetrics,
          created,
          lastCreatedMs: 900,
          connectTime: { count: created, mean: 1, p50: 1, p99: 1, max: 1 },
        },
      })),
    }));
  const claim = judge(growing(50));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
  expect(claim.reason).toMatch(/^Connections .* 5\.0 % .* of ioredis-/);
  expect(judge(growing(20)).verdict).toBe('supported');
});

test('a single pair is enough to be judged', () => {
  const rounds = (rate: number) => Array.from({ length: 6 }, (_, round) => buildRound(round, rate));
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

test('a run without levels above 50 workers is no test, but shows what it found', () => {
  const claim = judge(buildMatrix({ workers: [40], pools: [1, 2], gain: () => 0.8 }));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toMatch(/at 40 workers .* 2 pools .* ×0\.80 \[/);
  const short = judge(buildMatrix({ workers: [40], pools: [1, 2], gain: () => 0.8, rounds: 4 }));
  expect(short.reason).not.toContain('2 pools');
});

test('a run that was stopped before any round was common has no empty sentences', () => {
  const [first, ...others] = buildMatrix({ clients: ['ioredis', 'wire'], gain: asClaimed });
  if (first === undefined) throw new Error('expected a matrix');
  const claim = judge([first, ...others.map(scenario => ({ ...scenario, rounds: [] }))]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).not.toMatch(/(^|[.;] ?)[.;]/);
});
