import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFlaw } from '../../../src/aggregate/claims/judging/soundness.ts';
import { percentileCurve } from '../../../src/aggregate/report/html/sections/latency.ts';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import { maxResponse, p99 as p99Measure, p99OfStart } from '../../../src/aggregate/stats/measures.ts';
import { metrics, pooledTails } from '../../../src/aggregate/stats/metrics.ts';
import { RoundSeries } from '../../../src/aggregate/stats/round-series.ts';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import { summarise, withPooledTails } from '../../../src/aggregate/stats/summary.ts';
import {
  caveatOf,
  caveatOfStage,
  cyclesBeyond,
  endsOfMedian,
  isLowerBound,
  type JudgedFigure,
  lostLaterRatio,
  quantileOfRuns,
} from '../../../src/aggregate/stats/tails.ts';
import { latencyWarnings } from '../../../src/aggregate/stats/warnings.ts';
import { encodeHistogram } from '../../support/encoded-histogram.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { buildLatency, buildRound, buildScenario } from '../../support/result-builder.ts';

const p99 = metrics['response.p99'];
const p999 = metrics['response.p999'];

/** A closed loop in whose rounds each of its workers made so many cycles. */
function cycling(cycles: readonly number[], { workers = 100, pipeline = 1 } = {}) {
  const rounds = cycles.map((each, index) => buildRound(index, each * workers * pipeline));
  return buildScenario({ workers, pipeline }, rounds);
}

test('a p99 of a closed loop rests on a hundredth of the cycles of a worker, in single commands and in batches', () => {
  for (const pipeline of [1, 50])
    expect(cyclesBeyond('p99', cycling([400, 600, 500], { pipeline }))).toBeCloseTo(5);
  expect(cyclesBeyond('p999', cycling([5000]))).toBeCloseTo(5);
  expect(cyclesBeyond('p50', cycling([10]))).toBeCloseTo(5);
  expect(cyclesBeyond('mean', cycling([10]))).toBeNull();
});

test('under 5 of them it is practically the worst stall; pooled, the rounds add up', () => {
  expect(caveatOf(p99, cycling([500, 500]))).toBeNull();
  expect(caveatOf(p99, cycling([490, 490]))).toBe('worst stall');
  expect(caveatOf(p999, cycling([500, 500]))).toBe('worst stall');
  expect(caveatOf(metrics['response.p50'], cycling([490]))).toBeNull();
  expect(caveatOf(pooledTails.responseP99, cycling([250, 250]))).toBeNull();
  expect(caveatOf(pooledTails.responseP99, cycling([240, 240]))).toBe('worst stall');
});

test('throughput, a mean, an open loop and a scenario without a round have no worst stall', () => {
  const few = cycling([10]);
  for (const metric of [metrics.opsPerSecond, metrics['response.mean'], metrics.failedShare])
    expect(caveatOf(metric, few)).toBeNull();
  expect(caveatOf(p99, buildOpenScenario(100, [1, 1]))).toBeNull();
  expect(caveatOf(p99, cycling([]))).toBeNull();
});

const beyond = (count: number) => ({
  mean: count,
  p50: count,
  p90: count,
  p95: count,
  p99: count,
  p999: count,
});

/** 10,000 operations that were due, of which some failed after a longer wait than every percentile. */
function losing(later: number, changes: Partial<RoundResult> = {}): RoundResult {
  return buildRound(1, 10_000 - later, {
    issued: 10_000,
    failed: { ECONNRESET: later },
    failedLater: { service: beyond(later), response: beyond(later) },
    ...changes,
  });
}

test('operations that failed after a longer wait make a percentile a lower bound, whatever their code, in both loops', () => {
  const closed = buildScenario({ workers: 1 }, [losing(410)]);
  expect(caveatOf(p99, closed)).toBe('lower bound');
  const { failed, failedLater } = losing(410);
  const open = buildOpenScenario(10_000, [1], { round: { failed, ...(failedLater && { failedLater }) } });
  expect(caveatOf(p99, open)).toBe('lower bound');
});

test('a lower bound that is also the worst stall is said to be both, and decides no claim', () => {
  const rounds = [1, 2, 3, 4, 5, 6].map(round => buildRound(round, 40_000, { unfinished: 20 }));
  const both = buildScenario({ workers: 100 }, rounds);
  expect(caveatOf(p99, both)).toBe('lower bound of the worst stall');
  const series = new RoundSeries(
    rounds.map(({ round, response }) => [round, response.p99]),
    fixedRounds(6),
  );
  const flawOf = (workers: number) =>
    findFlaw([{ arms: [{ ...both, workers }], series, measure: p99Measure }]);
  expect(flawOf(100)).toMatch(/worst stall/);
  expect(flawOf(10)).toBeNull();
});

