import { expect, test } from 'vitest';
import { pairedRatio } from '../src/aggregate/stats/paired-ratio.ts';
import { falseVerdictChance, medianInterval, seededRandom } from '../src/aggregate/stats/statistics.ts';
import { normalNoise } from './support/normal-noise.ts';

/** What a simulated share may exceed its bound by: three standard errors and a bit. The seeds are fixed. */
const allowance = (chance: number, runs: number) => 3.5 * Math.sqrt((chance * (1 - chance)) / runs);

/** Noise of a log ratio whose median is 0, which is all that the sign test asks for. */
const noises = [
  { noise: 'log-normal', of: normalOf(0.07) },
  {
    noise: 'heavy-tailed (Cauchy)',
    of: (random: () => number) => () => 0.03 * Math.tan(Math.PI * (random() - 0.5)),
  },
  {
    noise: 'skewed (exponential)',
    of: (random: () => number) => () => 0.1 * (Math.LN2 + Math.log(1 - random())),
  },
  {
    noise: 'now and then halving or doubling',
    of: (random: () => number) => {
      const usual = normalOf(0.02)(random);
      return () => usual() + (random() < 0.2 ? Math.LN2 * Math.sign(random() - 0.5) : 0);
    },
  },
];

function normalOf(deviation: number): (random: () => number) => () => number {
  return random => {
    const normal = normalNoise(random);
    return () => deviation * normal();
  };
}

test('the chance is that of the sign test: 1/2ⁿ up to 8 rounds, and one round left out at either end from 9 to 11', () => {
  expect([5, 6, 7, 8].map(rounds => falseVerdictChance(rounds, 1))).toEqual([
    1 / 32,
    1 / 64,
    1 / 128,
    1 / 256,
  ]);
  expect(falseVerdictChance(9, 1)).toBeCloseTo(10 / 512, 12);
  expect(falseVerdictChance(11, 1)).toBeCloseTo(12 / 2048, 12);
  // Never more than what 93.75 % leaves on one side, and what no round can tell is left to luck.
  for (let rounds = 5; rounds <= 1000; rounds++)
    expect(falseVerdictChance(rounds, 1)).toBeLessThanOrEqual(1 / 32);
  expect(falseVerdictChance(0, 1)).toBe(1);
});

test('several comparisons add up their chances, to 1 at most', () => {
  expect(falseVerdictChance(5, 3)).toBe(3 / 32);
  expect(falseVerdictChance(5, 100)).toBe(1);
  expect(falseVerdictChance(9, 0)).toBe(0);
});

const cases = [5, 6, 7, 8, 9, 11, 13, 25].flatMap(rounds => noises.map(noise => ({ rounds, ...noise })));

test.each(cases)('$rounds rounds with $noise noise, the true ratio at the threshold', ({ rounds, of }) => {
  const runs = 6000;
  const draw = of(seededRandom(rounds));
  let above = 0;
  let below = 0;
  for (let run = 0; run < runs; run++) {
    const ratios = Array.from({ length: rounds }, () => Math.exp(draw()));
    const { low, high } = medianInterval(ratios);
    if (low > 1) above++;
    if (high < 1) below++;
  }
  const stated = falseVerdictChance(rounds, 1);
  expect(above / runs).toBeLessThanOrEqual(stated + allowance(stated, runs));
  expect(below / runs).toBeLessThanOrEqual(stated + allowance(stated, runs));
});

const normal = normalNoise(seededRandom(1));

/** Arms that share the weather of a round, far larger than their own noise; the first is the base of all others. */
function measureArms(arms: number, rounds: number): Map<number, number>[] {
  const weather = Array.from({ length: rounds }, () => Math.exp(0.5 * normal()));
  return Array.from(
    { length: arms },
    () => new Map(weather.map((factor, round) => [round, 30_000 * factor * Math.exp(0.05 * normal())])),
  );
}

test.each([5, 9])('with %i rounds of paired arms the weather they share makes no verdict', rounds => {
  const runs = 4000;
  let above = 0;
  for (let run = 0; run < runs; run++) {
    const [base = new Map(), other = new Map()] = measureArms(2, rounds);
    if ((pairedRatio(base, other).ratio?.low ?? 0) > 1) above++;
  }
  const stated = falseVerdictChance(rounds, 1);
  expect(above / runs).toBeLessThanOrEqual(stated + allowance(stated, runs));
  // The interval is not wider than it must be, either: the error is what the sign test leaves.
  expect(above / runs).toBeGreaterThanOrEqual(stated / 2);
});

test.each([
  [5, 3],
  [9, 3],
  [9, 8],
])(
  'with %i rounds one of %i comparisons to a common base errs no more often than stated',
  (rounds, comparisons) => {
    const runs = 2000;
    let erred = 0;
    for (let run = 0; run < runs; run++) {
      const [base = new Map(), ...others] = measureArms(comparisons + 1, rounds);
      const isClear = others.some(other => (pairedRatio(base, other).ratio?.low ?? 0) > 1);
      if (isClear) erred++;
    }
    const stated = falseVerdictChance(rounds, comparisons);
    expect(erred / runs).toBeLessThanOrEqual(stated + allowance(stated, runs));
    // More often than a single one: what is stated for one does not do for several.
    expect(erred / runs).toBeGreaterThan(falseVerdictChance(rounds, 1));
  },
);
