import { expect, test } from 'vitest';
import { mixSeed, Prng } from '../src/workers/prng.ts';

const draws = (seed: number, count: number): number[] => {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => prng.draw());
};

test('many draws at a time are the same numbers', () => {
  const prng = new Prng(1);
  const [many, more] = [new Uint32Array(60), new Uint32Array(40)];
  prng.drawInto(many);
  prng.drawInto(more);
  expect([...many, ...more]).toEqual(draws(1, 100));
});

test('the same seed gives the same numbers, near seeds give unrelated ones', () => {
  expect(draws(1, 100)).toEqual(draws(1, 100));
  const seen = new Set([0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1].flatMap(seed => draws(seed, 100)));
  // 600 draws of 32 bits meet by chance once in 24,000 times.
  expect(seen.size).toBe(600);
});

test('the numbers of a seed stay the same from one version to the next', () => {
  expect(draws(1, 4)).toEqual([1160023669, 2153649776, 1551721634, 4253040563]);
  expect(mixSeed(1, 2, 3)).toBe(310244702);
});

test('draws are whole numbers of 32 bits, every bit set half of the time', () => {
  const count = 20_000;
  const bits = new Array<number>(32).fill(0);
  for (const drawn of draws(5, count)) {
    expect(drawn >>> 0).toBe(drawn);
    for (let bit = 0; bit < 32; bit++) bits[bit] = (bits[bit] ?? 0) + ((drawn >>> bit) & 1);
  }
  // The standard deviation is 71.
  for (const set of bits) expect(Math.abs(set - count / 2)).toBeLessThan(400);
});

test('a mixed seed depends on every part and on their order', () => {
  const parts = [[], [0], [1], [0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [1, 0, 0], [2 ** 32 - 1]];
  expect(new Set(parts.map(numbers => mixSeed(...numbers))).size).toBe(parts.length);
});
