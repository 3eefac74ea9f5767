import { expect, test } from 'vitest';
import type { KeyChoice } from '../src/workers/contract.ts';
import { openKeyChooser } from '../src/workers/workload/key-choosers.ts';
import { chiSquaredDeviation, kolmogorov } from './support/goodness-of-fit.ts';

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
  ['gaussian that is cut off', gaussian(0.5), 5001, bell(5001, 0.5)],
  ['hot set', hotSet, 1000, key => (key < 200 ? 0.8 / 200 : 0.2 / 800)],
])('%s: chi-squared', (_, choice, keys, weight) => {
  const counts = countsOf(draw(choice, keys, 11), keys);
  expect(Math.abs(chiSquaredDeviation(counts, expectedOf(keys, weight)))).toBeLessThan(4);
});

test('the test tells one exponent from the next', () => {
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
