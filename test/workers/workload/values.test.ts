import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { sizesOf, valueVariants } from '../../../src/main/experiment/value-variants.ts';
import type { ValueVariant } from '../../../src/workers/contract.ts';
import { randomValue, valueTexts } from '../../../src/workers/workload/values.ts';

const bytesOf = (variants: readonly ValueVariant[]) =>
  variants.map(({ value }) => ('bytes' in value ? value.bytes : value.text.length));

/** The largest distance between the shares of values up to a size and a distribution function, seen at every size. */
function distance(variants: readonly ValueVariant[], distribution: (bytes: number) => number): number {
  const sizes = bytesOf(variants);
  return Math.max(
    ...sizes.map(size =>
      Math.abs(sizes.filter(other => other <= size).length / sizes.length - distribution(size)),
    ),
  );
}

test('a number is one value of that size', () => {
  expect(valueVariants(32)).toEqual([{ weight: 1, value: { bytes: 32 } }]);
});

test('a short range has every size once; a long one is cut into 128 equal parts', () => {
  expect(bytesOf(valueVariants({ kind: 'range', from: 5, to: 9 }))).toEqual([5, 6, 7, 8, 9]);
  const long = valueVariants({ kind: 'range', from: 0, to: 10_000 });
  expect(long.length).toBe(128);
  expect(sizesOf(long).mean).toBeCloseTo(5000, 0);
  // A stratum is 1/128 wide, and its value stands in the middle.
  expect(distance(long, bytes => (bytes + 0.5) / 10_001)).toBeLessThan(1 / 128);
});

test('lognormal sizes have the median and the mean of the distribution', () => {
  const [median, sigma] = [200, 0.8];
  const variants = valueVariants({ kind: 'lognormal', median, sigma, most: 1_048_576 });
  const sizes = bytesOf(variants);
  expect(variants.length).toBe(128);
  expect(Math.abs((sizes[63] ?? 0) - median)).toBeLessThan(0.03 * median);
  const mean = median * Math.exp(sigma ** 2 / 2);
  expect(Math.abs(sizesOf(variants).mean - mean)).toBeLessThan(0.01 * mean);
  // One standard deviation above: Φ(1) = 0.8413; two: 0.9772.
  const above = (deviations: number) =>
    sizes.filter(size => size <= median * Math.exp(sigma * deviations)).length / 128;
  expect(above(1)).toBeCloseTo(0.8413, 1.7);
  expect(above(2)).toBeCloseTo(0.9772, 1.7);
  expect(above(-1)).toBeCloseTo(0.1587, 1.7);
  expect(sizesOf(valueVariants({ kind: 'lognormal', median, sigma, most: 300 })).max).toBe(300);
});

test('large values are fewer, so that a thread can keep them', () => {
  const variants = valueVariants({ kind: 'range', from: 1_048_576, to: 3_145_728 });
  expect(variants.length).toBe(16);
  expect(sizesOf(variants).mean).toBeCloseTo(2_097_152, -2);
});

test('weighted sizes keep their weights', () => {
  const sizes = [
    { bytes: 10, weight: 3 },
    { bytes: 1000, weight: 1 },
  ];
  const variants = valueVariants({ kind: 'weighted', sizes });
  expect(
    valueTexts({ values: variants, compressibleRatio: 0 }, 1).map(({ text, fraction }) => [
      text.length,
      fraction,
    ]),
  ).toEqual([
    [10, 0.75],
    [1000, 0.25],
  ]);
});

test('the lines of a file are values as they are; of many, 128 at even distances', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'values.txt');
  writeFileSync(path, 'one\r\n\nzwei ü\nthree');
  const texts = () => valueTexts({ values: valueVariants({ kind: 'file', path }), compressibleRatio: 0 }, 1);
  expect(texts().map(({ text }) => text)).toEqual(['one', 'zwei ü', 'three']);
  writeFileSync(path, Array.from({ length: 1280 }, (_, line) => `line ${line}\n`).join(''));
  expect(texts().map(({ text }) => text)).toEqual(
    Array.from({ length: 128 }, (_, index) => `line ${index * 10}`),
  );
});

test('values compress by as much as they are asked to', () => {
  const compressed = (share: number) => deflateRawSync(randomValue(20_000, 1, share)).length / 20_000;
  // 64 different characters are 6 bits each.
  expect(compressed(0)).toBeGreaterThan(0.74);
  expect(compressed(0.5) / compressed(0)).toBeGreaterThan(0.45);
  expect(compressed(0.5) / compressed(0)).toBeLessThan(0.6);
  expect(compressed(1)).toBeLessThan(0.01);
  expect(randomValue(100, 1, 0.5)).toMatch(/^x{32}[\w-]{32}x{32}[\w-]{4}$/);
});

test('large values are made once in a thread, and are beginnings of the same one in any size', () => {
  const bytes = 16 * 2 ** 20;
  const task = {
    values: valueVariants({
      kind: 'weighted',
      sizes: [
        { bytes: 1001, weight: 1 },
        { bytes, weight: 1 },
      ],
    }),
  };
  const texts = () => valueTexts({ ...task, compressibleRatio: 0 }, 9).map(({ text }) => text);
  const before = process.cpuUsage();
  const [small, large] = texts();
  for (let measurement = 0; measurement < 20; measurement++) expect(texts()[1]).toBe(large);
  const { user, system } = process.cpuUsage(before);
  // One character after the other took 2 s for each.
  expect((user + system) / 1e6).toBeLessThan(2);
  expect(large).toHaveLength(bytes);
  expect(small).toBe(large?.slice(0, 1001));
  expect(randomValue(1001, 9)).toBe(small);
  const counts = new Map<string, number>();
  for (const character of randomValue(64_000, 9)) counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(64);
  // 1000 of each, with a standard deviation of 32.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(160);
});
