import { expect, test } from 'vitest';
import type { ClaimResult, Result, ScenarioResult } from '../../../src/aggregate/result.ts';
import { warningsOf } from '../../../src/aggregate/stats/warnings.ts';
import {
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  buildVerdict,
  type Matrix,
  standInTarget,
} from '../../support/result-builder.ts';

function judge(scenarios: readonly ScenarioResult[], changes: Partial<Result> = {}): ClaimResult {
  return buildVerdict('C1', scenarios, changes);
}

const judgeOnePool = (scenarios: readonly ScenarioResult[]): ClaimResult => buildVerdict('C20', scenarios);

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

test('supported: several pools pay beyond 50 workers, and at 50 or fewer they do not', () => {
  const claim = judge(buildMatrix({ gain: asClaimed }));
  expect(claim).toMatchObject({ id: 'C1', verdict: 'supported' });
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.low).toBeGreaterThan(1.35);
  expect(claim.high).toBeLessThan(1.45);
  expect(claim.gist).toMatch(/^Yes: [24] pools, .* ×1\.[34]\d \[.*\] beyond 50 .* do not pay .*\.$/);
  // Two numbers of pools share one chance to err. C20 has two: that there is no gain up to 50, and that it is larger beyond.
  expect(claim.predictions).toBe(1);
  expect(judgeOnePool(buildMatrix({ gain: asClaimed }))).toMatchObject({
    verdict: 'supported',
    predictions: 2,
  });
});

test('one number of pools that pays is enough', () => {
  const gain: Matrix['gain'] = ({ workers, pools }) => (workers > 50 && pools === 4 ? 1.3 : 1);
  const claim = judge(buildMatrix({ gain }));
  expect(claim.verdict).toBe('supported');
  expect(claim.gist).toMatch(/^Yes: 4 pools/);
});

test('refuted: no number of pools gains 5 % beyond 50 workers', () => {
  const claim = judge(buildMatrix({ gain: () => 1.01 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1.01, 1);
  expect(claim.gist).toMatch(/^No: .*2 pools ×1\.0.* 4 pools ×1\.0/);
});

test('that they pay at 50 workers or fewer, too, is said, and refutes only that one pool is enough there', () => {
  const everywhere = buildMatrix({ gain: () => 1.6 });
  const claim = judge(everywhere);
  expect(claim.verdict).toBe('supported');
  expect(claim.gist).toMatch(/already pay off at 10 workers, (5|2 or 3) per pool \(×1\.[56]/);
  const onePool = judgeOnePool(everywhere);
  expect(onePool.verdict).toBe('refuted');
  expect(onePool.gist).toMatch(/^No: at 50 or fewer [24] pools already gave ×1\.[56]/);
});

test('refuted, both: a gain at 50 workers or fewer, and none beyond', () => {
  const scenarios = buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1 : 1.6) });
  expect([judge(scenarios), judgeOnePool(scenarios)].map(({ verdict }) => verdict)).toEqual([
    'refuted',
    'refuted',
  ]);
});

test('a loss is no gain', () => {
  expect(judge(buildMatrix({ gain: () => 0.7 })).verdict).toBe('refuted');
});

test('what stays open says what it excludes', () => {
  const claim = judge(
    buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1.02 + 0.02 * round : 1) }),
  );
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.gist).toMatch(/^Open: beyond 50 .* a gain of at least ×1\.0\d, and at most ×1\.1\d \(/);
  const nothing = judge(
    buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 0.98 + 0.02 * round : 1) }),
  );
  expect(nothing.verdict).toBe('inconclusive');
  expect(nothing.gist).toMatch(/^Open: beyond 50 workers no gain of more than ×1\.1\d \([24] pools ×/);
});

test('what stays open says which gain such a run finds, and about how many rounds would decide', () => {
  // Of 11 rounds 7 lie above ×1.05.
  const leaning: Matrix['gain'] = ({ workers, round }) => (workers > 50 ? (round % 3 === 0 ? 1 : 1.12) : 1);
  const claim = judge(buildMatrix({ gain: leaning, pools: [1, 2], rounds: 11 }));
  expect(claim.verdict).toBe('inconclusive');
  const [, gain, rounds] = /×(\S+) or more with 80 % power; about (\d+) rounds/.exec(claim.reason) ?? [];
  expect(Number(gain)).toBeGreaterThan(1.1);
  expect(Number(gain)).toBeLessThan(1.25);
  expect(Number(rounds)).toBeGreaterThan(40);
  expect(Number(rounds)).toBeLessThan(300);
});

