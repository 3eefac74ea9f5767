import { expect, test } from 'vitest';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from '../../support/claim-arms.ts';

const bursts = (slowness: (scenario: Scenario) => number) =>
  measureSuite('variable-load', scenario => ({ slowness: slowness(scenario) }));

test.each([
  ['supported', 0.8],
  ['refuted', 1],
] as const)('%s: bursts with optimized pools take ×%d', async (verdict, ratio) => {
  const claim = judge('C23', await bursts(({ preset }) => (preset === 'optimized' ? ratio : 1)));
  expect(claim.verdict).toBe(verdict);
  expect(claim.measured).toBeCloseTo(ratio);
});

test('bursts whose rate changes by stages are not what it is about', async () => {
  const stages = [{ seconds: 1, rate: 100, rampTo: 5000 }];
  const arms = await bursts(({ preset }) => (preset === 'optimized' ? 0.8 : 1));
  const staged = arms.map(arm => ({ ...arm, arrival: { ...arm.arrival, stages } }));
  expect(judge('C23', staged).verdict).toBe('not tested');
});
