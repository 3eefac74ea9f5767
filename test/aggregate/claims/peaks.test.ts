import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';

describe('batches are judged by their gain over single commands', () => {
  /** Throughput of batches at 1 worker, to single commands. */
  type Gains = Readonly<Record<number, number>>;

  const promised: Gains = { 10: 4, 25: 6, 50: 8.2, 100: 9.1, 200: 8.8 };

  function measure(
    gains: Gains,
    changed: (scenario: Scenario, round: number) => number = () => 1,
  ): Promise<ScenarioResult[]> {
    return measureSuite('pipeline', (scenario, round) => {
      // At 50 workers a batch gains half as much.
      const gain = scenario.pipeline === 1 ? 1 : (gains[scenario.pipeline] ?? 1);
      return { speed: (scenario.workers === 1 ? gain : gain / 2 + 0.5) * changed(scenario, round) };
    });
  }

  test('supported: both gains, and no better batch', async () => {
    const claim = judge('C3', await measure(promised));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(8.2);
    expect(claim.reason).toContain('throughput ×9.10 [9.10, 9.10]; predicted ×9.00');
    expect(claim.reason).toContain('batches of 200: throughput ×1.03');
  });

  test('supported: gains larger than promised', async () => {
    expect(judge('C3', await measure({ 10: 8, 25: 15, 50: 25, 100: 30, 200: 31 })).verdict).toBe('supported');
  });

  test('refuted: a gain below 8, or below 9', async () => {
    expect(judge('C3', await measure({ ...promised, 50: 7.5 })).verdict).toBe('refuted');
    expect(judge('C3', await measure({ ...promised, 100: 8.5 })).verdict).toBe('refuted');
  });

  test('refuted: larger batches gain 5 %, or smaller ones are as good', async () => {
    expect(judge('C3', await measure({ ...promised, 200: 10 })).verdict).toBe('refuted');
    expect(judge('C3', await measure({ ...promised, 25: 9.1 })).verdict).toBe('refuted');
  });

  test('inconclusive: one round of five falls short', async () => {
    const scenarios = await measure(promised, ({ pipeline }, round) =>
      pipeline === 50 && round === 4 ? 0.9 : 1,
    );
    expect(judge('C3', scenarios).verdict).toBe('inconclusive');
  });

  test('50 workers are shown and decide nothing', async () => {
    const { verdict, comparisons } = judge('C3', await measure(promised));
    expect(verdict).toBe('supported');
    const shown = comparisons.filter(({ other }) => other.includes('50workers'));
    expect(shown.map(({ predicted }) => predicted)).toEqual([null, null, null, null, null]);
    expect(shown[2]?.ratio.median).toBeCloseTo(4.6);
  });

  test('inconclusive: a batch that the run leaves out, which is named, or no larger one; but it can be refuted', async () => {
    const without = async (isOut: (size: number) => boolean, gains: Gains = { ...promised, 200: 8.4 }) =>
      judge(
        'C3',
        (await measure(gains)).filter(({ pipeline }) => !isOut(pipeline)),
      );
    expect(await without(size => size === 100)).toMatchObject({
      verdict: 'inconclusive',
      gist: expect.stringContaining('no batches of 100,'),
    });
    expect((await without(size => size > 100)).verdict).toBe('inconclusive');
    expect((await without(size => size === 100, { ...promised, 50: 7.5 })).verdict).toBe('refuted');
  });

  test('not tested: no single commands, or no single worker', async () => {
    const scenarios = await measure(promised);
    expect(
      judge(
        'C3',
        scenarios.filter(({ pipeline }) => pipeline > 1),
      ).verdict,
    ).toBe('not tested');
    expect(
      judge(
        'C3',
        scenarios.filter(({ workers }) => workers > 1),
      ).verdict,
    ).toBe('not tested');
  });
});

