import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RoundResult } from '../../src/aggregate/result.ts';
import {
  describeKnee,
  kneeRates,
  maxSteps,
  type SearchRange,
  type TriedRate,
} from '../../src/aggregate/search/knee.ts';
import type { SearchStep } from '../../src/aggregate/search/schema.ts';
import { describeStep, passes } from '../../src/aggregate/search/step.ts';
import { describeStepLine } from '../../src/aggregate/search/words.ts';
import { seededRandom } from '../../src/aggregate/stats/statistics.ts';
import { KneeSearch } from '../../src/main/run/search/run-search.ts';
import { onTerminal } from '../support/documents.ts';
import { createHistogram, encodeHistogram } from '../support/library-histogram.ts';
import { logRatiosBesideOtherWork, logRatiosOnAQuietMachine } from '../support/measured-noise.ts';
import { buildLatency, buildRound } from '../support/result-builder.ts';
import { buildSearch } from '../support/search-builder.ts';

describe('the knee of a noisy server', () => {
  const random = seededRandom(3);

  /** Draws from measured log ratios of two equal arms, in any order; the noise of one arm is smaller than that. */
  const noiseOf = (measured: readonly number[]) => () =>
    (measured[Math.floor(random() * measured.length)] ?? Number.NaN) * (random() < 0.5 ? -1 : 1);
  const quiet = noiseOf(logRatiosOnAQuietMachine);
  const besideOtherWork = noiseOf(logRatiosBesideOtherWork.flat());
  const none = () => 0;

  const usual: SearchRange = { start: 1000, lowest: 100, highest: 10_000_000, precision: 0.05 };

  /** Searches a server that keeps a rate as long as it is not above its capacity of the moment. */
  function search(capacityOf: (repeats: number) => number, range: SearchRange = usual) {
    const tried: TriedRate[] = [];
    let repeats = 0;
    const knee = new KneeSearch(range);
    for (let next = knee.next; next !== null; next = knee.next) {
      const step = knee.add(next.rate <= capacityOf(repeats++));
      if (step !== null) tried.push(step);
    }
    return { tried, repeats, ...kneeRates(tried) };
  }

  test.each([
    ['on a quiet machine', quiet, { within: 0.98, covered: 0.98, repeats: 75 }],
    ['beside other work', besideOtherWork, { within: 0.95, covered: 0.97, repeats: 97 }],
  ])(
    'with the noise measured %s the knee is found within 5 %, and its interval holds it',
    (_, noise, limits) => {
      const runs = 300;
      let within = 0;
      let covered = 0;
      let repeats = 0;
      for (let run = 0; run < runs; run++) {
        const capacity = 500 * Math.exp(7 * random());
        const found = search(() => capacity * Math.exp(noise()));
        if (Math.abs((found.rate ?? 0) / capacity - 1) <= 0.05) within++;
        if ((found.low ?? capacity) <= capacity && capacity <= (found.high ?? 0)) covered++;
        repeats += found.repeats;
        expect(found.tried.length).toBeLessThan(maxSteps);
      }
      expect(within / runs).toBeGreaterThanOrEqual(limits.within);
      expect(covered / runs).toBeGreaterThanOrEqual(limits.covered);
      // What docs/method.md says of how long a search takes.
      expect(repeats / runs).toBeLessThanOrEqual(limits.repeats);
    },
  );

  test('without noise the interval is as narrow as asked, wherever the knee and the start are', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 100, max: 9e6, noNaN: true }),
        fc.double({ min: 100, max: 1e6, noNaN: true }),
        fc.constantFrom(0.005, 0.05, 0.5),
        (capacity, start, precision) => {
          const range = { ...usual, start, precision };
          const { tried, low, high, rate } = search(() => capacity, range);
          // Nearly: rates have four digits.
          expect((high ?? Number.NaN) / (low ?? Number.NaN)).toBeLessThanOrEqual(1 + precision + 2e-3);
          expect(low).toBeLessThanOrEqual(capacity);
          expect(high).toBeGreaterThan(capacity);
          expect(rate).toBeGreaterThanOrEqual(low ?? Number.NaN);
          expect(rate).toBeLessThanOrEqual(high ?? Number.NaN);
          // Both ends have been tried twice, and nothing was tried beyond what had already failed or passed.
          for (const end of [low, high]) expect(tried.filter(one => one.rate === end)).toHaveLength(2);
          for (const [index, one] of tried.entries()) {
            const earlier = tried.slice(0, index);
            expect(earlier.some(({ rate, verdict }) => verdict === 'fail' && rate < one.rate)).toBe(false);
            expect(earlier.some(({ rate, verdict }) => verdict === 'pass' && rate > one.rate)).toBe(false);
            expect(one.rate).toBeGreaterThanOrEqual(range.lowest);
            expect(one.rate).toBeLessThanOrEqual(range.highest);
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test('the first rates are the start, then twice or half of it until one fails or passes', () => {
    const rates = ({ tried }: { tried: readonly TriedRate[] }) => tried.map(({ rate }) => rate);
    expect(rates(search(() => 5000)).slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 5657, 4757]);
    expect(rates(search(() => 300)).slice(0, 5)).toEqual([1000, 500, 250, 353.6, 297.3]);
  });

  test('a neighbour that spoils a whole step does not hide what is above', () => {
    // The third step, at 4000, fails throughout; its verdict falls where it is tried again.
    const spoilt = (repeats: number) => (repeats >= 8 && repeats < 12 ? 1 : 50_000);
    const { low, high, tried } = search(spoilt);
    expect(tried[2]).toEqual({ rate: 4000, verdict: 'fail' });
    expect(low).toBeLessThanOrEqual(50_000);
    expect(high).toBeGreaterThan(50_000);
    expect((high ?? 0) / (low ?? 1)).toBeLessThan(1.06);
  });

  test('no rate that is kept: there is no knee, and the search ends at the lowest rate', () => {
    const { tried, rate, low, high } = search(() => 1);
    expect({ rate, low, high }).toEqual({ rate: null, low: null, high: 100 });
    expect(tried.map(one => one.rate)).toEqual([1000, 500, 250, 125, 100, 100]);
  });

  test('every rate is kept: the highest is a lower bound', () => {
    const { tried, rate, low, high } = search(() => 1e9, { ...usual, highest: 3000 });
    expect({ rate, low, high }).toEqual({ rate: 3000, low: 3000, high: null });
    expect(tried.map(one => one.rate)).toEqual([1000, 2000, 3000, 3000]);
  });

  test('a server that is all chance ends the search all the same', () => {
    for (let run = 0; run < 200; run++) {
      const { tried, repeats } = search(() => (random() < 0.5 ? 0 : 1e9));
      expect(tried.length).toBeLessThanOrEqual(maxSteps);
      expect(repeats).toBeLessThanOrEqual(maxSteps * 12);
    }
  });

  test('without noise four repeats are enough for a step', () => {
    const { tried, repeats } = search(none);
    expect(repeats).toBe(4 * tried.length);
  });

  test('repeats are counted in every step anew', () => {
    const knee = new KneeSearch(usual);
    expect(knee.next).toEqual({ rate: 1000, step: 1, repeat: 1 });
    expect([knee.add(true), knee.add(true), knee.add(true)]).toEqual([null, null, null]);
    expect(knee.next).toEqual({ rate: 1000, step: 1, repeat: 4 });
    expect(knee.add(true)).toEqual({ rate: 1000, verdict: 'pass' });
    expect(knee.next).toEqual({ rate: 2000, step: 2, repeat: 1 });
  });
});