test('rounds that resemble the ones before them are told once, as a warning of the run', () => {
  const correlationsOf = (gain: Matrix['gain']) =>
    warningsOf(buildResult(buildMatrix({ gain, workers: [100], pools: [1, 2], rounds: 12 }))).flatMap(
      warning => /rank correlation (\d\.\d+)/.exec(warning)?.[1] ?? [],
    );
  const [correlation, ...more] = correlationsOf(({ round }) => (round < 6 ? 1.3 : 1.5));
  expect(Number(correlation)).toBeGreaterThan(0.2);
  expect(more).toEqual([]);
  expect(correlationsOf(asClaimed)).toEqual([]);
});

test('an open gain at 50 workers or fewer leaves only C20 open', () => {
  const scenarios = buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1.4 : 1 + 0.05 * round) });
  expect(judge(scenarios)).toMatchObject({ verdict: 'supported' });
  expect(judge(scenarios).gist).toContain('at 50 or fewer stays open');
  expect(judgeOnePool(scenarios).verdict).toBe('inconclusive');
});

test('C20 tells what is found of what stays open: the larger gain, where one pool is enough', () => {
  const unsure = buildMatrix({
    gain: ({ workers, round }) => (workers > 50 ? 1 + 0.04 * round : 1),
    rounds: 10,
  });
  const { verdict, reason } = judgeOnePool(unsure);
  expect(verdict).toBe('inconclusive');
  expect(reason).toMatch(
    /Of the gain beyond 50 workers to that at 50 or fewer, such a run detects ×1\.[2-9]/,
  );
  const early = buildMatrix({ gain: ({ workers, round }) => (workers > 50 ? 1.4 : 1 + 0.02 * round) });
  expect(judgeOnePool(early).reason).toMatch(/[^,] Such a run detects ×1/);
});

test('one pool is enough, but nothing begins beyond: that half refutes it', () => {
  const claim = judgeOnePool(buildMatrix({ gain: () => 1 }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.gist).toMatch(/ the gain of [24] pools is ×1\.00 \[.*; one pool is enough at 50 or fewer/);
  // The figure is the one that refutes it, and lies outside of what is predicted of it.
  expect(claim.predictedRange).toEqual({ low: 1.05, high: null });
  expect(claim.high).toBeLessThan(1.05);
});

test('several numbers of pools share the chance to err: 6 rounds decide for one of them, two take 7', () => {
  const verdictOn = (pools: number[], rounds: number) =>
    judge(buildMatrix({ gain: asClaimed, pools, rounds })).verdict;
  expect(verdictOn([1, 2], 6)).toBe('supported');
  expect(verdictOn([1, 2, 4], 6)).toBe('inconclusive');
  expect(verdictOn([1, 2, 4], 7)).toBe('supported');
  // That none pays takes all of them, so it takes no more rounds.
  expect(judge(buildMatrix({ gain: () => 1, pools: [1, 2, 4], rounds: 6 })).verdict).toBe('refuted');
});

test('one good round is enough to leave it open', () => {
  const oneGood: Matrix['gain'] = ({ round }) => (round === 2 ? 1.2 : 1);
  expect(judge(buildMatrix({ gain: oneGood })).verdict).toBe('inconclusive');
});

test('a gain below 5 % does not pay', () => {
  const claim = judge(buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1.03 : 1) }));
  expect(claim.verdict).toBe('refuted');
  expect(claim.low).toBeGreaterThan(1);
});

test('without levels of 50 workers or fewer C1 is judged all the same, and C20 is not', () => {
  const scenarios = buildMatrix({ gain: asClaimed, workers: [100, 200] });
  expect(judge(scenarios).verdict).toBe('supported');
  expect(judgeOnePool(scenarios).verdict).toBe('not tested');
});