test('a median over the rounds can be as high as it is with the lower bounds among them infinite', () => {
  const endsOf = (values: readonly number[], bounds: readonly number[]) =>
    endsOfMedian(
      values,
      value => value,
      value => bounds.includes(value),
    );
  expect(endsOf([5, 1, 4, 2, 3], [])).toEqual({ low: 3, high: 3 });
  expect(endsOf([5, 1, 4, 2, 3], [5, 4])).toEqual({ low: 3, high: 3 });
  expect(endsOf([5, 1, 4, 2, 3], [1, 2])).toEqual({ low: 3, high: 5 });
  expect(endsOf([5, 1, 4, 2, 3], [1, 2, 3])).toEqual({ low: 3, high: Number.POSITIVE_INFINITY });
  expect(endsOf([], [])).toBeNull();
});

test('the highest median is that of every way to raise the lower bounds, and no higher', () => {
  const round = fc.record({ value: fc.nat(100), raise: fc.nat(200), isBound: fc.boolean() });
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 12 }), rounds => {
      const ends = endsOfMedian(
        rounds,
        ({ value }) => value,
        ({ isBound }) => isBound,
      );
      const raised = rounds.map(({ value, raise, isBound }) => (isBound ? value + raise : value));
      const truth = endsOfMedian(
        raised,
        value => value,
        () => false,
      );
      expect(truth?.low).toBeGreaterThanOrEqual(ends?.low ?? Number.NaN);
      expect(truth?.low).toBeLessThanOrEqual(ends?.high ?? Number.NaN);
    }),
  );
});

test('a round in which nothing completed can make a median higher, although it has no latency', () => {
  const silent = buildRound(9, 0, { issued: 100, unfinished: 100 });
  const rounds = [1, 2, 3].map(ms => buildRound(ms, 1000, { response: buildLatency(1000, ms) }));
  expect(caveatOf(p99, buildScenario({ workers: 1 }, rounds))).toBeNull();
  expect(caveatOf(p99, buildScenario({ workers: 1 }, [...rounds, silent]))).toBe('lower bound');
});

test('a single lost operation can be the max, unless it failed at once or ended with a deliberate cut', () => {
  const max = (round: RoundResult) => maxResponse.isLowerBound?.([round]);
  expect(max(losing(0))).toBe(false);
  expect(max(losing(1))).toBe(true);
  expect(max(losing(1, { failedLater: { service: beyond(0), response: beyond(0) } }))).toBe(false);
  expect(max(losing(1, { cuts: 1 }))).toBe(false);
  expect(max(losing(0, { unfinished: 1 }))).toBe(true);
});

test('the p99 of a cold start is a lower bound as any other p99, and may be the worst stall', () => {
  expect([losing(1), losing(2)].map(round => p99OfStart.isLowerBound?.([round]))).toEqual([false, true]);
  expect(p99OfStart.isWorstStall).toBeUndefined();
});

test('a percentile of a stage is a lower bound if half of its rounds lost operations, however few those had', () => {
  const stage = (offered: number, lost: number) => ({ offered, completed: offered - lost, p50: 1, p99: 2 });
  const few = stage(50, 1);
  const many = stage(20_000, 0);
  expect(caveatOfStage('p99', [many, many, few])).toBeNull();
  expect(caveatOfStage('p99', [many, many, few, few])).toBe('lower bound');
});

test('a run is warned of a lower bound, unless nothing completed that has a p99', () => {
  const warningsOf = (...rounds: RoundResult[]) => latencyWarnings([buildScenario({ workers: 1 }, rounds)]);
  expect(warningsOf(losing(10_000), losing(10_000))).toEqual([]);
  expect(warningsOf(losing(10_000), losing(0))).toHaveLength(1);
  // So few that one decimal would show none.
  expect(warningsOf(losing(2))).toEqual([expect.stringContaining('(0.02 %)')]);
});

test('messages that never arrived make the time of deliveries a lower bound', () => {
  const delivering = (lost: number) => {
    const arrived = {
      expected: 10_000,
      received: 10_000 - lost,
      lost,
      latency: buildLatency(10_000 - lost, 1),
    };
    const deliveries = { subscribers: 1, closed: 0, ...arrived };
    return buildScenario({ workers: 1 }, [buildRound(1, 10_000, { deliveries })]);
  };
  expect(caveatOf(metrics['delivery.p99'], delivering(1))).toBeNull();
  expect(caveatOf(metrics['delivery.p99'], delivering(2))).toBe('lower bound');
  expect(caveatOf(metrics['delivery.p50'], delivering(40))).toBeNull();
});

