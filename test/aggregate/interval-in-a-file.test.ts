import { expect, test } from 'vitest';
import { interval } from '../../src/aggregate/result.ts';

const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

test.each([
  { median: 1.2, low: 1.1, high: 1.3 },
  { median: 1.2, low: 1.1, high: most },
  { median: 0.9, low: least, high: 1.02 },
  { median: 1, low: least, high: most },
  { median: most, low: 1.4, high: most },
  { median: most, low: most, high: most },
])('a ratio of $median [$low, $high] is read as it was written', ratio => {
  expect(interval.parse(JSON.parse(JSON.stringify(ratio)))).toEqual(ratio);
});
