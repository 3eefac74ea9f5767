import { expect, test } from 'vitest';
import { LatestRecords } from '../src/workers/workload/records.ts';
import { chiSquaredDeviation } from './support/goodness-of-fit.ts';

const exponent = 0.99;

/** The pool's own keys are 100 and on, those that it inserts 5000 and on. */
function open(keys: number, seed = 3): LatestRecords {
  return new LatestRecords({ firstKey: 100, keys }, 5000, exponent, seed);
}

function choose(records: LatestRecords, times: number): number[] {
  return Array.from({ length: times }, () => records.choose());
}

test('the r-th newest is read in proportion to 1 / r^0.99, of all that there are: chi-squared', () => {
  const records = open(1000);
  for (let insert = 0; insert < 300; insert++) records.settle(records.add());
  const counts = new Array<number>(1300).fill(0);
  const times = 100_000;
  for (const key of choose(records, times)) {
    // Newest first: 5299 … 5000, 1099 … 100.
    const rank = key >= 5000 ? 5299 - key : 300 + 1099 - key;
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  expect(counts.length).toBe(1300);
  const weights = counts.map((_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const expected = weights.map(weight => (weight / sum) * times);
  expect(Math.abs(chiSquaredDeviation(counts, expected))).toBeLessThan(4);
});

test('an insert is read when it has its outcome, and all before it have', () => {
  const records = open(10);
  const inserted = [records.add(), records.add(), records.add()];
  expect(inserted).toEqual([5000, 5001, 5002]);
  const read = () => new Set(choose(records, 2000).filter(key => key >= 5000));
  expect(read()).toEqual(new Set());
  records.settle(5001);
  expect(read()).toEqual(new Set());
  records.settle(5000);
  expect(read()).toEqual(new Set([5000, 5001]));
  records.settle(5002);
  expect(read()).toEqual(new Set(inserted));
});

test('where there is no room left the oldest record is overwritten, again and again', () => {
  const records = open(3);
  const inserted = Array.from({ length: 14 }, () => {
    const key = records.add();
    records.settle(key);
    return key;
  });
  expect(inserted).toEqual([5000, 5001, 5002, 100, 101, 102, 5000, 5001, 5002, 100, 101, 102, 5000, 5001]);
  expect(records.added).toBe(14);
  const drawn = choose(records, 6000);
  expect(new Set(drawn)).toEqual(new Set([100, 101, 102, 5000, 5001, 5002]));
  const most = [...new Set(drawn)].toSorted(
    (a, b) => drawn.filter(key => key === b).length - drawn.filter(key => key === a).length,
  );
  expect(most.slice(0, 2)).toEqual([5001, 5000]);
});

test('an insert that never has an outcome does not hold up the others for ever', () => {
  const records = open(3);
  records.add();
  for (let insert = 0; insert < 6; insert++) records.settle(records.add());
  expect(choose(records, 2000)).toContain(5001);
});
