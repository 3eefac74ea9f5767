import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PoolMetrics } from '../../../src/aggregate/result.ts';
import { type FiguresOf, judge, measureSuite } from '../../support/claim-arms.ts';
import { usualMetrics } from '../../support/preset-metrics.ts';
import { standInTarget } from '../../support/result-builder.ts';

describe('lock-free pools are judged by throughput and tail', () => {
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
    return measureSuite('tails', figuresOf, rounds);
  }

  test('supported: throughput and tail gain what is promised', async () => {
    const claim = judge('C4', await measure(promised));
    expect(claim).toMatchObject({ verdict: 'supported', unit: '×', limitedBy: ['client'] });
    expect(claim.measured).toBeCloseTo(1.2);
    expect(claim.reason).toMatch(
      / 50 and 100 workers .* ×1\.20 \[1\.20, 1\.20\]; predicted ×1\.15 .*: response p95 /,
    );
    expect(claim.reason).toMatch(/ all 3 .* 4\.7 % /);
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
    // ×1.68 is 2.7 times the most that is predicted, +25 %; ×1.3 is not far from it.
    const larger = judge('C4', await measure(() => ({ speed: 1.68, slowness: 0.85 })));
    expect(larger).toMatchObject({ verdict: 'supported', gist: expect.stringContaining('2.7 times') });
    expect(judge('C4', await measure(() => ({ speed: 1.3, slowness: 0.85 }))).gist).not.toContain('times');
  });

  test('what stays open says what is excluded, what such a run finds, and how many rounds would decide', async () => {
    const unclear: Gain = round => ({ speed: round % 3 === 0 ? 1.05 : 1.2, slowness: 0.85 });
    const { verdict, gist, reason } = judge('C4', await measure(unclear, {}, 16));
    expect(verdict).toBe('inconclusive');
    expect(gist).toContain('more than ×1.20 is excluded');
    const [, found, rounds] = /detects ×(\S+) or more with 80 % power; about (\d+) rounds/.exec(reason) ?? [];
    expect(Number(found)).toBeGreaterThan(1.15);
    expect(Number(found)).toBeLessThan(1.4);
    expect(Number(rounds)).toBeGreaterThan(16);
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

  test('inconclusive: fewer than 6 rounds', async () => {
    const claim = judge('C4', await measure(promised, {}, 4));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/^Only 4 rounds .* needs 6\. .*: throughput /);
    expect(claim.reason).not.toMatch(/chance|holds/);
    expect(claim.gist).toMatch(/^Only 4 rounds .* needs 6\.$/);
  });

  test('inconclusive: the lock-free pool had a lock', async () => {
    const claim = judge('C4', await measure(promised, { lockWaits: 1 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('a lock in ioredis-lock-free-1pool-50workers in round 0');
  });

  test('inconclusive: nobody waited for the lock of the baseline pool', async () => {
    const scenarios = await measureSuite('tails', (scenario, round) => ({
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
      measureSuite('tails', (scenario, round) => ({
        ...(scenario.preset === 'lock-free' ? promised(round) : {}),
        poolMetrics: { ...usualMetrics(scenario), ...(scenario.preset === 'baseline' ? metrics : {}) },
      }));
    const claim = judge('C4', await ofBaseline(grown(140, 900)));
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toMatch(
      /^Connections .* 14 % .* ioredis-baseline-1pool-50workers; .* 2\.0 %\. Lock-free /,
    );
    expect(judge('C4', await ofBaseline(grown(20, 900))).verdict).toBe('supported');
  });

  test('connects that overlap took no longer than until the last of them stood', async () => {
    expect(judge('C4', await measure(promised, grown(100, 15))).verdict).toBe('supported');
    expect(judge('C4', await measure(promised, grown(100, 30))).verdict).toBe('inconclusive');
  });

  test('inconclusive: more than 0.2 % of an arm failed', async () => {
    const scenarios = await measure(promised);
    const failing = (lost: number) =>
      scenarios.map(scenario =>
        scenario.pool === 'lock-free'
          ? { ...scenario, rounds: scenario.rounds.map(round => ({ ...round, failed: { OOM: lost } })) }
          : scenario,
      );
    expect(judge('C4', failing(200)).verdict).toBe('supported');
    const claim = judge('C4', failing(500));
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

  test('a client with too few rounds does not disagree, but has no verdict', async () => {
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
    const scenarios = await measure(promised, {}, 8);
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
      reason: expect.stringContaining(' configs/claims/tails.json '),
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

  test('a stand-in tests nothing of the declared server, and the reason has the verdict that its figures would give', async () => {
    const claim = judge('C4', await measure(promised), { target: standInTarget });
    expect(claim.verdict).toBe('not tested');
    expect(claim.measured).toBeCloseTo(1.2);
    expect(claim.reason).toMatch(/dragonfly, .* redis 7\.0\.15 .*: supported\. /);
    expect(claim.gist).toMatch(/^redis 7\.0\.15 .* dragonfly; .*: supported\. /);
  });

  test('a run that was stopped before its first round has no figures and no empty sentences', async () => {
    const claim = judge('C4', await measure(promised, {}, 0));
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, comparisons: [] });
    expect(claim.reason).toMatch(/^No round .* needs 6\.$/);
  });
});

describe('health cache is judged by latency and throughput', () => {
  type Gain = (round: number) => { readonly speed: number; readonly slowness: number };

  const promised: Gain = () => ({ speed: 1.07, slowness: 0.87 });

  /**
   * The suite without the cost of a check, which 1 worker shows, in which health-cached pools differ from baseline by this;
   * `metrics` are of the preset they are told for.
   */
  async function measure(gain: Gain, metrics: Partial<Record<string, Partial<PoolMetrics>>> = {}) {
    const figuresOf: FiguresOf = (scenario, round) => ({
      ...(scenario.preset === 'health-cached' ? gain(round) : {}),
      poolMetrics: { ...usualMetrics(scenario), ...metrics[scenario.preset] },
    });
    return (await measureSuite('optimizations', figuresOf)).filter(({ workers }) => workers > 1);
  }

  /** The arms of 1 worker, which show that a check costs what is promised. */
  const costing = async () => (await measureCost(0.07)).filter(({ workers }) => workers === 1);

  test('supported: mean response time and throughput gain what is promised', async () => {
    const claim = judge('C5', [...(await measure(promised)), ...(await costing())]);
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(0.87);
    expect(claim.comparisons.map(({ measure, other }) => [measure, other])).toEqual(
      ['mean response time', 'throughput'].flatMap(measure =>
        ['10workers', '50workers', '100workers', '1worker'].map(workers => [
          measure,
          `ioredis-health-cached-1pool-${workers}`,
        ]),
      ),
    );
  });

  test('inconclusive: the gains without the cost of a check, which takes 1 worker', async () => {
    expect(judge('C5', await measure(promised))).toMatchObject({
      verdict: 'inconclusive',
      measured: expect.closeTo(0.87),
      gist: expect.stringContaining('what a check costs is not tested'),
    });
  });

  /** In a closed loop both are one figure. */
  const closed =
    (speed: number): Gain =>
    () => ({ speed, slowness: 1 / speed });

  test('a throughput inside +5–10 % is not refuted by the mean latency that goes with it', async () => {
    for (const speed of [1.06, 1.08, 1.1]) {
      const scenarios = [...(await measure(closed(speed))), ...(await costing())];
      expect(judge('C5', scenarios).verdict, `×${speed}`).toBe('supported');
    }
  });

  test('refuted: less than the source report promises in either measure', async () => {
    expect(judge('C5', await measure(closed(1.04))).verdict).toBe('refuted');
    expect(judge('C5', await measure(closed(1))).verdict).toBe('refuted');
  });

  test('both count as one chance', async () => {
    expect(judge('C5', await measure(closed(1.08))).reason).not.toContain('chance');
  });

  test('inconclusive: a level that contradicts the others, which is named', async () => {
    const scenarios = await measureSuite('optimizations', scenario => ({
      ...(scenario.preset === 'health-cached' ? closed(scenario.workers === 10 ? 0.98 : 1.2)(0) : {}),
      poolMetrics: usualMetrics(scenario),
    }));
    const claim = judge(
      'C5',
      scenarios.filter(({ workers }) => workers > 1),
    );
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(
      /×1\.12 \[1\.12, 1\.12\]; predicted ×1\.05 .* at 10 workers .* ×0\.98 \[0\.98, 0\.98\]/,
    );
  });

  test('inconclusive: pools that still opened connections in the window', async () => {
    const connectTime = { count: 50, mean: 1, p50: 1, p99: 1, max: 1 };
    const growing = { created: 50, lastCreatedMs: 900, connectTime };
    const claim = judge('C5', await measure(promised, { baseline: growing }));
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toMatch(/being opened .* 5\.0 % .* ioredis-baseline-/);
  });

  test('inconclusive: the intervals lie across what is promised', async () => {
    const gain: Gain = round => ({ speed: 1.07, slowness: 0.9 + 0.02 * round });
    expect(judge('C5', await measure(gain)).verdict).toBe('inconclusive');
  });

  /** The suite, in which the mean response time of 1 worker is 0.5 ms, and less by this where checks are cached. */
  async function measureCost(costMs: number, meanMs = 0.5) {
    const scenarios = await measureSuite('optimizations', scenario => ({
      ...(scenario.preset === 'health-cached' ? promised(0) : {}),
      poolMetrics: usualMetrics(scenario),
    }));
    return scenarios.map(scenario => {
      const mean = scenario.pool === 'health-cached' ? meanMs - costMs : meanMs;
      const rounds = scenario.rounds.map(round => ({ ...round, response: { ...round.response, mean } }));
      return scenario.workers === 1 ? { ...scenario, rounds } : scenario;
    });
  }

  test('a check at 1 worker costs what is said: the difference of the means, in milliseconds', async () => {
    const claim = judge('C5', await measureCost(0.07));
    expect(claim).toMatchObject({ verdict: 'supported', predictions: 2 });
    expect(claim.reason).toContain('0.070 ms [0.070 ms, 0.070 ms]; predicted 0.050 ms to 0.100 ms: holds');
  });

  test.each([0.04, 0.11, 0, -0.02])('refuted: a check costs %d ms', async costMs => {
    const claim = judge('C5', await measureCost(costMs));
    expect(claim).toMatchObject({ verdict: 'refuted', unit: 'ms' });
    expect(claim.measured).toBeCloseTo(costMs);
    expect([claim.low, claim.high].every(end => end !== null && Math.abs(end - costMs) < 1e-9)).toBe(true);
  });

  test('inconclusive: a cost that changes its sign from round to round, of which no ratio is told', async () => {
    const scenarios = (await measureCost(0.07)).map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round =>
        scenario.workers === 1 && scenario.pool === 'health-cached'
          ? { ...round, response: { ...round.response, mean: round.round % 2 ? 0.6 : 0.43 } }
          : round,
      ),
    }));
    const claim = judge('C5', scenarios);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).not.toMatch(/NaN|4 of 5/);
  });

  test('the time of checks is shown per operation, as the pools measure it', async () => {
    const claim = judge('C5', await measure(promised, { baseline: { healthCheckMs: 5000 } }));
    expect(claim.reason).toMatch(/ 0\.0[45]\d+ ms at 10 .* 0\.0[45]\d+ ms at 50 .* 0\.0[45]\d+ ms at 100 /);
  });

  test.each([
    ['baseline', { healthChecksRun: 0 }, 'baseline-1pool-10workers ran no'],
    ['baseline', { healthChecksSkipped: 1 }, 'baseline-1pool-10workers skipped'],
    ['health-cached', { healthChecksSkipped: 0 }, 'health-cached-1pool-10workers did not'],
    ['health-cached', { healthChecksRun: 20_000 }, 'health-cached-1pool-10workers did not'],
  ])('inconclusive: a %s pool that tells %o', async (preset, metrics, told) => {
    const claim = judge('C5', await measure(promised, { [preset]: metrics }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain(told);
  });

  test('a connection that lay idle for the TTL may be checked', async () => {
    // 20 connections at 10 workers, a TTL and a window of 1 s: each may be found stale at the start, and once more.
    const verdictOf = async (healthChecksRun: number) => {
      const scenarios = await measure(promised, { 'health-cached': { healthChecksRun } });
      return judge('C5', [...scenarios, ...(await costing())]).verdict;
    };
    expect(await verdictOf(40)).toBe('supported');
    expect(await verdictOf(41)).toBe('inconclusive');
  });

  test('not tested: no health-cached pool, or one with another TTL than that of the source report', async () => {
    const scenarios = await measure(promised);
    const without = scenarios.filter(({ pool }) => pool !== 'health-cached');
    expect(judge('C5', without).verdict).toBe('not tested');
    const longer = scenarios.map(scenario => ({
      ...scenario,
      healthTtlMs: scenario.pool === 'health-cached' ? 60_000 : scenario.healthTtlMs,
    }));
    expect(judge('C5', longer).verdict).toBe('not tested');
  });
});

describe('optimized pools are judged level by level', () => {
  type Gain = (workers: number, round: number) => { readonly speed?: number; readonly slowness?: number };

  const gains = new Map([
    [1, 1.05],
    [10, 1.15],
    [50, 1.27],
    [100, 1.27],
  ]);
  /** A little more than the document promises, so that no rounding decides. */
  const promised: Gain = workers => ({ speed: 1.01 * (gains.get(workers) ?? 1), slowness: 0.74 });

  /** A suite, in which optimized pools differ from baseline by this. */
  function measure(gain: Gain, metrics: Partial<PoolMetrics> = {}, suite = 'optimizations') {
    return measureSuite(suite, (scenario, round) => ({
      ...(scenario.preset === 'optimized' ? gain(scenario.workers, round) : {}),
      poolMetrics: { ...usualMetrics(scenario), ...(scenario.preset === 'optimized' ? metrics : {}) },
    }));
  }

  const judgeTail = async (gain: Gain, metrics: Partial<PoolMetrics> = {}) =>
    judge('C8', await measure(gain, metrics, 'tails'));

  test('supported: every level gains what is promised for it', async () => {
    const scenarios = await measure(promised);
    const throughput = judge('C7', scenarios);
    expect(throughput.verdict).toBe('supported');
    expect(throughput.measured).toBeCloseTo(1.2827);
    expect(throughput.reason).toContain('1 worker: throughput ×1.06 [1.06, 1.06]; predicted ×1.05');
    expect(throughput.gist).toContain('100 workers: throughput ×1.28 [1.28, 1.28]; predicted ×1.27');
    expect(throughput.comparisons.map(({ predicted }) => predicted?.low)).toEqual([1.27, 1.27, 1.15, 1.05]);
    const tail = await judgeTail(promised);
    expect(tail.verdict).toBe('supported');
    expect(tail.measured).toBeCloseTo(0.74);
    expect(tail.comparisons.map(({ measure, predicted }) => [measure, predicted?.high])).toEqual([
      ['response p95', 0.78],
      ['response p99', 0.75],
      ['response p95', 0.82],
      ['response p99', 0.79],
    ]);
  });

  test('refuted: one level gains too little, whichever', async () => {
    const levels = fc.constantFrom(1, 10, 50, 100);
    await fc.assert(
      fc.asyncProperty(levels, fc.double({ min: 0.5, max: 0.99, noNaN: true }), async (level, share) => {
        const short: Gain = (workers, round) => {
          const { speed = 1, slowness = 1 } = promised(workers, round);
          return workers === level ? { speed: speed * share * 0.99, slowness } : { speed, slowness };
        };
        expect(judge('C7', await measure(short)).verdict).toBe('refuted');
      }),
      { numRuns: 10 },
    );
  });

  test('refuted: the level that fails is the measured one, and comes first', async () => {
    const short: Gain = workers => (workers === 10 ? { speed: 1.1, slowness: 0.74 } : promised(workers, 0));
    const claim = judge('C7', await measure(short));
    expect(claim).toMatchObject({ verdict: 'refuted', predictions: 4 });
    expect(claim.measured).toBeCloseTo(1.1);
    expect(claim.gist).toContain('10 workers: throughput ×1.10 [1.10, 1.10]; predicted ×1.15');
    const none = judge('C7', await measure(() => ({ speed: 1, slowness: 1 })));
    expect(none.gist).toMatch(/ 100 workers: .*: fails\. 3 more of 4 /);
  });

  test('refuted: p99 falls by less than is promised at 10 workers', async () => {
    const claim = await judgeTail(workers => ({ slowness: workers === 10 ? 0.85 : 0.7 }));
    expect(claim.verdict).toBe('refuted');
  });

  test('inconclusive: one level is not clear', async () => {
    const unclear: Gain = (workers, round) =>
      workers === 10
        ? { speed: 1.1 + 0.02 * round, slowness: 0.74 + 0.02 * round }
        : promised(workers, round);
    expect(judge('C7', await measure(unclear)).verdict).toBe('inconclusive');
    expect((await judgeTail(unclear)).verdict).toBe('inconclusive');
  });

  test('inconclusive: a pool that was not optimized, or not grown', async () => {
    const connectTime = { count: 50, mean: 1, p50: 1, p99: 1, max: 1 };
    const growing = { created: 50, lastCreatedMs: 900, connectTime };
    for (const metrics of [{ lockWaits: 5 }, { healthChecksSkipped: 0 }, growing]) {
      const scenarios = await measure(promised, metrics);
      expect(judge('C7', scenarios)).toMatchObject({ verdict: 'inconclusive', measured: null });
      expect(await judgeTail(promised, metrics)).toMatchObject({ verdict: 'inconclusive', measured: null });
    }
  });

  test('a level that the run leaves out is named', async () => {
    const scenarios = (await measure(promised)).filter(({ workers }) => workers === 50 || workers === 1);
    expect(judge('C7', scenarios).verdict).toBe('supported');
    expect(judge('C7', scenarios).reason).toMatch(/ at 10 and 100 workers, .*\.$/);
    expect(judge('C8', scenarios).reason).toMatch(/ no such arms at 10 /);
  });

  test('not tested: without a baseline pool beside it', async () => {
    const scenarios = (await measure(promised)).filter(({ pool }) => pool !== 'baseline');
    expect(judge('C7', scenarios).verdict).toBe('not tested');
    expect(judge('C8', scenarios).verdict).toBe('not tested');
  });
});
