import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ratioToRuns, runsToDecide, studentQuantile } from '../../../src/aggregate/stats/run-spread.ts';
import { falseVerdictChance } from '../../../src/aggregate/stats/sign-test.ts';

// Abramowitz and Stegun, table 26.10.
test.each([
  [0.05, 1, 6.314],
  [0.025, 2, 4.303],
  [0.025, 5, 2.571],
  [0.01, 10, 2.764],
  [0.005, 29, 2.756],
  [0.025, 120, 1.98],
])('with probability %f, %i degrees of freedom exceed %f', (probability, degrees, t) => {
  expect(studentQuantile(probability, degrees)).toBeCloseTo(t, 3);
});

describe('the ratio of a run to runs before it', () => {
  const figure = fc.double({ min: 0.5, max: 2, noNaN: true });
  const runs = fc.array(figure, { minLength: 6, maxLength: 20 });

  test('has the prediction interval of their logarithms', () => {
    // Logarithms −1, −1, 0, 0, 1, 1: s² = 4/5.
    const logs = [-1, -1, 0, 0, 1, 1];
    const { median, low, high } = ratioToRuns(logs.map(Math.exp), 2);
    const width = studentQuantile(falseVerdictChance(1), 5) * Math.sqrt(0.8) * Math.sqrt(1 + 1 / 6);
    expect(median).toBeCloseTo(2, 9);
    expect(Math.log(low / 2)).toBeCloseTo(-width, 9);
    expect(Math.log(high / 2)).toBeCloseTo(width, 9);
  });

  test('is never told apart from runs between which it lies, and scales with it', () => {
    fc.assert(
      fc.property(runs, figure, fc.double({ min: 0.1, max: 10, noNaN: true }), (before, value, factor) => {
        const { low, median, high } = ratioToRuns(before, value);
        expect(low).toBeLessThanOrEqual(value / Math.max(...before));
        expect(high).toBeGreaterThanOrEqual(value / Math.min(...before));
        expect(low).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(high);
        expect(ratioToRuns(before, value * factor).median / median).toBeCloseTo(factor, 9);
      }),
    );
  });

  test('is wider where more comparisons share the chance to err, on their side alone', () => {
    const before = [1, 1.1, 0.9, 1.05, 0.95, 1.02];
    const [alone, shared] = [ratioToRuns(before, 1.2), ratioToRuns(before, 1.2, { above: 8 })];
    expect(shared.low).toBeLessThan(alone.low);
    expect(shared.high).toBe(alone.high);
  });

  test('more runs decide what their spread allows, and nothing at the threshold itself', () => {
    const before = [1, 1.1, 0.9, 1.05, 0.95, 1.02];
    const needed = runsToDecide(before, 1.28, 1.05);
    expect(needed).toBeGreaterThan(6);
    expect(runsToDecide(before, 1.4, 1.05) ?? 0).toBeLessThanOrEqual(needed ?? 0);
    expect(runsToDecide(before, 1.05, 1.05)).toBeNull();
    // One of them is as far off as the value is, whatever the others are.
    const even = Array.from({ length: 20 }, (_, index) => 1 + (index % 2) / 1000);
    expect(runsToDecide([...even, 1.3], 1.3, 1.05)).toBeNull();
  });
});
