import { describe, expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';
import { buildOpenLoop } from '../../support/open-loop-round.ts';
import { buildResult } from '../../support/result-builder.ts';

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

describe('low latency profile is held to a millisecond', () => {
  /** The p99 at 10 workers, in ms; at 25 it is three times that. A closed loop makes some 20,000 operations a second. */
  const profile = (p99: (round: number) => number, rounds = 5, openP99 = p99, unsent = 0) =>
    measureSuite(
      'low-latency',
      ({ workers, arrival }, round) => {
        const isOpen = arrival.kind !== 'closed';
        const at = isOpen ? openP99(round) : workers === 25 ? 3 * p99(round) : p99(round);
        const openLoop = isOpen ? buildOpenLoop(arrival.rate, { unsent, sent: arrival.rate - unsent }) : null;
        const response = {
          count: 9000,
          mean: at / 2,
          p50: at / 2,
          p90: at / 2,
          p95: at / 2,
          p99: at,
          p999: 2 * at,
          max: 9,
        };
        return { round: { response, openLoop } };
      },
      rounds,
    );

  const limited = (resource: ScenarioResult['limitedBy']['resource'], scenarios: readonly ScenarioResult[]) =>
    scenarios.map(scenario => ({ ...scenario, limitedBy: { resource, evidence: '' } }));

  test('supported: the p99 at 10 workers is below 1 ms, whatever it is at 25', async () => {
    const claim = judge('C14', await profile(round => 0.8 + 0.01 * round));
    expect(claim).toMatchObject({ verdict: 'supported', unit: 'ms' });
    expect(claim.measured).toBeCloseTo(0.82);
    expect(claim.reason).toContain('2.46 and 4.92 ms at 25');
  });

  test('refuted: it is above, and the server limited', async () => {
    expect(judge('C14', limited('server', await profile(() => 1.2))).verdict).toBe('refuted');
  });

  test.each(['client', 'machine'] as const)(
    'inconclusive: it is above, but the %s limited',
    async resource => {
      const claim = judge('C14', limited(resource, await profile(() => 1.2)));
      expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
      expect(claim.gist).toMatch(resource === 'client' ? /event loop/ : /whole machine/i);
    },
  );

  test('supported: it is below although the client limited', async () => {
    expect(judge('C14', limited('client', await profile(() => 0.5))).verdict).toBe('supported');
  });

  test('inconclusive: the interval holds 1 ms', async () => {
    expect(judge('C14', await profile(round => 0.9 + 0.1 * round)).verdict).toBe('inconclusive');
  });

  test('inconclusive: four rounds', async () => {
    expect(judge('C14', await profile(() => 0.5, 4)).verdict).toBe('inconclusive');
  });

  test('not tested: pools that check, or that are larger than their concurrency, are not the profile', async () => {
    const scenarios = await profile(() => 0.5);
    const checking = scenarios.map(scenario => ({ ...scenario, healthTtlMs: 1000 }));
    expect(judge('C14', checking).verdict).toBe('not tested');
    const larger = scenarios.map(scenario => {
      const connections = 2 * scenario.workers;
      return { ...scenario, connections, minIdle: connections };
    });
    expect(judge('C14', larger).verdict).toBe('not tested');
  });

  test('not tested: a server on another machine, and the p99 it had is told', async () => {
    const scenarios = await profile(() => 0.5);
    const { target } = buildResult([]);
    const claim = judge('C14', scenarios, { target: { ...target, local: false } });
    expect(claim.verdict).toBe('not tested');
    expect(claim.reason).toContain('elsewhere');
    expect(claim.reason).toContain('0.500 and 1.00 ms');
  });

  test('the open loop of random arrivals at half of the throughput is held to it, too', async () => {
    const slow = judge(
      'C14',
      await profile(
        () => 0.5,
        5,
        () => 1.5,
      ),
    );
    expect(slow.verdict).toBe('refuted');
    expect(slow.reason).toContain('poisson at 10000/s: response p99 1.50 ms');
    const fast = judge('C14', await profile(() => 0.5));
    expect(fast.verdict).toBe('supported');
    expect(fast.predictions).toBe(2);
    expect(fast.gist).not.toContain('closed loop only');
  });

  test('inconclusive: the open loop left operations unsent', async () => {
    const claim = judge(
      'C14',
      await profile(
        () => 0.5,
        5,
        () => 0.5,
        50,
      ),
    );
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('lower bounds');
  });

  test('a verdict of closed loops alone, or without a rate near half, says what they cannot show', async () => {
    const scenarios = await profile(() => 0.5);
    const closed = scenarios.filter(({ arrival }) => arrival.kind === 'closed');
    const far = scenarios.filter(({ arrival }) => arrival.rate !== 10_000 && arrival.rate !== 5000);
    for (const some of [closed, far]) {
      const claim = judge('C14', some);
      expect(claim).toMatchObject({ verdict: 'supported', predictions: 1 });
      expect(claim.gist).toContain('closed loop only');
    }
  });
});
