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

  test('a batch that the run leaves out is named', async () => {
    const scenarios = (await measure(promised)).filter(({ pipeline }) => pipeline !== 100);
    const claim = judge('C3', scenarios);
    expect(claim.reason).toMatch(/no batches of 100, .*\.$/);
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
      { numRuns: 15 },
    );
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
