import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexedRecords, IndexOrder } from '../src/workers/workload/records.ts';
import { chiSquaredDeviation } from './support/goodness-of-fit.ts';

test('every record has a score of its own, and together they have no gaps', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), keys => {
      const order = new IndexOrder(keys);
      const scores = Array.from({ length: 2 * keys }, (_, record) => order.scoreOf(record));
      expect(scores.toSorted((a, b) => a - b)).toEqual(scores.map((_, score) => score));
    }),
    { numRuns: 50 },
  );
});

test('scores stay whole with as many records as there can be', () => {
  const order = new IndexOrder(50_000_000);
  for (const record of [0, 1, 2, 99_999_998, 99_999_999]) {
    const exact = (BigInt(record) * BigInt(order.scoreOf(1))) % 100_000_000n;
    expect(order.scoreOf(record)).toBe(Number(exact));
  }
});

test('inserted records come to lie between those that were there before, everywhere', () => {
  const keys = 1000;
  const order = new IndexOrder(keys);
  const inserted = new Array<number>(20).fill(0);
  for (let record = keys; record < 1.5 * keys; record++) {
    const part = Math.floor(order.scoreOf(record) / 100);
    inserted[part] = (inserted[part] ?? 0) + 1;
  }
  // 500 over 20 parts.
  for (const count of inserted) expect(Math.abs(count - 25)).toBeLessThanOrEqual(3);
});

test('scans begin at records of before the load, zipfian: chi-squared', () => {
  const keys = 1000;
  const order = new IndexOrder(keys);
  const recordOf = new Map(Array.from({ length: keys }, (_, record) => [order.scoreOf(record), record]));
  const records = new IndexedRecords({ firstKey: 400, keys: 100 }, keys, 0.99, 5);
  const times = 100_000;
  const counts = new Array<number>(keys).fill(0);
  for (let i = 0; i < times; i++) {
    const record = recordOf.get(records.choose()) ?? Number.NaN;
    counts[record] = (counts[record] ?? 0) + 1;
  }
  const weights = counts.map((_, rank) => (rank + 1) ** -0.99);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const expected = weights.map(weight => (weight / sum) * times);
  expect(Math.abs(chiSquaredDeviation(counts, expected))).toBeLessThan(4);
});

test('pools insert records of their own, and where there is no room left the first ones again', () => {
  const keys = 10;
  const order = new IndexOrder(keys);
  const drawn = [
    { firstKey: 0, keys: 4 },
    { firstKey: 4, keys: 6 },
  ].map(own => {
    const records = new IndexedRecords(own, keys, 0.99, 1);
    const added = Array.from({ length: own.keys + 2 }, () => records.add());
    expect(added.slice(own.keys)).toEqual(added.slice(0, 2));
    expect(records.added).toBe(own.keys + 2);
    return added.slice(0, own.keys);
  });
  const room = Array.from({ length: keys }, (_, index) => order.scoreOf(keys + index));
  expect(drawn.flat()).toEqual(room);
});
