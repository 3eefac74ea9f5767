import { describe, expect, test } from 'vitest';
import { baselineRates, gateOf, measuredNoises, versusRates } from '../../../bench/gate.ts';
import { falseVerdictChance } from '../../../src/aggregate/stats/sign-test.ts';

const runs = 200;
const rounds = { atLeast: 10, atMost: 50 };
const stated = falseVerdictChance(1);
/** Three standard errors above what is stated: the seeds are fixed. */
const limit = stated + 3 * Math.sqrt((stated * (1 - stated)) / runs);

describe.each(Object.entries(measuredNoises))('rounds of versus on %s', (_, noise) => {
  test.each([1, 4])('fail the build in error no more often than stated, with %i scenarios', scenarios => {
    const gate = gateOf(2);
    const { beyond } = versusRates(
      gate,
      noise,
      { ratio: gate.threshold, scenarios, rounds },
      { runs, seed: 1 },
    );
    expect(beyond).toBeLessThanOrEqual(limit);
  });

  test('show that a server is 10 % slower', () => {
    const { beyond } = versusRates(gateOf(2), noise, { ratio: 1.1, scenarios: 1, rounds }, { runs, seed: 1 });
    expect(beyond).toBeGreaterThanOrEqual(0.9);
  });
});

test.each([6, 20])('a baseline of %i runs fails the build in error no more often than stated', baseline => {
  const gate = gateOf(5);
  const at = (ratio: number, deviation: number) =>
    baselineRates(gate, { ratio, baseline, deviation }, { runs, seed: 1 });
  expect(at(gate.threshold, 0.05).beyond).toBeLessThanOrEqual(limit);
  expect(at(1, 0.01).beyond).toBeLessThanOrEqual(limit);
  expect(at(1.1, 0.01).beyond).toBeGreaterThanOrEqual(0.75);
});
