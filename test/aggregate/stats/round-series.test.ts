import { describe, expect, test } from 'vitest';
import { pairedRatio } from '../../../src/aggregate/stats/paired-ratio.ts';
import { RoundSeries } from '../../../src/aggregate/stats/round-series.ts';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';

const range = { atLeast: 10, atMost: 50 };
const seriesOf = (values: readonly number[], planned = range) =>
  new RoundSeries(
    values.map((value, index) => [index + 1, value]),
    planned,
  );
const rounds = (count: number, figure: (index: number) => number = () => 1) =>
  Array.from({ length: count }, (_, index) => figure(index));

describe('what counts of a series', () => {
  test('are the rounds up to the last look; all of a fixed number, and none before the first look', () => {
    const counted = [9, 10, 18, 20].map(count => seriesOf(rounds(count)).roundsCounted);
    expect(counted).toEqual([0, 10, 16, 20]);
    expect(seriesOf(rounds(18), fixedRounds(50)).roundsCounted).toBe(18);
  });

  test('p is that of the same rounds', () => {
    const other = seriesOf(rounds(18, index => (index < 16 ? 1.1 + index / 100 : 0.01)));
    const { p } = pairedRatio(seriesOf(rounds(18)), other);
    expect(p).toBe(2 / 2 ** 16);
  });
});

test('an interval of several series does not depend on their order: fixed if one of them is', () => {
  const values = rounds(18, index => 0.9 + ((index * 7) % 18) / 40);
  const [ranged, fixed] = [seriesOf(values), seriesOf(values, fixedRounds(10))];
  const combined = [RoundSeries.combine([ranged, fixed]), RoundSeries.combine([fixed, ranged])];
  expect(combined[0]?.interval()).toEqual(combined[1]?.interval());
  expect(combined.map(({ roundsCounted }) => roundsCounted)).toEqual([18, 18]);
  const ratios = [ranged.over(fixed), fixed.over(ranged)];
  expect(ratios.map(({ roundsCounted }) => roundsCounted)).toEqual([18, 18]);
  expect(RoundSeries.combine([ranged, ranged]).roundsCounted).toBe(16);
});

describe('figures that are only lower bounds', () => {
  const exact = seriesOf(rounds(10, () => 1));
  const bounded = new RoundSeries(
    rounds(10, () => 2).map((value, index) => [index + 1, value]),
    range,
    new Map(rounds(10, index => index + 1).map(round => [round, { low: 2, high: Number.POSITIVE_INFINITY }])),
  );

  test('leave a ratio open on the side on which the true one may lie, and bound the other side', () => {
    expect(bounded.over(exact).interval()).toEqual({ median: 2, low: 2, high: Number.POSITIVE_INFINITY });
    expect(exact.over(bounded).interval()).toEqual({ median: 0.5, low: 0, high: 0.5 });
    expect(bounded.minus(exact).interval()).toEqual({ median: 1, low: 1, high: Number.POSITIVE_INFINITY });
    expect(bounded.over(bounded).interval()).toEqual({ median: 1, low: 0, high: Number.POSITIVE_INFINITY });
  });

  test('do the same in a mean of several, and in a ratio of ratios', () => {
    const ratio = bounded.over(exact);
    expect(RoundSeries.combine([ratio, exact]).interval()).toMatchObject({
      low: expect.closeTo(Math.SQRT2),
      high: Number.POSITIVE_INFINITY,
    });
    expect(exact.over(ratio).interval()).toMatchObject({ low: 0, high: 0.5 });
  });
});
