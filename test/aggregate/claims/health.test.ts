import { describe, expect, test } from 'vitest';
import type { PoolMetrics, RoundResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, type FiguresOf, judge, measureSuite } from '../../support/claim-arms.ts';
import { usualMetrics } from '../../support/preset-metrics.ts';

describe('health cache is judged by latency and throughput', () => {
  type Gain = (round: number) => { readonly speed: number; readonly slowness: number };

  const promised: Gain = () => ({ speed: 1.07, slowness: 0.87 });

  /** The suite, in which health-cached pools differ from baseline by this; `metrics` are of the preset they are told for. */
  function measure(gain: Gain, metrics: Partial<Record<string, Partial<PoolMetrics>>> = {}) {
    const figuresOf: FiguresOf = (scenario, round) => ({
      ...(scenario.preset === 'health-cached' ? gain(round) : {}),
      poolMetrics: { ...usualMetrics(scenario), ...metrics[scenario.preset] },
    });
    return measureSuite('optimizations', figuresOf);
  }

  test('supported: mean response time and throughput gain what is promised', async () => {
    const claim = judge('C5', await measure(promised));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(0.87);
    expect(claim.comparisons.map(({ measure, other }) => [measure, other])).toEqual(
      ['mean response time', 'throughput'].flatMap(measure =>
        [10, 50, 100].map(workers => [measure, `ioredis-health-cached-1pool-${workers}workers`]),
      ),
    );
  });

  /** In a closed loop both are one figure. */
  const closed =
    (speed: number): Gain =>
    () => ({ speed, slowness: 1 / speed });

  test('a throughput inside +5–10 % is not refuted by the mean latency that goes with it', async () => {
    for (const speed of [1.06, 1.08, 1.1]) {
      expect(judge('C5', await measure(closed(speed))).verdict, `×${speed}`).toBe('supported');
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
    const claim = judge('C5', scenarios);
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
    expect(claim.reason).toMatch(/being opened, .* 5\.0 % .* ioredis-baseline-/);
  });

  test('inconclusive: the intervals lie across what is promised', async () => {
    const gain: Gain = round => ({ speed: 1.07, slowness: 0.9 + 0.02 * round });
    expect(judge('C5', await measure(gain)).verdict).toBe('inconclusive');
  });

  test('what checks took is told for each operation, beside the figure of the source report', async () => {
    const claim = judge('C5', await measure(promised, { baseline: { healthCheckMs: 1000 } }));
    expect(claim.reason).toMatch(
      / 0\.04\d+ ms at 10 .* 0\.04\d+ ms at 50 .* 0\.04\d+ ms at 100 .* 0\.05–0\.1 ms\.$/,
    );
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
    const claim = judge('C5', await measure(promised, { 'health-cached': { healthChecksRun: 40 } }));
    expect(claim.verdict).toBe('supported');
    const more = judge('C5', await measure(promised, { 'health-cached': { healthChecksRun: 41 } }));
    expect(more.verdict).toBe('inconclusive');
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

describe('health interval is judged against no checks', () => {
  const recommended = ({ healthTtlMs }: Scenario) => healthTtlMs === 500 || healthTtlMs === 1000;

  const intervals = (figures: (scenario: Scenario, round: number) => ArmFigures, rounds = 5) =>
    measureSuite(
      'health-interval',
      (scenario, round) => {
        const run = scenario.healthTtlMs === 0 ? 20_000 : recommended(scenario) ? 3 : 0;
        const failed = { ECONNRESET: 4 };
        return {
          poolMetrics: { acquisitions: 20_000, healthChecksRun: run },
          round: { seconds: 2.5, ...(scenario.cutEveryMs > 0 ? { failed, cuts: 5 } : {}) },
          ...figures(scenario, round),
        };
      },
      rounds,
    );

  test('supported: 0.5 and 1 s lose nothing', async () => {
    const claim = judge(
      'C13',
      await intervals(({ healthTtlMs }) => ({ speed: healthTtlMs === 0 ? 0.8 : 1 })),
    );
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(1);
  });

  test('refuted: throughput is 10 % lower', async () => {
    const scenarios = await intervals(scenario => ({ speed: recommended(scenario) ? 0.9 : 1 }));
    expect(judge('C13', scenarios).verdict).toBe('refuted');
  });

  test('refuted: one of the two loses 10 %, whatever the other gains', async () => {
    const speeds: Record<number, number> = { 500: 1.2, 1000: 0.9 };
    const scenarios = await intervals(({ healthTtlMs }) => ({ speed: speeds[healthTtlMs] ?? 1 }));
    expect(judge('C13', scenarios).verdict).toBe('refuted');
  });

  test('the mean response time is throughput turned over: it is shown and not judged', async () => {
    const scenarios = await intervals(scenario => ({ slowness: recommended(scenario) ? 1.2 : 1 }));
    const claim = judge('C13', scenarios);
    expect(claim.verdict).toBe('supported');
    const means = claim.comparisons.filter(({ measure }) => measure === 'mean response time');
    expect(means.every(({ predicted }) => predicted === null)).toBe(true);
    expect(means).toHaveLength(4);
  });

  test('no proof: the window is no longer than the checks are good for', async () => {
    const scenarios = await intervals(() => ({ round: { seconds: 1 } }));
    const claim = judge('C13', scenarios);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/A window of \S+ttl1000ms/);
  });

  test('no proof: no check ran, so that none was paid for', async () => {
    const none = { poolMetrics: { acquisitions: 20_000, healthChecksRun: 0 } };
    const claim = judge('C13', await intervals(() => none));
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toContain('No check ran at 500 and 1000 ms');
    const half = judge('C13', await intervals(({ healthTtlMs }) => (healthTtlMs === 1000 ? none : {})));
    expect(half.reason).toContain('No check ran at 1000 ms');
  });

  test('a verdict comes with what is not exercised', async () => {
    const claim = judge('C13', await intervals(() => ({})));
    expect(claim.verdict).toBe('supported');
    expect(claim.gist).toContain('not exercised');
  });

  test('inconclusive: the interval holds 5 %', async () => {
    const scenarios = await intervals((scenario, round) => ({
      speed: recommended(scenario) ? 0.9 + 0.03 * round : 1,
    }));
    expect(judge('C13', scenarios).verdict).toBe('inconclusive');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C13', await intervals(() => ({}), 4)).verdict).toBe('inconclusive');
  });

  test('no proof: the pool without checks ran checks', async () => {
    const scenarios = await intervals(() => ({
      poolMetrics: { acquisitions: 20_000, healthChecksRun: 5000 },
    }));
    const claim = judge('C13', scenarios);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('ran checks');
  });

  test('not tested without a pool whose checks are off', async () => {
    const scenarios = (await intervals(() => ({}))).filter(({ healthTtlMs }) => healthTtlMs < 3_600_000);
    expect(judge('C13', scenarios).verdict).toBe('not tested');
  });

  test('arms whose connections are cut are not judged, and their failures stand side by side', async () => {
    const claim = judge('C13', await intervals(({ cutEveryMs }) => ({ speed: cutEveryMs > 0 ? 0.5 : 1 })));
    expect(claim.verdict).toBe('supported');
    expect(claim.reason).toContain('20 with 1000 ms (25 cuts) and 20 with checks off (25 cuts).');
  });
});

describe('reconnects are judged by the p99 of the others', () => {
  const cutting = (
    slowness: (scenario: Scenario, round: number) => number,
    {
      rounds = 5,
      cuts = 24,
      reconnects = 20,
      changes = {},
    }: {
      rounds?: number;
      cuts?: number;
      reconnects?: number | number[];
      changes?: Partial<RoundResult>;
    } = {},
  ) =>
    measureSuite(
      'reconnect',
      (scenario, round) =>
        scenario.cutEveryMs === 0
          ? {}
          : {
              slowness: slowness(scenario, round),
              round: { ...asCut(cuts), ...changes },
              poolMetrics: { reconnects: Array.isArray(reconnects) ? (reconnects[round] ?? 0) : reconnects },
            },
      rounds,
    );

  /** A round as the suite's are, of half a second, in which every cut ended the operation that was in flight. */
  const asCut = (cuts: number) => ({
    issued: 10_000,
    completed: 10_000 - cuts,
    failed: { CONNECTION_CLOSED: cuts },
    cuts,
  });

  test('supported: nobody notices', async () => {
    const claim = judge('C18', await cutting(() => 1.01));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(1.01);
  });

  test('refuted: with one of the presets the others wait', async () => {
    const claim = judge('C18', await cutting(({ preset }) => (preset === 'baseline' ? 1.6 : 1)));
    expect(claim.verdict).toBe('refuted');
    expect(claim.reason).toContain('response p99 ×1.00');
  });

  test('inconclusive: the interval holds 5 %', async () => {
    expect(judge('C18', await cutting((_, round) => 1 + 0.03 * round)).verdict).toBe('inconclusive');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C18', await cutting(() => 1, { rounds: 4 })).verdict).toBe('inconclusive');
  });

  test('no proof: nothing was cut', async () => {
    const claim = judge('C18', await cutting(() => 1, { cuts: 0 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/no connection of \S+/i);
  });

  test('no proof: nothing was opened in the place of what was cut', async () => {
    const claim = judge('C18', await cutting(() => 1, { reconnects: 0 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/replaced no connection\./);
  });

  test('supported: a round or two without a reconnect, as long as there are enough in all', async () => {
    const scenarios = await cutting(() => 1, { reconnects: [0, 20, 20, 20, 0] });
    expect(judge('C18', scenarios).verdict).toBe('supported');
  });

  test('the operations that the cuts ended are no loss, and those beyond them are', async () => {
    const failing = (failed: number) =>
      cutting(() => 1, { changes: { failed: { CONNECTION_CLOSED: failed }, completed: 10_000 - failed } });
    expect(judge('C18', await failing(40)).verdict).toBe('supported');
    const claim = judge('C18', await failing(50));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/^0\.26 % .* beyond one a cut/);
  });

  test('no proof: so few were replaced that p99 would not see a stall of all workers, however many were cut', async () => {
    const claim = judge('C18', await cutting(() => 1, { reconnects: 3 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/ 1\.5 % of .* below 2 %/);
    expect(claim.reason).not.toContain('untouched');
  });

  test('no proof: so many were cut that p99 is theirs', async () => {
    const claim = judge('C18', await cutting(() => 1, { cuts: 120 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('p99 is not');
    expect(claim.reason).not.toContain('untouched');
  });

  test('not tested without a pool whose connections are not cut', async () => {
    const scenarios = (await cutting(() => 1)).filter(({ cutEveryMs }) => cutEveryMs > 0);
    expect(judge('C18', scenarios).verdict).toBe('not tested');
  });

  test('the reason tells what share of the operations the cuts touched', async () => {
    const claim = judge('C18', await cutting(() => 1, { cuts: 20 }));
    expect(claim.reason).toMatch(/0\.20 % .* baseline pools \(100 cuts, 100 reconnects\)/);
    expect(claim.reason).toContain('untouched');
  });

  test('the reason tells why cuts are closer than the claim was designed with', async () => {
    const claim = judge('C18', await cutting(() => 1, { reconnects: 12 }));
    expect(claim.reason).toMatch(/100 ms .* 1\.2 % .* 20 ms\./);
    const slow = judge('C18', await cutting(() => 1, { reconnects: 24 }));
    expect(slow.reason).not.toContain('20 ms');
  });

  test('the pools of the suite have no connection to spare, so that every cut must be replaced', async () => {
    for (const { connections, workers } of await cutting(() => 1)) expect(connections).toBe(workers);
  });
});
