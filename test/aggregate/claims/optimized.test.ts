import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PoolMetrics, ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';
import { usualMetrics } from '../../support/preset-metrics.ts';

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

  /** The suite, in which optimized pools differ from baseline by this. */
  function measure(gain: Gain, metrics: Partial<PoolMetrics> = {}) {
    return measureSuite('optimizations', (scenario, round) => ({
      ...(scenario.preset === 'optimized' ? gain(scenario.workers, round) : {}),
      poolMetrics: { ...usualMetrics(scenario), ...(scenario.preset === 'optimized' ? metrics : {}) },
    }));
  }

  test('supported: every level gains what is promised for it', async () => {
    const scenarios = await measure(promised);
    const throughput = judge('C7', scenarios);
    expect(throughput.verdict).toBe('supported');
    expect(throughput.measured).toBeCloseTo(1.2827);
    expect(throughput.reason).toContain('1 worker: throughput ×1.06 [1.06, 1.06]; predicted ×1.05');
    expect(throughput.gist).toContain('100 workers: throughput ×1.28 [1.28, 1.28]; predicted ×1.27');
    expect(throughput.comparisons.map(({ predicted }) => predicted?.low)).toEqual([1.27, 1.27, 1.15, 1.05]);
    const tail = judge('C8', scenarios);
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

  test('refuted: measured, and told first, is the level that fails', async () => {
    const short: Gain = workers => (workers === 10 ? { speed: 1.1, slowness: 0.74 } : promised(workers, 0));
    const claim = judge('C7', await measure(short));
    expect(claim).toMatchObject({ verdict: 'refuted', predictions: 4 });
    expect(claim.measured).toBeCloseTo(1.1);
    expect(claim.gist).toContain('10 workers: throughput ×1.10 [1.10, 1.10]; predicted ×1.15');
    const none = judge('C7', await measure(() => ({ speed: 1, slowness: 1 })));
    expect(none.gist).toMatch(/ 100 workers: .*: fails\. 3 more of 4 /);
  });

  test('refuted: p99 falls by less than is promised at 10 workers', async () => {
    const scenarios = await measure(workers => ({ slowness: workers === 10 ? 0.85 : 0.7 }));
    expect(judge('C8', scenarios).verdict).toBe('refuted');
  });

  test('inconclusive: one level is not clear', async () => {
    const unclear: Gain = (workers, round) =>
      workers === 10
        ? { speed: 1.1 + 0.02 * round, slowness: 0.74 + 0.02 * round }
        : promised(workers, round);
    const scenarios = await measure(unclear);
    expect(judge('C7', scenarios).verdict).toBe('inconclusive');
    expect(judge('C8', scenarios).verdict).toBe('inconclusive');
  });

  test('inconclusive: a pool that was not optimized, or not grown', async () => {
    const connectTime = { count: 50, mean: 1, p50: 1, p99: 1, max: 1 };
    const growing = { created: 50, lastCreatedMs: 900, connectTime };
    for (const metrics of [{ lockWaits: 5 }, { healthChecksSkipped: 0 }, growing]) {
      const scenarios = await measure(promised, metrics);
      expect(judge('C7', scenarios)).toMatchObject({ verdict: 'inconclusive', measured: null });
      expect(judge('C8', scenarios)).toMatchObject({ verdict: 'inconclusive', measured: null });
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

describe('high throughput is judged by ioredis alone', () => {
  const rates = (rate: (scenario: Scenario, round: number) => number, rounds = 5) =>
    measureSuite(
      'high-throughput',
      (scenario, round) => ({ round: { opsPerSecond: rate(scenario, round) } }),
      rounds,
    );

  const withoutCore = (arms: readonly ScenarioResult[]) =>
    arms.map(arm => ({ ...arm, limitedBy: { resource: 'machine' as const, evidence: '' } }));

  test('supported: one of the arms with ioredis passes', async () => {
    const claim = judge('C15', await rates(({ pools }, round) => (pools === 2 ? 90_000 : 40_000) + round));
    expect(claim).toMatchObject({ verdict: 'supported', measured: 90_002, unit: 'ops/s' });
    expect(claim.reason).toMatch(/2 pools at 50 .* 100: throughput/);
  });

  test('refuted: ioredis does not pass, and that wire does changes nothing', async () => {
    const claim = judge('C15', await rates(({ client }) => (client === 'wire' ? 900_000 : 40_000)));
    expect(claim.verdict).toBe('refuted');
    expect(claim.reason).toMatch(/wire client, .* 900k/);
  });

  test('inconclusive: ioredis does not pass on a machine without a free core', async () => {
    const claim = judge('C15', withoutCore(await rates(() => 40_000)));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/whole machine/i);
  });

  test('supported: ioredis passes on a machine without a free core', async () => {
    expect(judge('C15', withoutCore(await rates(() => 60_000))).verdict).toBe('supported');
  });

  test('supported: ioredis passes, and that wire does not changes nothing', async () => {
    expect(judge('C15', await rates(({ client }) => (client === 'wire' ? 30_000 : 60_000))).verdict).toBe(
      'supported',
    );
  });

  test('inconclusive: the interval holds 50,000', async () => {
    expect(judge('C15', await rates((_, round) => 48_000 + 1000 * round)).verdict).toBe('inconclusive');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C15', await rates(() => 90_000, 4)).verdict).toBe('inconclusive');
  });

  test('not tested with wire alone', async () => {
    const scenarios = (await rates(() => 90_000)).filter(({ client }) => client === 'wire');
    expect(judge('C15', scenarios).verdict).toBe('not tested');
  });
});