test('what limited the arms beyond 50 workers stands beside the verdict', () => {
  const limited = buildMatrix({ gain: asClaimed }).map(arm => ({
    ...arm,
    limitedBy: { resource: arm.pools === 1 ? ('client' as const) : ('machine' as const), evidence: '' },
  }));
  expect(judge(limited).reason).toContain('1 pool: client; 2 and 4 pools: machine.');
  expect(judge(buildMatrix({ gain: asClaimed })).reason).toContain('beyond 50 workers: client.');
});

test('blocks that stopped at different rounds are judged by those that they have in common', () => {
  const scenarios = buildMatrix({ gain: asClaimed, rounds: 20 }).map(arm =>
    arm.workers > 50 ? arm : { ...arm, rounds: arm.rounds.slice(0, 10) },
  );
  const claim = judge(scenarios);
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toContain('over 10 to 20 rounds');
  expect(judgeOnePool(scenarios).verdict).toBe('supported');
});

test('not tested: no level above 50 workers', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, workers: [10, 50] }));
  expect(claim).toMatchObject({ verdict: 'not tested', measured: null, low: null, high: null });
  expect(claim.comparisons).toHaveLength(2 * 4);
});

test('not tested: nothing to compare, or nothing at all; inconclusive: nothing measured', () => {
  expect(judge(buildMatrix({ gain: asClaimed, pools: [1] })).verdict).toBe('not tested');
  expect(judge(buildMatrix({ gain: asClaimed, pools: [2, 4] })).verdict).toBe('not tested');
  expect(judge([]).verdict).toBe('not tested');
  const unmeasured = judge(buildMatrix({ gain: asClaimed, rounds: 0 }));
  expect(unmeasured).toMatchObject({ verdict: 'inconclusive', measured: null, comparisons: [] });
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
  expect(claim.reason).toMatch(/ dragonfly, .* redis 7\.0\.15 .*: supported\. Yes: /);
  expect(claim.gist).toMatch(/^redis 7\.0\.15 .* dragonfly; .*: supported\. Yes: /);
});

test('inconclusive: fewer than six rounds, however clear', () => {
  const claim = judge(buildMatrix({ gain: asClaimed, rounds: 5 }));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, low: null, high: null });
  expect(claim.reason).toMatch(/only 5 rounds .* needs 6/);
});

test('beside optimized pools no others decide, and they are shown', () => {
  const baseline = inBaselinePools(buildMatrix({ gain: ({ workers }) => (workers > 50 ? 3 : 1) }));
  const claim = judge([...buildMatrix({ gain: () => 1 }), ...baseline]);
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/ For comparison, ioredis, baseline: Yes: [24] pools, .* ×(2\.9|3\.0)/);
  expect(claim.measured).toBeCloseTo(1, 1);
  expect(judge(baseline).verdict).toBe('supported');
});

