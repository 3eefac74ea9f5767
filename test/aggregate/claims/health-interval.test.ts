import { expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, judge, measureSuite } from '../../support/claim-arms.ts';

const off = ({ healthTtlMs }: Scenario) => healthTtlMs === 3_600_000;

/** Without checks 10 operations of a round fail where connections go silent. */
const intervals = (figures: (scenario: Scenario) => ArmFigures, failedWithChecks = 2) =>
  measureSuite('health-interval', scenario => {
    const silenced = scenario.cutEveryMs > 0;
    const failed = { TIMEOUT: off(scenario) ? 10 : failedWithChecks };
    return {
      poolMetrics: { acquisitions: 250, healthChecksRun: off(scenario) ? 0 : 90 },
      round: { seconds: 2.5, ...(silenced ? { failed, cuts: 12 } : {}) },
      ...figures(scenario),
    };
  });

/** Checks take so much of the mean response time that it is `ratio` of what it would be without them. */
const slowedByChecks = (scenarios: ScenarioResult[], ratio: number, of: (ttlMs: number) => boolean) =>
  scenarios.map(scenario => ({
    ...scenario,
    rounds: scenario.rounds.map(round => ({
      ...round,
      poolMetrics: {
        ...round.poolMetrics,
        healthCheckMs: of(scenario.healthTtlMs) ? round.response.mean * round.completed * (1 - 1 / ratio) : 0,
      },
    })),
  }));

test('supported: checks cost no latency, and fewer operations fail', async () => {
  const claim = judge('C13', await intervals(() => ({})));
  expect(claim).toMatchObject({ verdict: 'supported', predictions: 4 });
  expect(claim.reason).toContain('failed operations ×0.20');
  expect(claim.reason).toContain('16 with 500 ms (96 cuts)');
});

test('supported: no operation fails with checks', async () => {
  expect(judge('C13', await intervals(() => ({}), 0)).verdict).toBe('supported');
});

test('refuted: one of the intervals costs 10 % of the mean response time', async () => {
  const scenarios = slowedByChecks(await intervals(() => ({})), 1.1, ttlMs => ttlMs === 1000);
  const claim = judge('C13', scenarios);
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1.1);
});

test('supported: a slower arm is no cost of its checks, if these took no time', async () => {
  const scenarios = await intervals(({ healthTtlMs }) => ({ slowness: healthTtlMs === 1000 ? 1.1 : 1 }));
  expect(judge('C13', scenarios).verdict).toBe('supported');
});

test('refuted: as many operations fail with checks', async () => {
  expect(judge('C13', await intervals(() => ({}), 10)).verdict).toBe('refuted');
});

test('failures are compared as a fraction of what was due, and stand among the comparisons', async () => {
  const scenarios = await intervals(() => ({}), 10);
  const twice = scenarios.map(scenario =>
    scenario.healthTtlMs === 3_600_000
      ? scenario
      : { ...scenario, rounds: scenario.rounds.map(round => ({ ...round, issued: round.issued * 2 })) },
  );
  const claim = judge('C13', twice);
  expect(claim.verdict).toBe('supported');
  const failures = claim.comparisons.filter(({ measure }) => measure === 'failed operations');
  expect(failures.map(({ ratio }) => ratio.median)).toEqual([expect.closeTo(0.5), expect.closeTo(0.5)]);
});

test('no proof: the pools without checks ran some, or no check ran with them', async () => {
  const some = await intervals(() => ({ poolMetrics: { acquisitions: 250, healthChecksRun: 90 } }));
  expect(judge('C13', some)).toMatchObject({ verdict: 'inconclusive', measured: null });
  const none = await intervals(() => ({ poolMetrics: { acquisitions: 250, healthChecksRun: 0 } }));
  expect(judge('C13', none).reason).toContain('No check ran at 500 and 1000 ms');
});

test('half of the claim supports nothing: without silent connections what checks are for is open', async () => {
  const uncut = (await intervals(() => ({}))).filter(({ cutEveryMs }) => cutEveryMs === 0);
  const claim = judge('C13', uncut);
  expect(claim).toMatchObject({ verdict: 'inconclusive', predictions: 2, measured: expect.closeTo(1) });
  expect(claim.gist).toContain('No connection went silent');
});

test('half of the claim supports nothing: where no operation failed, and where all connections were cut', async () => {
  const none = await intervals(({ cutEveryMs }) => (cutEveryMs > 0 ? { round: { cuts: 12 } } : {}));
  expect(judge('C13', none)).toMatchObject({ verdict: 'inconclusive', predictions: 2 });
  expect(judge('C13', none).gist).toContain('No operation failed');
  const silent = (await intervals(() => ({}))).filter(({ cutEveryMs }) => cutEveryMs > 0);
  expect(judge('C13', silent)).toMatchObject({ verdict: 'inconclusive', predictions: 2 });
  expect(judge('C13', silent).gist).toContain('what checks cost is not tested');
  const neither = none.filter(({ cutEveryMs }) => cutEveryMs > 0);
  expect(judge('C13', neither)).toMatchObject({ verdict: 'inconclusive', predictions: 0, measured: null });
});

test('half of the claim refutes it', async () => {
  const slow = slowedByChecks(await intervals(() => ({})), 1.1, ttlMs => ttlMs === 1000);
  const uncut = slow.filter(({ cutEveryMs }) => cutEveryMs === 0);
  expect(judge('C13', uncut).verdict).toBe('refuted');
});
