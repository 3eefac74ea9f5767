import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';

describe('pool size is judged against two connections a worker', () => {
  /** Throughput of pools of these connections a worker, as a factor of that of 2. */
  const sizes = (speeds: Record<string, number>, rounds = 5, noise = 0) =>
    measureSuite(
      'pool-size',
      ({ connections, workers }, round) => {
        const size = connections / workers;
        return {
          speed: (speeds[size] ?? 1) * (size === 2 ? 1 : 1 + noise * (round - 2)),
          poolMetrics: { acquireWait: { count: 9, mean: size < 1 ? 2.5 : 0, p50: 0, p99: 0, max: 0 } },
        };
      },
      rounds,
    );

  test('supported: one connection a worker costs 10 %, and four gain nothing', async () => {
    const claim = judge('C11', await sizes({ 0.5: 0.7, 1: 0.9, 4: 1.02 }));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(0.9);
    expect(claim.reason).toContain('to 2: throughput ×0.90');
    expect(claim.reason).toContain('to 2: throughput ×1.02');
  });

  test('refuted: one connection a worker does as well', async () => {
    expect(judge('C11', await sizes({ 1: 0.99, 4: 1 })).verdict).toBe('refuted');
  });

  test('a verdict comes with what the closed loop cannot test', async () => {
    const claim = judge('C11', await sizes({ 1: 0.99, 4: 1 }));
    expect(claim.gist).toContain('is not tested.');
  });

  test('refuted: four a worker do better', async () => {
    expect(judge('C11', await sizes({ 1: 0.9, 4: 1.1 })).verdict).toBe('refuted');
  });

  test('inconclusive: the intervals hold 5 %', async () => {
    expect(judge('C11', await sizes({ 1: 0.95, 4: 1 }, 5, 0.02)).verdict).toBe('inconclusive');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C11', await sizes({ 1: 0.9 }, 4)).verdict).toBe('inconclusive');
  });

  test('not tested without a larger pool', async () => {
    const scenarios = (await sizes({ 1: 0.9 })).filter(
      ({ connections, workers }) => connections <= 2 * workers,
    );
    const claim = judge('C11', scenarios);
    expect(claim.verdict).toBe('not tested');
    expect(claim.reason).toContain('configs/claims/pool-size.json');
  });

  test('a half, the p99 and the wait for a connection stand beside it', async () => {
    const claim = judge('C11', await sizes({ 0.5: 0.7, 1: 0.9 }));
    const half = claim.comparisons.filter(({ other }) => other.includes('0.5perWorker'));
    expect(half.map(({ measure }) => measure)).toEqual(
      expect.arrayContaining(['throughput', 'response p99']),
    );
    expect(half.every(({ predicted }) => predicted === null)).toBe(true);
    expect(claim.reason).toContain('2.50 ms with 0.5');
  });
});

describe('peak of throughput is looked for at 10 to 50 workers', () => {
  /** Throughput at each level of workers, as a factor of what is usual. */
  type Curve = (workers: number, round: number) => number;

  /** Beyond 100 workers nothing changes any more. */
  const curve =
    (at1: number, at10: number, at50: number, at100: number): Curve =>
    workers =>
      ({ 1: at1, 10: at10, 50: at50 })[workers] ?? at100;

  function measure(speedOf: Curve, rounds?: number): Promise<ScenarioResult[]> {
    return measureSuite(
      'scaling',
      ({ preset, workers }, round) => (preset === 'baseline' ? { speed: speedOf(workers, round) } : {}),
      rounds,
    );
  }

  const verdictOf = async (speedOf: Curve) => judge('C2', await measure(speedOf)).verdict;

  test('supported: the curve of the source report', async () => {
    const claim = judge('C2', await measure(curve(1, 1.2, 1.17, 1.05)));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(1.2);
    expect(claim.reason).toMatch(
      /^10 .* to 1 .* ×1\.20 \[1\.20, 1\.20\]; .*×1\.05 .* to 100 .* ×1\.14 \[1\.14, 1\.14\]; .*×0\.95 .* to 400 /,
    );
    expect(claim.reason).toMatch(
      / highest at 10 workers: .* at 1 \(.*: 9\.75k\), .* at 100 \(.*: 10\.2k\) and .* at 400 /,
    );
  });

  test('gains over 1 worker are shown and decide nothing', async () => {
    const claim = judge('C2', await measure(curve(1, 3, 2.9, 2.5)));
    expect(claim.verdict).toBe('supported');
    const context = claim.comparisons.slice(3);
    expect(context.map(({ other, predicted }) => [other, predicted])).toEqual([
      ['ioredis-baseline-1pool-10workers-1perThread', null],
      ['ioredis-baseline-1pool-50workers-1perThread', null],
      ['ioredis-baseline-1pool-100workers-1perThread', null],
      ['ioredis-baseline-1pool-400workers-1perThread', null],
    ]);
    expect(context[0]?.ratio.median).toBeCloseTo(3);
  });

  test('supported: a plateau that begins at 10–50 and goes on', async () => {
    expect(await verdictOf(curve(0.5, 1, 1, 1.02))).toBe('supported');
  });

  test('refuted: throughput goes on rising beyond 50 workers', async () => {
    expect(await verdictOf(curve(0.5, 1, 1.2, 1.35))).toBe('refuted');
  });

  test('refuted: a single worker is as good, so the plateau begins before 10', async () => {
    expect(await verdictOf(curve(1, 1, 1, 1))).toBe('refuted');
  });

  test('inconclusive: pools that still opened connections in the window', async () => {
    const scenarios = await measureSuite('scaling', ({ preset, workers }, round) => ({
      ...(preset === 'baseline' ? { speed: curve(1, 1.2, 1.17, 1.05)(workers, round) } : {}),
      poolMetrics: {
        created: 50,
        lastCreatedMs: 900,
        connectTime: { count: 50, mean: 1, p50: 1, p99: 1, max: 1 },
      },
    }));
    const claim = judge('C2', scenarios);
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toMatch(/^Connections .* 5\.0 % .* of ioredis-baseline/);
  });

  test('refuted: a single worker is best', async () => {
    expect(await verdictOf(curve(1.3, 1, 1.2, 1))).toBe('refuted');
  });

  test('inconclusive: 100 workers are better in one round and worse in the others', async () => {
    const unclear: Curve = (workers, round) =>
      workers === 100 && round === 2 ? 1.2 : curve(0.5, 1, 1, 0.9)(workers, round);
    expect(await verdictOf(unclear)).toBe('inconclusive');
  });

  test('the verdict is that of the rule, for any clear curve', async () => {
    const speed = fc.double({ min: 0.2, max: 3, noNaN: true });
    await fc.assert(
      fc.asyncProperty(speed, speed, speed, speed, async (at1, at10, at50, at100) => {
        const best = Math.max(at10, at50);
        const [toOne, toHundred] = [best / at1, best / at100];
        // At a threshold rounding decides.
        fc.pre(Math.abs(toOne - 1.05) > 1e-6 && Math.abs(toHundred - 1 / 1.05) > 1e-6);
        const holds = toOne > 1.05 && toHundred > 1 / 1.05;
        expect(await verdictOf(curve(at1, at10, at50, at100))).toBe(holds ? 'supported' : 'refuted');
      }),
      { numRuns: 30 },
    );
  });

  test('inconclusive: fewer than 5 rounds', async () => {
    expect(judge('C2', await measure(curve(1, 1.2, 1.17, 1.05), 4)).verdict).toBe('inconclusive');
  });

  test('not tested: no level of 10–50, nothing to hold it against, or pools of another size', async () => {
    const scenarios = await measure(curve(1, 1.2, 1.17, 1.05));
    const baseline = scenarios.filter(({ pool }) => pool === 'baseline');
    const without = (isOut: (workers: number) => boolean) =>
      judge(
        'C2',
        baseline.filter(({ workers }) => !isOut(workers)),
      ).verdict;
    expect(without(workers => workers === 10 || workers === 50)).toBe('not tested');
    expect(without(workers => workers === 1 || workers >= 100)).toBe('not tested');
    const small = baseline.map(scenario => ({ ...scenario, connections: scenario.workers }));
    expect(judge('C2', small).verdict).toBe('not tested');
  });
});

