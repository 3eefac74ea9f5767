import { expect, test } from 'vitest';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, judge, measureSuite } from '../../support/claim-arms.ts';

/** Each connect takes 1 ms under the lock, one after another; outside it, each takes 5 ms beside the others. */
const asReported = (scenario: Scenario): ArmFigures => {
  const locked = scenario.preset === 'baseline';
  return start(scenario, locked ? scenario.workers : 10, locked ? 1 : 5);
};

function start({ workers }: Scenario, allServedMs: number, meanConnectMs: number): ArmFigures {
  const connectTime = { count: workers, mean: meanConnectMs, p50: 1, p99: 1, max: 1 };
  return {
    // Long after: a connection or two may still come at the window's end.
    poolMetrics: { createdBefore: 0, created: workers, lastCreatedMs: 900, connectTime },
    round: { allServedMs },
  };
}

test('supported: baseline grows with its workers, optimized is faster and its connects overlap', async () => {
  const claim = judge('C19', await measureSuite('cold-start', asReported));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(10);
  expect(claim.predicted).toContain('our own prediction');
  expect(claim.reason).toMatch(/100 workers to 10: .* ×10\.0 \[10\.0, 10\.0\]; predicted ×5\.00 /);
  expect(claim.reason).toContain(' at a time 50.0');
});

test('refuted: baseline does not grow with its workers', async () => {
  const flat = await measureSuite('cold-start', scenario =>
    scenario.preset === 'baseline' ? start(scenario, 40, 1) : start(scenario, 10, 5),
  );
  expect(judge('C19', flat).verdict).toBe('refuted');
});

test('refuted: optimized takes as long as baseline', async () => {
  const slow = await measureSuite('cold-start', scenario =>
    scenario.preset === 'baseline' ? asReported(scenario) : start(scenario, 120, 100),
  );
  expect(judge('C19', slow).verdict).toBe('refuted');
});

test('refuted: optimized takes 3 % less, which is no difference', async () => {
  const slow = await measureSuite('cold-start', scenario =>
    scenario.preset === 'baseline' ? asReported(scenario) : start(scenario, 97, 5),
  );
  expect(judge('C19', slow).verdict).toBe('refuted');
});

test('refuted: optimized is faster, but connects one after another', async () => {
  const quick = await measureSuite('cold-start', scenario =>
    scenario.preset === 'baseline' ? asReported(scenario) : start(scenario, 50, 0.5),
  );
  expect(judge('C19', quick).verdict).toBe('refuted');
});

test('inconclusive: growth is about at the edge of what counts as proportional', async () => {
  const edge = await measureSuite('cold-start', (scenario, round) =>
    scenario.preset === 'baseline' && scenario.workers === 100
      ? start(scenario, 40 + 5 * round, 1)
      : asReported(scenario),
  );
  expect(judge('C19', edge).verdict).toBe('inconclusive');
});

test('inconclusive: in one of the rounds a worker of the optimized pool was never served', async () => {
  const scenarios = await measureSuite('cold-start', (scenario, round) => {
    const figures = asReported(scenario);
    return round === 3 && scenario.preset === 'optimized'
      ? { ...figures, round: { allServedMs: null } }
      : figures;
  });
  expect(judge('C19', scenarios).verdict).toBe('inconclusive');
});

test('no proof: connections stood before the window', async () => {
  const scenarios = await measureSuite('cold-start', scenario => {
    const { poolMetrics, ...figures } = asReported(scenario);
    return { ...figures, poolMetrics: { ...poolMetrics, createdBefore: 5 } };
  });
  const claim = judge('C19', scenarios);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('had connections before');
});

test('no proof: workers were served by connections of others', async () => {
  const scenarios = await measureSuite('cold-start', (scenario, round) => {
    const { poolMetrics, ...figures } = asReported(scenario);
    const shares = scenario.preset === 'baseline' && scenario.workers === 100 && round === 2;
    return { ...figures, poolMetrics: { ...poolMetrics, ...(shares ? { created: 99 } : {}) } };
  });
  const claim = judge('C19', scenarios);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/ 99 connections for 100 .* 2\./);
});

test('not tested without the burst', async () => {
  const scenarios = await measureSuite('cold-start', asReported);
  const steady = scenarios.map(scenario => ({ ...scenario, burst: false }));
  expect(judge('C19', steady).verdict).toBe('not tested');
});

test('not tested with a warmed pool or with one number of workers', async () => {
  const scenarios = await measureSuite('cold-start', asReported);
  const warm = scenarios.map(scenario =>
    scenario.pool === 'optimized' ? { ...scenario, minIdle: 20 } : scenario,
  );
  expect(judge('C19', warm).verdict).toBe('not tested');
  const oneLevel = scenarios.filter(({ workers }) => workers === 100);
  expect(judge('C19', oneLevel).verdict).toBe('not tested');
});

test('other ways to open connections stand beside it', async () => {
  const claim = judge('C19', await measureSuite('cold-start', asReported));
  const paced = claim.comparisons.filter(
    ({ base, other }) => base.includes('parallel') && !other.includes('parallel'),
  );
  expect(paced.map(({ measure }) => measure)).toContain('time until all workers were served');
  expect(claim.reason).toMatch(/10\.0 ms .* jittered .* 5\.00 ms/);
});
