import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, judge, measureSuite } from '../../support/claim-arms.ts';

describe('warming is judged on the pool that creates nothing', () => {
  const isFull = ({ preset, minIdle, connections }: Scenario) =>
    preset === 'warmed' && minIdle === connections;

  /** Connections that a pool has before the barrier and creates after it. */
  function connects(scenario: Scenario): NonNullable<ArmFigures['poolMetrics']> {
    return {
      createdBefore: scenario.minIdle,
      created: isFull(scenario) ? 0 : scenario.workers - scenario.minIdle / 2,
    };
  }

  /** A window of as many operations as the suite's. */
  const window = { seconds: 0.05, completed: 2000 };

  const warmingOf = (slowness: (round: number, workers: number) => number, rounds = 6) =>
    measureSuite(
      'warming',
      (scenario, round) => ({
        slowness: isFull(scenario) ? slowness(round, scenario.workers) : 1,
        poolMetrics: connects(scenario),
        round: window,
      }),
      rounds,
    );

  test('supported: the fully warmed pool has a p99 20 % lower or more', async () => {
    const claim = judge('C6', await warmingOf(() => 0.7));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(0.7);
    expect(claim.reason).toContain('first 0.05 s: max response time ×0.70');
    expect(claim.comparisons.map(({ measure }) => measure)).not.toContain('response p99 of the worst second');
  });

  test('refuted: a p99 5 % lower is too little', async () => {
    expect(judge('C6', await warmingOf(() => 0.95)).verdict).toBe('refuted');
  });

  test('refuted: p99 falls, but the spike of creation is as high as before', async () => {
    const scenarios = await measureSuite('warming', scenario => {
      const response = { count: 20_000, mean: 1, p50: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 60 };
      return {
        poolMetrics: connects(scenario),
        round: { ...window, response: isFull(scenario) ? { ...response, p99: 0.7, max: 70 } : response },
      };
    });
    expect(judge('C6', scenarios).verdict).toBe('refuted');
  });

  test('refuted: the spike of creation is 3 % lower, which is no end of it', async () => {
    const scenarios = await measureSuite('warming', scenario => {
      const response = { count: 20_000, mean: 1, p50: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 60 };
      return {
        poolMetrics: connects(scenario),
        round: { ...window, response: isFull(scenario) ? { ...response, p99: 0.7, max: 58.2 } : response },
      };
    });
    expect(judge('C6', scenarios).verdict).toBe('refuted');
  });

  test.each(['fully warmed', 'cold'])(
    'what the %s pool lost could have been slower than its max',
    async lossy => {
      const claim = judge(
        'C6',
        await measureSuite('warming', scenario => ({
          slowness: isFull(scenario) ? 0.7 : 1,
          poolMetrics: connects(scenario),
          // Too few to forbid a verdict, and enough for a lower bound.
          round: {
            ...window,
            issued: 2000,
            unfinished: isFull(scenario) === (lossy === 'fully warmed') ? 1 : 0,
          },
        })),
      );
      expect(claim.verdict).toBe(lossy === 'cold' ? 'supported' : 'inconclusive');
      expect(claim.reason).toMatch(/the max response time of .* is only a lower bound/);
      expect(claim.reason).toMatch(/the response p99 of .* is only a lower bound/);
    },
  );

  test('refuted: levels are judged apart, and one without the gain is not hidden by the other', async () => {
    const claim = judge('C6', await warmingOf((_, workers) => (workers === 200 ? 1 : 0.3)));
    expect(claim.verdict).toBe('refuted');
    expect(claim.reason).toContain('100 workers, first 0.05 s: response p99 ×0.30');
    expect(claim.reason).toContain('200 workers, first 0.05 s: response p99 ×1.00');
  });

  test('inconclusive: the interval is not clear of 20 %', async () => {
    expect(judge('C6', await warmingOf(round => 0.75 + 0.03 * round)).verdict).toBe('inconclusive');
  });

  test('no proof: the pool that was to be warm created connections after the barrier', async () => {
    const scenarios = await measureSuite('warming', scenario => ({
      slowness: isFull(scenario) ? 0.7 : 1,
      poolMetrics: { createdBefore: scenario.minIdle, created: 3 },
      round: window,
    }));
    const claim = judge('C6', scenarios);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('after the barrier');
  });

  test('no proof: the cold start was over before the window began', async () => {
    const scenarios = await measureSuite('warming', scenario => ({
      slowness: isFull(scenario) ? 0.7 : 1,
      poolMetrics: isFull(scenario) ? { created: 0 } : { createdBefore: 10, created: 0 },
    }));
    const claim = judge('C6', scenarios);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('had connections before');
  });

  test("the source report's own minIdle stands beside it, with the connections it still created", async () => {
    const claim = judge('C6', await warmingOf(() => 0.7));
    expect(claim.reason).toMatch(/minIdle of max \/ 4 .*: 75 at 100 .* \(baseline 100\)/);
    const quarter = claim.comparisons.filter(({ other }) => other.includes('idle0.25'));
    expect(quarter.map(({ measure }) => measure)).toContain('response p99');
    expect(quarter.every(({ predicted }) => predicted === null)).toBe(true);
  });

  test('the reason has the fraction of the window that the cold start takes', async () => {
    const claim = judge('C6', await warmingOf(() => 0.7));
    expect(claim.reason).toMatch(/5\.0 % with minIdle 0 at 100 .* 10 % with minIdle 0 at 200 /);
  });

  const thinIn = (isThin: (scenario: Scenario) => boolean) =>
    measureSuite('warming', scenario => ({
      slowness: isFull(scenario) ? 0.7 : 1,
      poolMetrics: connects(scenario),
      round: isThin(scenario) && scenario.workers === 100 ? { ...window, completed: 5100 } : window,
    }));

  test('no proof: in the window of the cold pool the start is too small a fraction for a p99 to show', async () => {
    const claim = judge('C6', await thinIn(scenario => !isFull(scenario)));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/only 1\.96 % .* below 2 %/);
  });

  test('supported: the warmed pool has no cold start that a p99 should see, however much it gets done', async () => {
    expect(judge('C6', await thinIn(isFull)).verdict).toBe('supported');
  });

  test('the suite shows the start from 20,000 to 100,000 operations per second', async () => {
    for (const rate of [20_000, 100_000]) {
      const scenarios = await measureSuite('warming', scenario => ({
        slowness: isFull(scenario) ? 0.7 : 1,
        poolMetrics: connects(scenario),
        round: { seconds: 0.05, completed: rate * 0.05 },
      }));
      expect(judge('C6', scenarios).verdict).toBe('supported');
    }
  });
});

