import { expect, test } from 'vitest';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, judge, measureSuite } from '../../support/claim-arms.ts';

const recommended = ({ healthTtlMs }: Scenario) => healthTtlMs === 500 || healthTtlMs === 1000;

const intervals = (figures: (scenario: Scenario, round: number) => ArmFigures, rounds = 6) =>
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
  const claim = judge('C13', await intervals(({ healthTtlMs }) => ({ speed: healthTtlMs === 0 ? 0.8 : 1 })));
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
  expect(claim.gist).toContain('does not exercise');
});

test('inconclusive: the interval holds 5 %', async () => {
  const scenarios = await intervals((scenario, round) => ({
    speed: recommended(scenario) ? 0.9 + 0.03 * round : 1,
  }));
  expect(judge('C13', scenarios).verdict).toBe('inconclusive');
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
  expect(claim.reason).toContain('24 with 1000 ms (30 cuts) and 24 with checks off (30 cuts).');
});