describe('peak of throughput is looked for at 10 to 50 workers', () => {
  /** Throughput at each level of workers, as a factor of what is usual. */
  type Curve = (workers: number, round: number) => number;

  const curve =
    (at1: number, at10: number, at50: number, at100: number): Curve =>
    workers =>
      ({ 1: at1, 10: at10, 50: at50 })[workers] ?? at100;

  /** A little more than the source report says, so that no rounding decides. */
  const reported = curve(1, 1.21, 1.18, 1.06);

  const measure = (speedOf: Curve): Promise<ScenarioResult[]> =>
    measureSuite('workers', ({ workers }, round) => ({ speed: speedOf(workers, round) }));

  const verdictOf = async (speedOf: Curve) => judge('C2', await measure(speedOf)).verdict;

  test('supported: the curve of the source report', async () => {
    const claim = judge('C2', await measure(reported));
    expect(claim).toMatchObject({ verdict: 'supported', predictions: 6 });
    expect(claim.measured).toBeCloseTo(1.21);
    expect(claim.comparisons.map(({ other, base }) => [other, base].map(workersIn))).toEqual([
      [10, 1],
      [10, 100],
      [10, 1],
      [50, 1],
      [100, 1],
      [100, 50],
    ]);
    expect(claim.reason).toMatch(/ highest at 10 workers: .* at 1 \(.*: 9\.75k\), .* at 100 \(.*: 10\.2k\) /);
  });

  const workersIn = (id: string) => Number(/(\d+)workers?$/.exec(id)?.[1]);

  test('supported: larger gains than those of the source report', async () => {
    expect(await verdictOf(curve(1, 3, 2.9, 2.5))).toBe('supported');
  });

  test.each([
    ['throughput goes on rising beyond 50 workers', curve(0.5, 1, 1.2, 1.35)],
    ['it stays at 100 what it is at 50', curve(0.5, 1, 1, 1)],
    ['a single worker is as good', curve(1, 1, 1, 0.9)],
    ['a single worker is best', curve(1.3, 1, 1.2, 1)],
    ['10 workers gain too little', curve(1, 1.1, 1.3, 1.1)],
    ['50 workers gain too little', curve(1, 1.25, 1.1, 1.04)],
    ['100 workers gain too little', curve(1, 1.25, 1.2, 1.02)],
  ])('refuted: %s', async (_, speedOf) => {
    expect(await verdictOf(speedOf)).toBe('refuted');
  });

  test('inconclusive: pools that still opened connections in the window', async () => {
    const scenarios = await measureSuite('workers', ({ workers }, round) => ({
      speed: reported(workers, round),
      poolMetrics: growing,
    }));
    const claim = judge('C2', scenarios);
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toMatch(/^Connections .* 5\.0 % .* of ioredis-baseline/);
  });

  test('inconclusive: 100 workers are better in one round and worse in the others', async () => {
    const unclear: Curve = (workers, round) =>
      workers === 100 && round === 2 ? 1.5 : reported(workers, round);
    expect(await verdictOf(unclear)).toBe('inconclusive');
  });

  test('the verdict is that of the rule, for any clear curve', async () => {
    const speed = fc.double({ min: 0.2, max: 3, noNaN: true });
    const gains = [11_706 / 9751, 11_380 / 9751, 10_242 / 9751];
    await fc.assert(
      fc.asyncProperty(speed, speed, speed, speed, async (at1, at10, at50, at100) => {
        const best = Math.max(at10, at50);
        const margins = [
          best / at1 / 1.05,
          (best / at100) * 1.05,
          ...[at10, at50, at100].map((at, index) => at / at1 / (gains[index] ?? 1)),
          at50 / at100 / 1.05,
        ];
        // At a threshold rounding decides.
        fc.pre(margins.every(margin => Math.abs(margin - 1) > 1e-3));
        const holds = margins.every(margin => margin > 1);
        expect(await verdictOf(curve(at1, at10, at50, at100))).toBe(holds ? 'supported' : 'refuted');
      }),
      { numRuns: 15 },
    );
  });

  test('inconclusive: no lower level, or none to decline to; but what there is can refute it', async () => {
    const at = async (levels: readonly number[], speedOf = reported) =>
      judge(
        'C2',
        (await measure(speedOf)).filter(({ workers }) => levels.includes(workers)),
      );
    for (const levels of [
      [1, 10],
      [1, 10, 50],
      [10, 50, 100],
    ])
      expect((await at(levels)).verdict, `${levels}`).toBe('inconclusive');
    expect((await at([1, 10])).gist).toContain('a decline beyond 50 is not tested');
    expect((await at([1, 50, 100])).verdict).toBe('supported');
    expect((await at([1, 10], curve(1, 1.1, 1, 1))).verdict).toBe('refuted');
  });

  test('not tested: no level of 10–50, nothing to hold it against, or pools of another size', async () => {
    const scenarios = await measure(reported);
    const without = (isOut: (workers: number) => boolean) =>
      judge(
        'C2',
        scenarios.filter(({ workers }) => !isOut(workers)),
      ).verdict;
    expect(without(workers => workers === 10 || workers === 50)).toBe('not tested');
    expect(without(workers => workers === 1 || workers >= 100)).toBe('not tested');
    const small = scenarios.map(scenario => ({ ...scenario, connections: scenario.workers }));
    expect(judge('C2', small).verdict).toBe('not tested');
  });
});

const growing = {
  created: 50,
  lastCreatedMs: 900,
  connectTime: { count: 50, mean: 1, p50: 1, p99: 1, max: 1 },
};

describe('the latency of 1 worker is judged, and its growth with more workers is shown', () => {
  /** The suite, with this p99 of 1 worker, and a response time that grows as it must where throughput is flat. */
  async function measure(p99Ms: number, poolMetricsOf: (workers: number) => object = () => ({})) {
    const scenarios = await measureSuite('workers', ({ workers }) => ({
      slowness: workers,
      poolMetrics: poolMetricsOf(workers),
    }));
    return scenarios.map(scenario => ({
      ...scenario,
      limitedBy: { ...scenario.limitedBy, resource: 'none' as const },
      rounds: scenario.rounds.map(round =>
        scenario.workers === 1 ? { ...round, response: { ...round.response, p99: p99Ms } } : round,
      ),
    }));
  }

  test('supported and refuted: by the p99 of 1 worker alone', async () => {
    const claim = judge('C21', await measure(0.8));
    expect(claim).toMatchObject({ verdict: 'supported', measured: 0.8, unit: 'ms', predictions: 1 });
    expect(claim.reason).toContain('×5.00 [×5.00, ×5.00] from 10 to 50');
    expect(claim.comparisons.map(({ predicted }) => predicted)).toEqual([null, null]);
    expect(judge('C21', await measure(1.2)).verdict).toBe('refuted');
  });

  test('inconclusive: a miss behind a busy client or machine; a p99 within the limit counts all the more', async () => {
    for (const resource of ['client', 'machine'] as const) {
      const busy = async (p99Ms: number) =>
        (await measure(p99Ms)).map(scenario => ({
          ...scenario,
          limitedBy: { ...scenario.limitedBy, resource },
        }));
      expect(judge('C21', await busy(1.2))).toMatchObject({ verdict: 'inconclusive', measured: null });
      expect(judge('C21', await busy(0.8)).verdict).toBe('supported');
    }
  });

  test('only the pool of 1 worker must have grown before the window', async () => {
    const growingAt = (level: number) => measure(0.8, workers => (workers === level ? growing : {}));
    expect(judge('C21', await growingAt(100)).verdict).toBe('supported');
    expect(judge('C21', await growingAt(1)).verdict).toBe('inconclusive');
  });
});