describe('min idle is judged by the p99 of a cold start', () => {
  const idle = (
    quarter: (round: number) => number,
    { rounds = 6, createdCold = 50, completed = 2000 } = {},
  ) =>
    measureSuite(
      'min-idle',
      ({ minIdle, connections }, round) => ({
        slowness: minIdle === connections / 4 ? quarter(round) : 1,
        poolMetrics: { createdBefore: minIdle, created: minIdle === 0 ? createdCold : 20 },
        round: { seconds: 0.05, completed },
      }),
      rounds,
    );

  test('supported: a p99 a quarter lower', async () => {
    const claim = judge('C12', await idle(() => 0.75));
    expect(claim.verdict).toBe('supported');
    expect(claim.measured).toBeCloseTo(0.75);
    expect(claim.reason).toContain('200 workers, first 0.05 s: response p99 ×0.75');
  });

  test('supported: more than was promised keeps the promise', async () => {
    expect(judge('C12', await idle(() => 0.4)).verdict).toBe('supported');
  });

  test('refuted: no difference', async () => {
    expect(judge('C12', await idle(() => 1)).verdict).toBe('refuted');
  });

  test('inconclusive: the interval holds 20 %', async () => {
    expect(judge('C12', await idle(round => 0.7 + 0.05 * round)).verdict).toBe('inconclusive');
  });

  test('no proof: the pool without minIdle created nothing in the window', async () => {
    const claim = judge('C12', await idle(() => 0.75, { createdCold: 0 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('created no connection');
  });

  test('no proof: the first operations are too few for a p99 to see', async () => {
    const claim = judge('C12', await idle(() => 0.75, { completed: 10_100 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/only 1\.98 % of .*idle0, .* 2 %/);
  });

  test('no proof: of the pool that is half warm they are too few, for only half of its workers start cold', async () => {
    const claim = judge('C12', await idle(() => 0.75, { completed: 5100 }));
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(/only 1\.96 % of .*idle0\.25, .* 2 %/);
  });

  test('the suite shows the start from 20,000 to 100,000 operations per second', async () => {
    for (const rate of [20_000, 100_000]) {
      const claim = judge('C12', await idle(() => 0.75, { completed: rate * 0.05 }));
      expect(claim.verdict).toBe('supported');
    }
  });

  test('not tested without an arm of minIdle 0', async () => {
    const scenarios = (await idle(() => 0.75)).filter(({ minIdle }) => minIdle > 0);
    expect(judge('C12', scenarios).verdict).toBe('not tested');
  });

  test('the other ratios stand beside it, with what each still created', async () => {
    const claim = judge('C12', await idle(() => 0.75));
    const p99s = claim.comparisons.filter(({ measure }) => measure === 'response p99');
    expect(p99s.map(({ other }) => other)).toHaveLength(4);
    expect(p99s.filter(({ predicted }) => predicted !== null)).toHaveLength(1);
    expect(claim.reason).toMatch(/: 50 with minIdle 0 at 200 .* 20 with minIdle 100 at 200 /);
  });
});
