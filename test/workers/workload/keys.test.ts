import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyChoice } from '../../../src/workers/contract.ts';
import { openKeyChooser } from '../../../src/workers/workload/keys.ts';
import { IndexedRecords, IndexOrder, LatestRecords } from '../../../src/workers/workload/records.ts';
import { chiSquaredDeviation, kolmogorov } from '../../support/goodness-of-fit.ts';

describe('distributions', () => {
  const draws = 100_000;

  function draw(choice: KeyChoice, keys: number, seed: number, count = draws): number[] {
    const chooser = openKeyChooser(choice, { firstKey: 0, keys }, keys, seed);
    const drawn = new Uint32Array(count);
    chooser.drawInto(drawn, count);
    return [...drawn];
  }

  function countsOf(drawn: readonly number[], keys: number): number[] {
    const counts = new Array<number>(keys).fill(0);
    for (const key of drawn) counts[key] = (counts[key] ?? 0) + 1;
    expect(counts.length).toBe(keys);
    return counts;
  }

  /** Expected counts by weights. */
  function expectedOf(keys: number, weight: (key: number) => number): number[] {
    const weights = Array.from({ length: keys }, (_, key) => weight(key));
    const sum = weights.reduce((total, one) => total + one, 0);
    return weights.map(one => (one / sum) * draws);
  }

  const uniform = { kind: 'uniform' } as const;
  const hotSet = { kind: 'hotSet', operationShare: 0.8, keyShare: 0.2 } as const;
  const gaussian = (spread: number) => ({ kind: 'gaussian', spread }) as const;
  const zipfian = (exponent: number) => ({ kind: 'zipfian', exponent }) as const;
  const bell = (keys: number, spread: number) => (key: number) =>
    Math.exp(-(((key - (keys - 1) / 2) / (spread * keys)) ** 2) / 2);

  test.each<[string, KeyChoice, number, (key: number) => number]>([
    ['uniform', uniform, 1000, () => 1],
    ['zipfian 0.99', zipfian(0.99), 5000, key => (key + 1) ** -0.99],
    ['zipfian 0.5', zipfian(0.5), 20_000, key => (key + 1) ** -0.5],
    ['zipfian 1', zipfian(1), 3000, key => 1 / (key + 1)],
    ['zipfian 2', zipfian(2), 3000, key => (key + 1) ** -2],
    ['gaussian over 1000 keys', gaussian(0.1), 1000, bell(1000, 0.1)],
    ['gaussian over 7 keys', gaussian(0.3), 7, bell(7, 0.3)],
    ['gaussian of half a key over 100 keys', gaussian(0.005), 100, bell(100, 0.005)],
    ['gaussian that is cut off', gaussian(0.5), 5001, bell(5001, 0.5)],
    ['hot set', hotSet, 1000, key => (key < 200 ? 0.8 / 200 : 0.2 / 800)],
  ])('%s: chi-squared', (_, choice, keys, weight) => {
    const counts = countsOf(draw(choice, keys, 11), keys);
    expect(Math.abs(chiSquaredDeviation(counts, expectedOf(keys, weight)))).toBeLessThan(4);
  });

  test('the test detects another exponent', () => {
    const counts = countsOf(draw(zipfian(0.99), 5000, 11), 5000);
    const other = expectedOf(5000, key => (key + 1) ** -0.9);
    expect(chiSquaredDeviation(counts, other)).toBeGreaterThan(10);
  });

  test('zipfian over ten million keys: Kolmogorov–Smirnov, with nothing of that length made', () => {
    const keys = 10_000_000;
    const exponent = 0.99;
    // The sum of 1 / r^s up to r: a part of it added up, the rest by Euler and Maclaurin.
    const added = [0];
    for (let rank = 1; rank <= 1000; rank++) added.push((added[rank - 1] as number) + rank ** -exponent);
    const sumTo = (rank: number) => {
      if (rank <= 1000) return added[rank] as number;
      const integral = (rank ** (1 - exponent) - 1000 ** (1 - exponent)) / (1 - exponent);
      return (added[1000] as number) + integral + (rank ** -exponent - 1000 ** -exponent) / 2;
    };
    const all = sumTo(keys);
    const drawn = draw(zipfian(exponent), keys, 5);
    expect(kolmogorov(drawn, key => sumTo(key + 1) / all)).toBeLessThan(1.95);
    // Of some hundred thousand draws a few thousand are of the coldest tenth.
    expect(drawn.filter(key => key >= 9_000_000).length).toBeGreaterThan(300);
  });

  test('gaussian over ten million keys: half of them within 0.6745 of the spread', () => {
    const drawn = draw(gaussian(0.05), 10_000_000, 5);
    const near = drawn.filter(key => Math.abs(key - 5_000_000) < 0.674_49 * 500_000).length;
    // 100,000 draws: a standard deviation of 158.
    expect(Math.abs(near - draws / 2)).toBeLessThan(4 * 158);
  });

  test('sequential keys come one after the other in their own range, again and again', () => {
    const chooser = openKeyChooser({ kind: 'sequential' }, { firstKey: 40, keys: 3 }, 100, 1);
    const drawn = new Uint32Array(7);
    chooser.drawInto(drawn, 5);
    chooser.drawInto(drawn.subarray(5), 2);
    expect([...drawn]).toEqual([40, 41, 42, 40, 41, 42, 40]);
  });

  test.each([uniform, hotSet, gaussian(0.2), zipfian(0.99), { kind: 'partitioned' } as const])(
    '$kind: the same seed draws the same keys, another seed others, and none is out of range',
    choice => {
      for (const keys of [1, 2, 3, 10, 1025, 100_000_000]) {
        const drawn = draw(choice, keys, 3, 500);
        expect(draw(choice, keys, 3, 500)).toEqual(drawn);
        if (keys > 1000) expect(draw(choice, keys, 4, 500)).not.toEqual(drawn);
        expect(drawn.every(key => key >= 0 && key < keys)).toBe(true);
      }
    },
  );
});

describe('latest records', () => {
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
});

describe('indexed records', () => {
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
});
