import { expect, test } from 'vitest';
import type { PoolMetrics } from '../../../src/aggregate/result.ts';
import { type FiguresOf, judge, measureSuite } from '../../support/claim-arms.ts';
import { usualMetrics } from '../../support/preset-metrics.ts';
import { standInTarget } from '../../support/result-builder.ts';

type Gain = (round: number) => { readonly speed: number; readonly slowness: number };

const promised: Gain = () => ({ speed: 1.2, slowness: 0.85 });

/** The suite, in which lock-free pools differ from baseline by this, and tell these metrics. */
function measure(gain: Gain, metrics: Partial<PoolMetrics> = {}, rounds?: number) {
  const figuresOf: FiguresOf = (scenario, round) => ({
    ...(scenario.preset === 'lock-free' ? gain(round) : {}),
    poolMetrics: {
      ...usualMetrics(scenario),
      ...(scenario.preset === 'lock-free' ? metrics : {}),
    },
  });
  return measureSuite('optimizations', figuresOf, rounds);
}

test('supported: throughput and tail gain what is promised', async () => {
  const claim = judge('C4', await measure(promised));
  expect(claim).toMatchObject({ verdict: 'supported', unit: '×', limitedBy: ['client'] });
  expect(claim.measured).toBeCloseTo(1.2);
  expect(claim.reason).toMatch(
    / 50 and 100 workers .* ×1\.20 \[1\.20, 1\.20\]; predicted ×1\.15 .*: response p95 /,
  );
  expect(claim.reason).toMatch(/ all 3 .* 9\.4 % /);
  expect(claim.predictions).toBe(3);
  expect(claim.comparisons.map(({ measure, predicted }) => [measure, predicted])).toEqual(
    [
      ['throughput', { low: 1.15, high: null }],
      ['response p95', { low: null, high: 0.9 }],
      ['response p99', { low: null, high: 0.9 }],
    ].flatMap(comparison => [comparison, comparison]),
  );
});

test('supported: more than is promised keeps the promise', async () => {
  expect(judge('C4', await measure(() => ({ speed: 2, slowness: 0.5 }))).verdict).toBe('supported');
});

test('refuted: throughput gains too little, or the tail does', async () => {
  const claim = judge('C4', await measure(() => ({ speed: 1.1, slowness: 0.85 })));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toMatch(/×1\.15 or more: fails\. .* 0\.85\]; .*×0\.90 or less: holds\./);
  expect(claim.gist).toMatch(/ throughput ×1\.10 .*: fails\.$/);
  expect(judge('C4', await measure(() => ({ speed: 1.2, slowness: 0.95 }))).verdict).toBe('refuted');
});

test('inconclusive: one round of five is on the other side', async () => {
  const gain: Gain = round => ({ speed: round === 3 ? 1.1 : 1.2, slowness: 0.85 });
  const claim = judge('C4', await measure(gain));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('[1.10, 1.20]; predicted ×1.15');
});

test('inconclusive: fewer than 5 rounds', async () => {
  const claim = judge('C4', await measure(promised, {}, 4));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^Only 4 rounds .* needs 5\. .*: throughput /);
  expect(claim.reason).not.toMatch(/chance|holds/);
  expect(claim.gist).toMatch(/^Only 4 rounds .* needs 5\.$/);
});

test('inconclusive: the lock-free pool had a lock', async () => {
  const claim = judge('C4', await measure(promised, { lockWaits: 1 }));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('a lock in ioredis-lock-free-1pool-50workers in round 0');
});

test('inconclusive: nobody waited for the lock of the baseline pool', async () => {
  const scenarios = await measureSuite('optimizations', (scenario, round) => ({
    ...(scenario.preset === 'lock-free' ? promised(round) : {}),
    poolMetrics: { ...usualMetrics(scenario), lockWaits: 0 },
  }));
  const claim = judge('C4', scenarios);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('the lock of ioredis-baseline-1pool-50workers in round 0');
});

/** What a pool tells that opened so many connections in the window of 1 s, at 1 ms each. */
const grown = (created: number, lastCreatedMs: number): Partial<PoolMetrics> => ({
  created,
  lastCreatedMs,
  connectTime: { count: created, mean: 1, p50: 1, p99: 1, max: 1 },
});

test('inconclusive: pools that still opened connections for more than 2 % of the window', async () => {
  const ofBaseline = (metrics: Partial<PoolMetrics>) =>
    measureSuite('optimizations', (scenario, round) => ({
      ...(scenario.preset === 'lock-free' ? promised(round) : {}),
      poolMetrics: { ...usualMetrics(scenario), ...(scenario.preset === 'baseline' ? metrics : {}) },
    }));
  const claim = judge('C4', await ofBaseline(grown(140, 900)));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
  expect(claim.reason).toMatch(
    /^Connections .* 14 % .* ioredis-baseline-1pool-50workers, .* 2\.0 % .*\. Lock-free /,
  );
  expect(judge('C4', await ofBaseline(grown(20, 900))).verdict).toBe('supported');
});

