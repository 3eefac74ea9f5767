import { expect, test } from 'vitest';
import {
  formatCount,
  formatFraction,
  formatInterval,
  formatList,
  formatMs,
  formatRate,
  formatRatioInterval,
} from '../../../src/aggregate/text/format.ts';

test('rates', () => {
  const shown = [
    0, 0.5, 9.999, 99.96, 987, 999.4, 999.5, 12_345, 99_960, 999_499, 999_500, 1_234_567, 23_400_000,
  ];
  expect(shown.map(formatRate)).toEqual([
    '0',
    '0.500',
    '10.0',
    '100',
    '987',
    '999',
    '1.00k',
    '12.3k',
    '100k',
    '999k',
    '1.00M',
    '1.23M',
    '23.4M',
  ]);
});

test('milliseconds, down to a microsecond', () => {
  expect([0.0004, 0.0414, 0.4127, 4.1, 41.23, 412.3, 4123].map(formatMs)).toEqual([
    '0.000',
    '0.041',
    '0.413',
    '4.10',
    '41.2',
    '412',
    '4123',
  ]);
});

test('ratios and intervals', () => {
  expect(formatRatioInterval({ median: 1.416, low: 1.3, high: 12.345 })).toBe('×1.42 [1.30, 12.3]');
  expect(formatRatioInterval(null)).toBe('–');
  expect(formatInterval({ median: 1000, low: 990, high: 2000 }, formatRate)).toBe('1.00k [990, 2.00k]');
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  expect(formatRatioInterval({ median: 0.97, low: least, high: 1.03 })).toBe('×0.97 […, 1.03]');
  expect(formatRatioInterval({ median: 1.3, low: 1.1, high: most })).toBe('×1.30 [1.10, ∞]');
  expect(formatRatioInterval({ median: 1.3, low: least, high: most })).toBe('–');
  expect(formatInterval({ median: 1000, low: least, high: most }, formatRate)).toBe('1.00k');
});

test('shares, counts and lists', () => {
  expect([0, 0.0004, 0.005, 0.0994, 0.0996, 1].map(formatFraction)).toEqual([
    '0 %',
    '0.0 %',
    '0.5 %',
    '9.9 %',
    '10 %',
    '100 %',
  ]);
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect([formatList([]), formatList(['a']), formatList(['a', 'b']), formatList(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});