test('eight rounds of which one does not pay leave it open', () => {
  const gain: Matrix['gain'] = ({ workers, round }) => (workers > 50 && round !== 3 ? 1.4 : 1);
  const claim = judge(buildMatrix({ gain }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('96.9 % confidence intervals');
});

test('inconclusive: six rounds each, but not the same ones', () => {
  const scenarios = buildMatrix({ gain: asClaimed, rounds: 7 });
  const shifted = scenarios.map((scenario, index) => ({
    ...scenario,
    rounds: scenario.rounds.filter(({ round }) => round !== (index % 2 === 0 ? 0 : 5)),
  }));
  const claim = judge(shifted);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('5 rounds are common');
});

test('inconclusive: more than 0.2 % of an arm failed, which is named', () => {
  const id = 'ioredis-optimized-2pools-100workers';
  const scenarios = buildMatrix({ gain: asClaimed });
  const failing = (failed: number) =>
    Array.from({ length: 8 }, (_, round) =>
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

test('a round in which an arm completed nothing counts against that arm, and is no veto', () => {
  const scenarios = buildMatrix({ gain: asClaimed });
  const silentOnce = ({ id, rounds }: ScenarioResult) =>
    judge(withRounds(scenarios, id, rounds.with(2, buildRound(2, 0, { issued: 100, unfinished: 100 }))));
  const ofMany = (pools: number) => {
    const arm = scenarios.find(one => one.pools === pools && one.workers === 200 && one.client === 'ioredis');
    if (arm === undefined) throw new Error('expected the arm');
    return arm;
  };
  const against = silentOnce(ofMany(1));
  expect(against).toMatchObject({ verdict: 'supported', high: null });
  expect(against.measured).toBeGreaterThan(1.05);
  expect(against.reason).toContain('∞');
  // The arm of four pools pays no longer, so the best of the others is shown.
  const silent = silentOnce(ofMany(4));
  expect(silent.verdict).toBe('supported');
  expect(silent.reason).not.toContain('4 pools, each');
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
    expect(claim.reason).toMatch(/^Yes: .* For comparison, wire \(a bound .*\): /);
    expect(claim.gist).not.toContain('wire');
  }
});

test('a bound without enough rounds is marked, and leaves the verdict unchanged', () => {
  const wire = buildMatrix({ gain: asClaimed, clients: ['wire'], rounds: 4 });
  const claim = judge([...buildMatrix({ gain: asClaimed }), ...wire]);
  expect(claim.verdict).toBe('supported');
  expect(claim.reason).toMatch(/wire .*: No verdict, and nothing is excluded: only 4 rounds/);
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

test('inconclusive: settings of optimized pools disagree, each with its finding', () => {
  const inBatches = (scenarios: readonly ScenarioResult[]) =>
    scenarios.map(scenario => ({ ...scenario, id: `${scenario.id}-depth10`, pipeline: 10 }));
  const claim = judge([...buildMatrix({ gain: asClaimed }), ...inBatches(buildMatrix({ gain: () => 1 }))]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.gist).toMatch(/With ioredis[^:]*: Yes: .* With ioredis[^:]*: No: /);
  // Of the first setting, and no mixture of both.
  expect(claim.measured).toBeCloseTo(1.4, 1);
  expect(claim.comparisons).toHaveLength(2 * 16);
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
  expect(throughput).toMatchObject({ rounds: 8, p: 2 / 256, predicted: { low: 1.05, high: null } });
  expect(throughput?.ratio.median).toBeCloseTo(1.4, 1);
  expect(p99).toMatchObject({ rounds: 8, predicted: null });
  expect(p99?.ratio.median).toBeCloseTo(1 / 1.4, 1);
  expect(throughput?.limitedBy).toEqual({ base: 'client', other: 'client' });
  expect(of(50)[0]?.predicted).toEqual({ low: null, high: 1.05 });
  expect(limitedBy).toEqual(['client']);
});

test('inconclusive: a level that gains behind a mean that does not, which is named', () => {
  const contradictory: Matrix['gain'] = ({ workers }) => (workers === 100 ? 1.2 : workers === 200 ? 0.8 : 1);
  const claim = judge(buildMatrix({ gain: contradictory }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^Open: beyond 50 .* ×0\.98 \[.*\] on average, but ×1\.20 \[.*\] at 100 /);
});

test('inconclusive: a level that gains nothing behind a mean that does, on either side', () => {
  const above: Matrix['gain'] = ({ workers }) => (workers === 200 ? 1.8 : 1);
  expect(judge(buildMatrix({ gain: above })).verdict).toBe('inconclusive');
  const upTo: Matrix['gain'] = ({ workers }) => (workers > 50 ? 1.4 : workers === 50 ? 1.1 : 0.9);
  expect(judgeOnePool(buildMatrix({ gain: upTo })).verdict).toBe('inconclusive');
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
  expect(claim.reason).toMatch(/connections .* 5\.0 % .* of ioredis-/);
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
  expect(roundsOf(judge(scenarios))).toBe(8);
  expect(roundsOf(judge(withRounds(scenarios, first.id, cutShort)))).toBe(7);
});

test('a run without levels above 50 workers is no test, but shows what it found', () => {
  const claim = judge(buildMatrix({ workers: [40], pools: [1, 2], gain: () => 0.8 }));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toMatch(/at 40 workers .* 2 pools .* ×0\.80 \[/);
  const short = judge(buildMatrix({ workers: [40], pools: [1, 2], gain: () => 0.8, rounds: 5 }));
  expect(short.reason).not.toContain('2 pools');
});

test('a run that was stopped before any round was common has no empty sentences', () => {
  const [first, ...others] = buildMatrix({ clients: ['ioredis', 'wire'], gain: asClaimed });
  if (first === undefined) throw new Error('expected a matrix');
  const claim = judge([first, ...others.map(scenario => ({ ...scenario, rounds: [] }))]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).not.toMatch(/(^|[.;] ?)[.;]/);
});