test('connects that overlap took no longer than until the last of them stood', async () => {
  expect(judge('C4', await measure(promised, grown(100, 15))).verdict).toBe('supported');
  expect(judge('C4', await measure(promised, grown(100, 30))).verdict).toBe('inconclusive');
});

test('inconclusive: more than 0.2 % of an arm failed', async () => {
  const scenarios = await measure(promised);
  const failing = (unfinished: number) =>
    scenarios.map(scenario =>
      scenario.pool === 'lock-free'
        ? { ...scenario, rounds: scenario.rounds.map(round => ({ ...round, unfinished })) }
        : scenario,
    );
  expect(judge('C4', failing(40)).verdict).toBe('supported');
  const claim = judge('C4', failing(100));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, low: null, high: null });
  expect(claim.reason).toContain('throughput ×1.20 [1.20, 1.20]');
  expect(claim.reason).toContain('ioredis-lock-free-1pool-50workers failed');
});

test('inconclusive: two clients that do not agree, each with its figures', async () => {
  const asPromised = await measure(promised);
  const without = (await measure(() => ({ speed: 1, slowness: 1 }))).map(scenario => ({
    ...scenario,
    client: 'wire',
    id: `wire${scenario.id}`,
  }));
  const claim = judge('C4', [...asPromised, ...without]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^The clients .* With ioredis: .* With wire: /);
  expect(claim.gist).toMatch(/^With ioredis: .*: holds\. With wire: .*: fails\.$/);
  expect(judge('C4', without).verdict).toBe('refuted');
});

test('a client of too few rounds does not disagree, it says nothing', async () => {
  const few = (await measure(promised, {}, 4)).map(scenario => ({
    ...scenario,
    client: 'wire',
    id: `wire${scenario.id}`,
  }));
  const claim = judge('C4', [...(await measure(promised)), ...few]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/^Not every setting .* With wire: Only 4 /);
});

test('a window that was cut short proves nothing, and loses nothing', async () => {
  const scenarios = await measure(promised, {}, 6);
  const cut = (changes: object) =>
    scenarios.map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round =>
        round.round === 5
          ? {
              ...round,
              seconds: 0.2,
              ...changes,
              poolMetrics: { ...round.poolMetrics, lockWaits: scenario.pool === 'lock-free' ? 1 : 0 },
            }
          : round,
      ),
    }));
  expect(judge('C4', cut({})).verdict).toBe('supported');
  expect(judge('C4', cut({ completed: 0 })).verdict).toBe('supported');
  expect(judge('C4', cut({ unfinished: 10_000 })).verdict).toBe('supported');
});

test('levels below 50 workers are not part of it', async () => {
  const scenarios = (await measure(promised)).filter(({ workers }) => workers >= 50);
  const few = scenarios.map(scenario => ({
    ...scenario,
    id: `few${scenario.id}`,
    workers: scenario.workers / 10,
    rounds: scenario.rounds.map(round => ({ ...round, opsPerSecond: 1000 })),
  }));
  expect(judge('C4', [...scenarios, ...few]).measured).toBeCloseTo(1.2);
  expect(judge('C4', few)).toMatchObject({ verdict: 'not tested', measured: null, comparisons: [] });
});

test('not tested: without such pools, which are named with the suite that has them', async () => {
  const scenarios = (await measure(promised)).filter(({ pool }) => pool !== 'lock-free');
  expect(judge('C4', scenarios)).toMatchObject({
    verdict: 'not tested',
    measured: null,
    reason: expect.stringContaining(' configs/claims/optimizations.json '),
  });
});

test('not tested: batches, open loops, several pools and checks by PING are other questions', async () => {
  const scenarios = await measure(promised);
  for (const other of [
    { pipeline: 10 },
    { arrival: { kind: 'constant', rate: 2000 } },
    { pools: 2, threads: 2 },
    { probe: 'ping' },
    { cutEveryMs: 100 },
  ]) {
    const claim = judge(
      'C4',
      scenarios.map(scenario => ({ ...scenario, ...other })),
    );
    expect(claim.verdict, JSON.stringify(other)).toBe('not tested');
  }
});

test('a stand-in tests nothing of the declared server, and what its figures would give is said', async () => {
  const claim = judge('C4', await measure(promised), { target: standInTarget });
  expect(claim.verdict).toBe('not tested');
  expect(claim.measured).toBeCloseTo(1.2);
  expect(claim.reason).toMatch(/dragonfly, .* redis 7\.0\.15 .*: supported\. /);
  expect(claim.gist).toMatch(/^redis 7\.0\.15 .* dragonfly; .*: supported\. /);
});

test('a run that was stopped before its first round has no figures and no empty sentences', async () => {
  const claim = judge('C4', await measure(promised, {}, 0));
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, comparisons: [] });
  expect(claim.reason).toMatch(/^No round .* needs 5\.$/);
});
