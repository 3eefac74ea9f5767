import { expect, test } from 'vitest';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { buildLoad, judge, measureSuite } from '../../support/claim-arms.ts';

const separate = ({ batch }: Scenario) => batch.pool === 'separate';

/** Slowness of the single commands; those of the batches are three times as slow with separate pools. */
const mixedLoad = (singles: (scenario: Scenario, round: number) => number, rounds = 6) =>
  measureSuite(
    'mixed',
    (scenario, round) => {
      const loads = [
        buildLoad(1, 5000, singles(scenario, round)),
        buildLoad(100, separate(scenario) ? 30_000 : 60_000, separate(scenario) ? 9 : 3),
      ];
      return { round: { loads } };
    },
    rounds,
  );

test('supported: the p99 of single commands falls with both presets', async () => {
  const claim = judge('C16', await mixedLoad(scenario => (separate(scenario) ? 0.8 : 1)));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(0.8);
});

test('refuted: it rises with one of them', async () => {
  const scenarios = await mixedLoad(scenario =>
    separate(scenario) ? (scenario.preset === 'optimized' ? 1.1 : 0.5) : 1,
  );
  expect(judge('C16', scenarios).verdict).toBe('refuted');
});

test('refuted: no difference at all', async () => {
  expect(judge('C16', await mixedLoad(() => 1)).verdict).toBe('refuted');
});

test('inconclusive: the interval holds 5 %', async () => {
  const scenarios = await mixedLoad((scenario, round) => (separate(scenario) ? 0.9 + 0.05 * round : 1));
  expect(judge('C16', scenarios).verdict).toBe('inconclusive');
});

test('not tested: batches of another size are no equals', async () => {
  const scenarios = (await mixedLoad(() => 1)).map(scenario =>
    scenario.batch.pool === 'shared' ? { ...scenario, batch: { ...scenario.batch, pipeline: 20 } } : scenario,
  );
  expect(judge('C16', scenarios).verdict).toBe('not tested');
});

test('what the batches pay stands beside it', async () => {
  const claim = judge('C16', await mixedLoad(scenario => (separate(scenario) ? 0.8 : 1)));
  const batches = claim.comparisons.filter(({ measure }) => measure === 'throughput of the batches');
  expect(batches.map(({ ratio }) => ratio.median)).toEqual([0.5, 0.5]);
  expect(claim.reason).toContain('×0.50 [0.50, 0.50] with baseline pools');
});

test.each([
  ['separate', 'inconclusive'],
  ['shared', 'supported'],
])('single commands that were lost with %s pools could have been slower: %s', async (pool, verdict) => {
  const scenarios = await measureSuite('mixed', scenario => {
    const singles = buildLoad(1, 5000, separate(scenario) ? 0.8 : 1);
    const unfinished = scenario.batch.pool === pool ? singles.issued / 1000 : 0;
    return { round: { unfinished, loads: [{ ...singles, unfinished }, buildLoad(100, 60_000, 3)] } };
  });
  const claim = judge('C16', scenarios);
  expect(claim.verdict).toBe(verdict);
  expect(claim.reason).toMatch(/the response p99 of single commands of .* is only a lower bound/);
});