describe('one connection is asked whether a pool is needed', () => {
  /** Throughput of one shared connection, as a factor of the pool's, with commands joined and without. */
  const sharing = ({ single, joined }: { single: number; joined: number }, { rounds = 5, noise = 0 } = {}) =>
    measureSuite(
      'one-connection',
      ({ preset, autoPipelining, connections }, round) => {
        if (preset !== 'shared') return {};
        const speed = connections === 1 ? (autoPipelining ? joined : single) : 3;
        return { speed: speed * (1 + noise * (round - 2)) };
      },
      rounds,
    );

  test('supported: one connection gives less, joined or not, so a pool is needed', async () => {
    const claim = judge('C17', await sharing({ single: 0.6, joined: 0.8 }));
    expect(claim.verdict).toBe('supported');
    expect(claim.reason).toMatch(/\(ioredis\) .* less than .* \(×0\.60/);
  });

  test('refuted: one connection gives more, so no pool is needed', async () => {
    const claim = judge('C17', await sharing({ single: 1.4, joined: 4 }));
    expect(claim.verdict).toBe('refuted');
    expect(claim.measured).toBeCloseTo(1.4);
    expect(claim.reason).toMatch(/auto-pipelining .* more than .* \(×4\.00/);
  });

  test('a verdict comes with what it is not about', async () => {
    const claim = judge('C17', await sharing({ single: 1.4, joined: 4 }));
    expect(claim.gist).toContain('blocking commands, transactions');
  });

  test('refuted: one way of sharing that does as well is enough', async () => {
    const claim = judge('C17', await sharing({ single: 0.6, joined: 1 }));
    expect(claim.verdict).toBe('refuted');
    expect(claim.reason).toMatch(/auto-pipelining .* as much as /);
  });

  test('inconclusive: the interval holds the 5 %', async () => {
    const claim = judge('C17', await sharing({ single: 0.95, joined: 0.6 }, { noise: 0.03 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('cannot be told');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C17', await sharing({ single: 0.6, joined: 0.6 }, { rounds: 4 })).verdict).toBe(
      'inconclusive',
    );
  });

  test('not tested without a pool to compare with, or without one connection', async () => {
    const scenarios = await sharing({ single: 0.6, joined: 0.8 });
    const withoutPool = scenarios.filter(({ pool }) => pool === 'shared');
    expect(judge('C17', withoutPool).verdict).toBe('not tested');
    const withoutOne = scenarios.filter(({ connections }) => connections > 1);
    expect(judge('C17', withoutOne).verdict).toBe('not tested');
  });

  test('two and four connections stand beside it, unjudged', async () => {
    const claim = judge('C17', await sharing({ single: 0.6, joined: 0.8 }));
    const several = claim.comparisons.filter(
      ({ measure, other }) => measure === 'throughput' && !other.includes('0.02perWorker'),
    );
    expect(several).toHaveLength(4);
    expect(several.every(({ predicted }) => predicted === null)).toBe(true);
  });
});
