import { expect, test } from 'vitest';
import {
  margin,
  maxRepeats,
  type StepVerdict,
  stepVerdict,
  verdictChances,
} from '../src/aggregate/search/step-verdict.ts';
import { seededRandom } from '../src/aggregate/stats/statistics.ts';

test('a step ends where passes and fails are three apart, or where nine repeats cannot bring them so far', () => {
  expect([margin, maxRepeats]).toEqual([3, 9]);
  for (const [passes, fails, verdict] of [
    [0, 0, null],
    [2, 0, null],
    [3, 0, 'pass'],
    [0, 3, 'fail'],
    [4, 1, 'pass'],
    [1, 4, 'fail'],
    [4, 2, null],
    [6, 3, 'pass'],
    [3, 6, 'fail'],
    [4, 4, 'unclear'],
    [4, 3, null],
    [5, 3, null],
    [5, 4, 'unclear'],
  ] as const)
    expect(stepVerdict(passes, fails), `${passes} to ${fails}`).toBe(verdict);
});

/** What docs/method.md states, in percent. */
const stated = [
  [0.99, { pass: 100, unclear: 0, fail: 0 }],
  [0.9, { pass: 99.3, unclear: 0.5, fail: 0.1 }],
  [0.75, { pass: 86.8, unclear: 10, fail: 3.2 }],
  [2 / 3, { pass: 71.3, unclear: 19.8, fail: 8.9 }],
  [0.5, { pass: 34.2, unclear: 31.6, fail: 34.2 }],
] as const;

test.each(stated)(
  'a rate that passes with %d: verdicts come as often as stated, by arithmetic and by simulation',
  (chance, percent) => {
    const chances = verdictChances(chance);
    expect(chances.pass + chances.fail + chances.unclear).toBeCloseTo(1, 12);
    const random = seededRandom(5);
    const runs = 20_000;
    const seen: Record<StepVerdict, number> = { pass: 0, fail: 0, unclear: 0 };
    let repeats = 0;
    for (let run = 0; run < runs; run++) {
      let passes = 0;
      let fails = 0;
      let verdict = stepVerdict(passes, fails);
      while (verdict === null) {
        if (random() < chance) passes++;
        else fails++;
        repeats++;
        verdict = stepVerdict(passes, fails);
      }
      seen[verdict]++;
    }
    for (const verdict of ['pass', 'fail', 'unclear'] as const) {
      expect(Math.round(chances[verdict] * 1000) / 10).toBe(percent[verdict]);
      expect(Math.abs(seen[verdict] / runs - chances[verdict])).toBeLessThan(0.012);
    }
    expect(Math.abs(repeats / runs - chances.repeats)).toBeLessThan(0.05);
  },
);

test('what is true of passes is true of fails', () => {
  const [high, low] = [verdictChances(0.8), verdictChances(0.2)];
  expect(low.fail).toBeCloseTo(high.pass, 12);
  expect(low.pass).toBeCloseTo(high.fail, 12);
});
