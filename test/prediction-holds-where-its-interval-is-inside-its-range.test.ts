import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgePredictions } from '../src/aggregate/claims/judging/judge-predictions.ts';
import {
  type Prediction,
  predictFigure,
  predictRatio,
  verdictOf,
} from '../src/aggregate/claims/judging/prediction.ts';
import { sayOutcome } from '../src/aggregate/claims/judging/prediction-words.ts';
import { p99, throughput } from '../src/aggregate/stats/measures.ts';
import { medianInterval } from '../src/aggregate/stats/statistics.ts';
import { describeMeasured } from '../src/aggregate/text/claim-words.ts';
import { formatRate, formatRatio } from '../src/aggregate/text/format.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from './support/result-builder.ts';

const figure = fc.double({ min: 0.1, max: 10, noNaN: true });
const end = fc.option(figure);

function predict(byRound: readonly number[], low: number | null, high: number | null): Prediction {
  return { what: 'x', byRound, range: { low, high }, format: String, arms: [], comparisons: [] };
}

test('inside is supported, outside is refuted, across an end is inconclusive', () => {
  fc.assert(
    fc.property(fc.array(figure, { minLength: 5, maxLength: 12 }), end, end, (byRound, a, b) => {
      const [low, high] = a !== null && b !== null ? [Math.min(a, b), Math.max(a, b)] : [a, b];
      const interval = medianInterval(byRound);
      const inside = (value: number) => value >= (low ?? 0) && value <= (high ?? 100);
      const verdict = verdictOf(predict(byRound, low, high));
      if (verdict === 'supported') expect(inside(interval.low) && inside(interval.high)).toBe(true);
      else if (verdict === 'refuted') {
        expect(inside(interval.low) || inside(interval.high)).toBe(false);
        expect(interval.high < (low ?? 0) || interval.low > (high ?? 100)).toBe(true);
      } else expect(interval.low < interval.high).toBe(true);
    }),
  );
});

test('a larger figure never turns a promised gain from supported', () => {
  fc.assert(
    fc.property(
      fc.array(figure, { minLength: 5, maxLength: 9 }),
      figure,
      fc.double({ min: 1, max: 5, noNaN: true }),
      (byRound, low, factor) => {
        const more = byRound.map(ratio => ratio * factor);
        const rank = { refuted: 0, inconclusive: 1, supported: 2, 'not tested': -1 };
        const before = rank[verdictOf(predict(byRound, low, null))];
        expect(rank[verdictOf(predict(more, low, null))]).toBeGreaterThanOrEqual(before);
      },
    ),
  );
});

test('a part that says the opposite makes it inconclusive, one that is only unclear does not', () => {
  fc.assert(
    fc.property(fc.array(figure, { minLength: 5, maxLength: 9 }), figure, figure, (byRound, low, alone) => {
      const part = { where: 'at 1', byRound: byRound.map(() => alone) };
      const together = predict(byRound, low, null);
      const before = verdictOf(together);
      const partSays = alone >= low ? 'supported' : 'refuted';
      const after = verdictOf({ ...together, parts: [part] });
      expect(after).toBe(before === partSays ? before : 'inconclusive');
    }),
  );
  const unclear = { where: 'at 1', byRound: [1, 2, 1, 2, 1] };
  const clear = predict([2, 2, 2, 2, 2], 1.5, null);
  expect(verdictOf({ ...clear, parts: [unclear] })).toBe('supported');
  expect(verdictOf({ ...clear, parts: [{ ...unclear, byRound: Array(5).fill(1) }] })).toBe('inconclusive');
});

const scenario = buildScenario(
  { id: 'one' },
  Array.from({ length: 6 }, (_, round) =>
    buildRound(round, 50_000 + round, { seconds: round === 5 ? 0.4 : 1, response: buildLatency(1000, 0.2) }),
  ),
);

test('a figure as it is has its unit, and leaves out a round that was cut short', () => {
  const prediction = predictFigure(p99, scenario, 'at 10', { low: null, high: 1 }, ms => `${ms} ms`);
  expect(prediction).toMatchObject({ what: 'at 10: response p99', unit: 'ms', byRound: Array(5).fill(0.5) });
  expect(predictFigure(throughput, scenario, '', { low: 0, high: null }, String).byRound).toHaveLength(5);
});

test('a round that has no such figure is left out, and not taken for a very good one', () => {
  const silent = {
    ...scenario,
    rounds: scenario.rounds.map(round => ({ ...round, response: buildLatency(0, 0) })),
  };
  expect(predictFigure(p99, silent, '', { low: null, high: 1 }, String).byRound).toEqual([]);
});