test('what was refused at once, or is too little to move the percentile, does not', () => {
  const refused = losing(410, { failedLater: { service: beyond(0), response: beyond(0) } });
  expect(isLowerBound(p99, [refused])).toBe(false);
  expect(isLowerBound(p99, [losing(1)])).toBe(false);
  expect(isLowerBound(p99, [losing(2)])).toBe(true);
  expect(isLowerBound(p999, [losing(1)])).toBe(true);
  expect(isLowerBound(metrics['response.p50'], [losing(40)])).toBe(false);
  expect(isLowerBound(metrics['response.p50'], [losing(60)])).toBe(true);
});

test('the one operation that each deliberate cut may end is not among them', () => {
  expect(isLowerBound(p99, [losing(20, { cuts: 20 })])).toBe(false);
  expect(isLowerBound(p99, [losing(25, { cuts: 20 })])).toBe(true);
});

test('results before 0.6 have the count of those that ran out of time', () => {
  const { failedLater, ...before } = losing(30);
  expect(lostLaterRatio(p99.latency, [before])).toBe(0);
  expect(lostLaterRatio(p99.latency, [{ ...before, failed: { TIMEOUT: 30 } }])).toBe(0.003);
});

test('a lower bound stays one with every further operation that is lost', () => {
  const count = fc.nat(300);
  fc.assert(
    fc.property(
      count,
      count,
      count,
      fc.constantFrom(...Object.values(metrics)),
      (later, unfinished, more, metric) => {
        const source = (round: RoundResult) => buildScenario({ workers: 1 }, [round]);
        const caveat = caveatOf(metric, source(losing(later, { unfinished })));
        if (caveat !== 'lower bound') return;
        expect(caveatOf(metric, source(losing(later + more, { unfinished })))).toBe(caveat);
        expect(caveatOf(metric, source(losing(later, { unfinished: unfinished + more })))).toBe(caveat);
      },
    ),
  );
});

test('a pooled tail has the round that the median of the rounds does not see', () => {
  const quiet = Array.from({ length: 1000 }, () => 1);
  const stalled = [...quiet.slice(50), ...Array.from({ length: 50 }, () => 300)];
  const rounds = [quiet, quiet, stalled].map((ms, index) => {
    const encoded = encodeHistogram(ms);
    return buildRound(index, 1000, { histograms: { service: encoded, response: encoded } });
  });
  const summary = withPooledTails(summarise(rounds), rounds);
  expect(summary?.pooledResponseP99).toBeCloseTo(300, 0);
  expect(summary?.pooledServiceP99).toBeCloseTo(300, 0);
  const curve = percentileCurve(rounds.map(({ histograms }) => histograms.response));
  expect(curve?.points.find(({ percentile }) => percentile === 99)?.ms).toBe(summary?.pooledResponseP99);
});

test('while a run lasts, and where nothing completed, there are none', () => {
  const rounds = [buildRound(1, 0)];
  expect(summarise(rounds)).not.toHaveProperty('pooledResponseP99');
  expect(withPooledTails(summarise(rounds), rounds)).toMatchObject({ pooledResponseP99: null });
  expect(withPooledTails(null, [])).toBeNull();
});

test('a quantile of several runs has the caveats of the runs that it is made of, and is a lower bound if a run with one can raise it', () => {
  const run = (median: number, change: Partial<JudgedFigure> = {}): JudgedFigure => ({
    ...{ median, canBeHigher: false, isWorstStall: false },
    ...change,
  });
  const at = (runs: readonly JudgedFigure[]) => [0, 0.5, 1].map(q => quantileOfRuns(runs, q));
  const exact = { caveat: null };
  expect(at([run(3), run(1), run(2)])).toEqual([1, 2, 3].map(value => ({ value, ...exact })));
  const bound = { canBeHigher: true };
  // The true highest may be that of the run in the middle.
  expect(at([run(1), run(2, bound), run(3)])).toMatchObject([
    exact,
    { value: 2, caveat: 'lower bound' },
    { value: 3, caveat: 'lower bound' },
  ]);
  expect(at([run(1), run(1), run(1, bound)])).toMatchObject([exact, exact, { caveat: 'lower bound' }]);
  const stall = { isWorstStall: true };
  expect(at([run(1, stall), run(2), run(3), run(4, { ...stall, ...bound })])).toMatchObject([
    { caveat: 'worst stall' },
    { value: 2.5, caveat: null },
    { caveat: 'lower bound of the worst stall' },
  ]);
  expect(at([run(1), run(2, stall)])[1]).toEqual({ value: 1.5, caveat: 'worst stall' });
});
