import { expect, test } from 'vitest';
import type { ScenarioResult } from '../src/aggregate/result.ts';
import type { Scenario } from '../src/main/experiment/scenarios.ts';
import { judge, measureSuite } from './support/claim-arms.ts';

const rates = (rate: (scenario: Scenario, round: number) => number, rounds = 5) =>
  measureSuite(
    'high-throughput',
    (scenario, round) => ({ round: { opsPerSecond: rate(scenario, round) } }),
    rounds,
  );

const withoutCore = (arms: readonly ScenarioResult[]) =>
  arms.map(arm => ({ ...arm, limitedBy: { resource: 'machine' as const, evidence: '' } }));

test('supported: one of the arms with ioredis passes', async () => {
  const claim = judge('C15', await rates(({ pools }, round) => (pools === 2 ? 90_000 : 40_000) + round));
  expect(claim).toMatchObject({ verdict: 'supported', measured: 90_002, unit: 'ops/s' });
  expect(claim.reason).toContain('2 pools at 50 workers in batches of 100: throughput');
});

test('refuted: ioredis does not pass, and that wire does changes nothing', async () => {
  const claim = judge('C15', await rates(({ client }) => (client === 'wire' ? 900_000 : 40_000)));
  expect(claim.verdict).toBe('refuted');
  expect(claim.reason).toContain(
    'The wire client, the bound of what the server and this machine give, reached 900k',
  );
});

test('inconclusive: ioredis does not pass on a machine without a free core', async () => {
  const claim = judge('C15', withoutCore(await rates(() => 40_000)));
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/the whole machine was busy all the time/i);
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

test('inconclusive: four rounds', async () => {
  expect(judge('C15', await rates(() => 90_000, 4)).verdict).toBe('inconclusive');
});

test('not tested with wire alone', async () => {
  const scenarios = (await rates(() => 90_000)).filter(({ client }) => client === 'wire');
  expect(judge('C15', scenarios).verdict).toBe('not tested');
});