describe('what limits a search', () => {
  const conditions = { responseP99Ms: 5, completedShare: 0.99, failedShare: 0.001 };

  /** A repeat at 1000/s, of one second; p99 is 2.5 ms unless told. */
  function repeat({ completed = 1000, failed = 0, p99 = 2.5, slow = 15, lagMs = 0.1 } = {}): RoundResult {
    const sent = completed + failed;
    const loop = {
      rate: 1000,
      offered: 1000,
      sent,
      completed,
      shortfall: 1000 - completed,
      unsent: 1000 - sent,
    };
    const lag = { ...buildLatency(completed, 0.01), p99: lagMs };
    return buildRound(1, completed, {
      issued: sent,
      failed: failed === 0 ? {} : { OOM: failed },
      response: { ...buildLatency(completed, 1), p99 },
      histograms: { service: '', response: encodedResponse(completed - slow, p99, slow) },
      openLoop: { ...loop, largestBacklog: 0, oldestUnsentMs: 0, lag, lagHistogram: '', spinShare: 0 },
    });
  }

  /** Of so many quick replies, and so many that took `slowMs`. */
  function encodedResponse(quick: number, slowMs: number, slow: number): string {
    const histogram = createHistogram(3);
    if (quick > 0) histogram.recordValueWithCount(1e6, quick);
    if (slow > 0) histogram.recordValueWithCount(slowMs * 1e6, slow);
    const encoded = encodeHistogram(histogram);
    histogram.destroy();
    return encoded;
  }

  test.each([
    ['all is well', repeat(), true],
    ['at the limits', repeat({ completed: 990, failed: 0, p99: 4.99 }), true],
    ['a slow p99', repeat({ p99: 5.01 }), false],
    ['too much unsent', repeat({ completed: 989 }), false],
    ['one failure of a thousand', repeat({ completed: 999, failed: 1 }), true],
    ['two failures', repeat({ completed: 998, failed: 2 }), false],
    ['nothing at all', repeat({ completed: 0 }), false],
  ])('%s: a repeat passes: %s', (_, round, passed) => {
    expect(passes(round, conditions)).toBe(passed);
  });

  test('what did not complete counts as slower than all that did', () => {
    // The p99 of what completed is 1 ms; of what was due, one in a hundred took 100 ms or had no end.
    const missing = { ...repeat({ completed: 995, p99: 100, slow: 6 }), response: buildLatency(995, 0.4) };
    expect(missing.response.p99).toBe(1);
    expect(passes(missing, conditions)).toBe(false);
    expect(passes({ ...missing, ...repeat({ completed: 995, p99: 100, slow: 4 }) }, conditions)).toBe(true);
  });

  test('with more than 1 % missing there is no p99, whatever share may be missing', () => {
    const lenient = { ...conditions, completedShare: 0.5 };
    expect(passes(repeat({ completed: 990 }), lenient)).toBe(true);
    expect(passes(repeat({ completed: 980 }), lenient)).toBe(false);
    expect(passes(repeat({ completed: 980 }), { ...lenient, responseP99Ms: null })).toBe(true);
  });

  const machine = { cores: 8, local: false, serverThreads: 1 };
  const stepOf = (
    step: number,
    rate: number,
    verdict: SearchStep['verdict'],
    rounds: readonly RoundResult[],
  ) => describeStep({ step, rate, verdict }, rounds, conditions, machine);

  test('a step has a verdict on every condition, clear if three more repeats are on one side', () => {
    const slow = repeat({ p99: 8 });
    const step = stepOf(7, 2010, 'unclear', [slow, repeat(), slow, repeat(), slow, repeat(), slow, repeat()]);
    expect(step.conditions).toMatchObject([
      { name: 'responseP99Ms', median: 5.25, limit: 5, met: 4, verdict: 'unclear' },
      { name: 'completedShare', median: 1, limit: 0.99, met: 8, verdict: 'pass' },
      { name: 'failedShare', median: 0, limit: 0.001, met: 8, verdict: 'pass' },
    ]);
    expect(describeStepLine(step)).toMatch(
      /^step 7: 2,010\/s UNCLEAR \(4 of 8 .* 5\.25 ms, .* 5\.00 ms UNCLEAR; .* 99 % PASS; .* 0\.1 % PASS$/,
    );
  });

  test('a repeat without a p99 counts as the slowest in the median of a step', () => {
    const lossy = repeat({ completed: 900 });
    const p99Of = (...rounds: RoundResult[]) => stepOf(1, 1000, 'fail', rounds).conditions[0]?.median;
    expect(p99Of(repeat({ p99: 8 }), repeat({ p99: 6 }), repeat({ p99: 9 }), lossy)).toBe(8.5);
    expect(p99Of(repeat({ p99: 8 }), lossy, lossy, repeat({ p99: 9 }))).toBeNull();
    expect(p99Of(repeat({ p99: 8 }), lossy, lossy, lossy)).toBeNull();
    const shown = (...rounds: RoundResult[]) =>
      onTerminal.search(buildSearch({ steps: [stepOf(1, 1000, 'fail', rounds)] }));
    expect(shown(repeat({ p99: 8 }), lossy, lossy, lossy)).toMatch(/0 of 4 +–.*\n– as p99: /s);
    expect(shown(repeat({ p99: 8 }), lossy)).not.toMatch(/8\.00/);
    expect(shown(repeat({ p99: 8 }))).not.toMatch(/as p99/);
  });

  const good = stepOf(1, 1000, 'pass', [repeat(), repeat(), repeat()]);
  const failing = (resource: SearchStep['limitedBy']['resource'], round = repeat({ completed: 900 })) => ({
    ...stepOf(2, 1050, 'fail', [round, round, round]),
    limitedBy: { resource, evidence: 'the evidence' },
  });
  const told = (...steps: SearchStep[]) => describeKnee(steps, { complete: true, precision: 0.05 });

  test('a server that is the limit comes with the evidence', () => {
    expect(told(good, failing('server'))).toEqual({
      rate: 1025,
      low: 1000,
      high: 1050,
      lowerBound: false,
      limitedBy: { resource: 'server', evidence: 'the evidence' },
      gist: expect.stringMatching(/1,025\/s: 1,000\/s .* 1,050\/s .*the server .*: the evidence\.$/),
    });
  });

  test.each([
    ['client', /poolbench itself/],
    ['machine', /machine/],
    ['pool', /connections/],
    ['network', /round trips/],
    ['none', /no resource was found busy/],
    ['unknown', /limit is unknown/],
  ] as const)(
    'if it is %s, the knee is a lower bound and not the capacity of the server',
    (resource, why) => {
      const knee = told(good, failing(resource));
      expect(knee.lowerBound).toBe(true);
      expect(knee.gist).toMatch(why);
      expect(knee.gist).toMatch(/lower bound: .* 1,000\/s\.$/);
    },
  );

  test('a generator that is late by most of the response time is the limit of a failed step, whatever else looks busy: in the table and the sentence alike', () => {
    const busyServer = { serverCores: 1, serverMainThreadCores: 0.99 };
    const failedWith = (lagMs: number, verdict: SearchStep['verdict'] = 'fail') => {
      const round = repeat({ p99: 8, lagMs });
      const busy = {
        ...round,
        cpu: { ...round.cpu, clientCores: 0.5, eventLoopUtilization: [0.5], ...busyServer },
      };
      return stepOf(2, 1050, verdict, [busy, busy, busy]);
    };
    const late = failedWith(4.2);
    expect(late.limitedBy.resource).toBe('client');
    const search = buildSearch({ steps: [good, late], knee: told(good, late) });
    expect(search.knee).toMatchObject({ lowerBound: true, limitedBy: late.limitedBy });
    expect(onTerminal.search(search).match(/4\.20\s+ms\s+late\s+\(p99\)/g)).toHaveLength(1);
    expect(onTerminal.search(search)).toMatch(/1,050\/s +FAIL.* client$/m);
    expect(told(good, failedWith(3.8))).toMatchObject({
      lowerBound: false,
      limitedBy: { resource: 'server' },
    });
    expect(failedWith(4.2, 'pass').limitedBy.resource).toBe('server');
  });

  test('if no rate failed, it is a lower bound', () => {
    expect(told(good)).toMatchObject({ rate: 1000, high: null, lowerBound: true, limitedBy: null });
  });

  test('noise that makes the interval wider than asked is mentioned', () => {
    const unclear = stepOf(3, 1100, 'unclear', []);
    const failed = { ...failing('server'), rate: 1200 };
    expect(told(good, unclear, failed)).toMatchObject({
      rate: 1100,
      gist: expect.stringMatching(/noise.* 1 rate /),
    });
  });
});
