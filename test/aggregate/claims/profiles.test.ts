import { describe, expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';
import { buildOpenLoop } from '../../support/open-loop-round.ts';
import { buildResult } from '../../support/result-builder.ts';

describe('low latency profile is held to a millisecond', () => {
  /** The p99 at 10 workers, in ms; at 25 it is three times that. A closed loop makes some 20,000 operations a second. */
  const profile = (p99: (round: number) => number, rounds = 6, openP99 = p99, unsent = 0) =>
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
    expect(claim.measured).toBeCloseTo(0.825);
    expect(claim.reason).toContain('2.48 and 4.95 ms at 25');
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

  test('inconclusive: it is below in every round but those in which nothing completed, which count against it', async () => {
    const silent = (await profile(() => 0.5, 8)).map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round =>
        round.round < 3 ? { ...round, issued: 0, completed: 0, opsPerSecond: 0 } : round,
      ),
    }));
    const claim = judge('C14', silent);
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: 0.5, low: 0.5, high: null });
    expect(claim.reason).toContain('∞');
    const never = silent.map(scenario => ({ ...scenario, rounds: scenario.rounds.slice(0, 3) }));
    expect(judge('C14', never)).toMatchObject({ verdict: 'inconclusive', measured: null });
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

  test('not tested: a server on another machine, and its p99 is shown', async () => {
    const scenarios = await profile(() => 0.5);
    const { target } = buildResult([]);
    const claim = judge('C14', scenarios, { target: { ...target, local: false } });
    expect(claim.verdict).toBe('not tested');
    expect(claim.reason).toContain('on another machine');
    expect(claim.reason).toContain('0.500 and 1.00 ms');
  });

  test('the open loop of random arrivals at half of the throughput is held to it, too', async () => {
    const slow = judge(
      'C14',
      await profile(
        () => 0.5,
        6,
        () => 1.5,
      ),
    );
    expect(slow.verdict).toBe('refuted');
    expect(slow.reason).toContain('poisson at 10000/s: response p99 1.50 ms');
    const fast = judge('C14', await profile(() => 0.5));
    expect(fast.verdict).toBe('supported');
    expect(fast.predictions).toBe(2);
    expect(fast.gist).not.toContain('Only a closed loop');
  });

  test('inconclusive: the open loop left operations unsent', async () => {
    const claim = judge(
      'C14',
      await profile(
        () => 0.5,
        6,
        () => 0.5,
        50,
      ),
    );
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toContain('a lower bound');
  });

  test('refuted: what the open loop did send was already too slow, so what it left unsent cannot mend it', async () => {
    const slow = await profile(
      () => 0.5,
      6,
      () => 1.5,
      50,
    );
    const claim = judge('C14', slow);
    expect(claim.verdict).toBe('refuted');
    expect(claim.reason).toContain('[1.50 ms, ∞ ms]');
  });

  test('a verdict of closed loops alone, or without a rate near half, notes what they cannot show', async () => {
    const scenarios = await profile(() => 0.5);
    const closed = scenarios.filter(({ arrival }) => arrival.kind === 'closed');
    const far = scenarios.filter(({ arrival }) => arrival.rate !== 10_000 && arrival.rate !== 5000);
    for (const some of [closed, far]) {
      const claim = judge('C14', some);
      expect(claim).toMatchObject({ verdict: 'supported', predictions: 1 });
      expect(claim.gist).toContain('Only a closed loop');
    }
  });
});

describe('high throughput is judged by ioredis alone', () => {
  const rates = (rate: (scenario: Scenario, round: number) => number, rounds = 6) =>
    measureSuite(
      'high-throughput',
      (scenario, round) => ({ round: { opsPerSecond: rate(scenario, round) } }),
      rounds,
    );

  const withoutCore = (arms: readonly ScenarioResult[]) =>
    arms.map(arm => ({ ...arm, limitedBy: { resource: 'machine' as const, evidence: '' } }));

  test('supported: one of the arms with ioredis passes', async () => {
    const claim = judge('C15', await rates(({ pools }, round) => (pools === 2 ? 90_000 : 40_000) + round));
    expect(claim).toMatchObject({ verdict: 'supported', measured: 90_002.5, unit: 'ops/s' });
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

  test('not tested with wire alone', async () => {
    const scenarios = (await rates(() => 90_000)).filter(({ client }) => client === 'wire');
    expect(judge('C15', scenarios).verdict).toBe('not tested');
  });
});