test('a figure is told with its unit, a ratio with ×', () => {
  const evidence = buildResult([scenario], { claims: [] });
  const ranged = { low: null, high: 1 };
  const inMs = judgePredictions(evidence, {
    needs: 'one',
    predictions: ([one]) =>
      one ? [predictFigure(p99, one, 'at 10', ranged, ms => `${ms.toFixed(2)} ms`)] : [],
  });
  expect(inMs).toMatchObject({ unit: 'ms', measured: 0.5, verdict: 'supported' });
  expect(inMs.reason).toContain(
    'At 10: response p99 0.50 ms [0.50 ms, 0.50 ms]; predicted 1.00 ms or less: holds.',
  );
  const claim = { id: 'C0', statement: 'x', predicted: 'below 1 ms' };
  expect(describeMeasured({ ...claim, ...inMs })).toBe(
    'Predicted: below 1 ms. Measured: 0.500 [0.500, 0.500] ms.',
  );
  const ratio = judgePredictions(evidence, {
    needs: 'one',
    predictions: ([one]) =>
      one ? [predictRatio(throughput, [{ base: one, other: one }], 'to itself', { low: 1, high: 1 })] : [],
  });
  expect(ratio.reason).toContain('To itself: throughput ×1.00 [1.00, 1.00]; predicted ×1.00: holds.');
  expect(describeMeasured({ ...claim, ...ratio })).toContain('Measured: ×1.00 [1.00, 1.00].');
});

/** Two arms at each of two levels, of these throughputs to one another. */
function pairsOf(at100: number, at400: number) {
  return [
    { workers: 100, gain: at100 },
    { workers: 400, gain: at400 },
  ].map(({ workers, gain }) => {
    const arm = (pool: string, rate: number) =>
      buildScenario(
        { id: `${pool}-${workers}`, pool, workers },
        Array.from({ length: 5 }, (_, round) => buildRound(round, rate)),
      );
    return { base: arm('baseline', 10_000), other: arm('optimized', 10_000 * gain) };
  });
}

test('a mean over levels is told as one, and a level that contradicts it by name', () => {
  const judge = (at100: number, at400: number) => {
    const pairs = pairsOf(at100, at400);
    const evidence = buildResult(
      pairs.flatMap(({ base, other }) => [base, other]),
      { claims: [] },
    );
    return judgePredictions(evidence, {
      needs: 'two',
      predictions: () => [predictRatio(throughput, pairs, 'one to another', { low: 1.05, high: null })],
    });
  };
  expect(judge(1.2, 1.1).verdict).toBe('supported');
  expect(judge(1, 1).verdict).toBe('refuted');
  const claim = judge(1.2, 0.8);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain(
    'One to another, 100 and 400 workers on average: throughput ×0.98 [0.98, 0.98]; predicted ×1.05 or more: stays open, as at 100 workers alone it is ×1.20 [1.20, 1.20].',
  );
  expect(judge(1.5, 0.8).reason).toContain('as at 400 workers alone it is ×0.80 [0.80, 0.80].');
});

test('a range with two ends is one prediction, and so one chance for luck', () => {
  const pairs = pairsOf(1, 1);
  const range = { low: 0.95, high: 1.05 };
  const predictions = pairs.map(pair => predictRatio(throughput, [pair], '', range));
  const claim = (made: readonly Prediction[]) =>
    judgePredictions(buildResult([scenario], { claims: [] }), { needs: 'two', predictions: () => made });
  expect(claim(predictions).reason).toContain('If all 2 truths lay exactly on their thresholds');
  expect(claim(predictions).predictions).toBe(2);
  expect(claim(predictions.slice(0, 1)).reason).not.toContain('chance');
  expect(claim(predictions.slice(0, 1)).predictions).toBe(1);
});

test('rounding does not contradict a verdict: what prints alike but differs has more digits', () => {
  const say = (byRound: readonly number[], low: number | null, high: number | null) =>
    sayOutcome({ ...predict(byRound, low, high), format: formatRatio });
  expect(say([1.0497, 1.06, 1.07, 1.07, 1.08], 1.05, null)).toBe(
    'X ×1.07 [1.0497, 1.08]; predicted ×1.05 or more: stays open.',
  );
  expect(say(Array(5).fill(0.951), null, 1 / 1.05)).toBe(
    'X ×0.951 [0.951, 0.951]; predicted ×0.952 or less: holds.',
  );
  expect(say(Array(5).fill(1.05), 1.05, null)).toBe('X ×1.05 [1.05, 1.05]; predicted ×1.05 or more: holds.');
  const rates = { ...predict([50_012, 50_012, 51_000, 51_000, 51_000], 50_000, null), unit: 'ops/s' };
  expect(sayOutcome({ ...rates, format: rate => `${formatRate(rate)} ops/s` })).toBe(
    'X 51000 ops/s [50010 ops/s, 51000 ops/s]; predicted 50000 ops/s or more: holds.',
  );
});

test('a caveat ends the gist, and stands once in the reason', () => {
  const caveat = 'Closed loop only.';
  const [pair] = pairsOf(1.2, 1);
  const claim = judgePredictions(buildResult([scenario], { claims: [] }), {
    needs: 'one',
    predictions: () =>
      pair ? [predictRatio(throughput, [pair], 'one to another', { low: 1.05, high: null })] : [],
    caveat: () => caveat,
    remarks: () => [caveat, 'More.'],
  });
  expect(claim.gist).toBe(
    `One to another: throughput ×1.20 [1.20, 1.20]; predicted ×1.05 or more: holds. ${caveat}`,
  );
  expect(claim.reason.split(caveat)).toHaveLength(2);
});
