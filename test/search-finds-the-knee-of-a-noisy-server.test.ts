import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kneeRates, maxSteps, type SearchRange, type TriedRate } from '../src/aggregate/search/next-rate.ts';
import { seededRandom } from '../src/aggregate/stats/statistics.ts';
import { KneeSearch } from '../src/main/run/search/knee-search.ts';
import { logRatiosBesideOtherWork, logRatiosOnAQuietMachine } from './support/measured-noise.ts';

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
  ['on a quiet machine', quiet, { within: 0.98, covered: 0.95, repeats: 55 }],
  ['beside other work', besideOtherWork, { within: 0.93, covered: 0.88, repeats: 70 }],
])(
  'with the noise measured %s the knee is found within 5 %, and its interval holds it',
  (_, noise, least) => {
    const runs = 1000;
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
    expect(within / runs).toBeGreaterThanOrEqual(least.within);
    expect(covered / runs).toBeGreaterThanOrEqual(least.covered);
    // What docs/method.md says of how long a search takes.
    expect(repeats / runs).toBeLessThanOrEqual(least.repeats);
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
  const spoilt = (repeats: number) => (repeats >= 6 && repeats < 9 ? 1 : 50_000);
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
    expect(repeats).toBeLessThanOrEqual(maxSteps * 9);
  }
});

test('without noise three repeats are enough for a step', () => {
  const { tried, repeats } = search(none);
  expect(repeats).toBe(3 * tried.length);
});

test('repeats are counted in every step anew', () => {
  const knee = new KneeSearch(usual);
  expect(knee.next).toEqual({ rate: 1000, step: 1, repeat: 1 });
  expect([knee.add(true), knee.add(true)]).toEqual([null, null]);
  expect(knee.next).toEqual({ rate: 1000, step: 1, repeat: 3 });
  expect(knee.add(true)).toEqual({ rate: 1000, verdict: 'pass' });
  expect(knee.next).toEqual({ rate: 2000, step: 2, repeat: 1 });
});
