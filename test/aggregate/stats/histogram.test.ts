import fc from 'fast-check';
import { build, encodeIntoCompressedBase64, WasmHistogram } from 'hdr-histogram-js';
import { expect, test, vi } from 'vitest';
import { mergeLatencies, mergeTimes } from '../../../src/aggregate/stats/histogram.ts';
import { percentileKeys } from '../../../src/aggregate/stats/metrics.ts';
import { createHistogram, encodeHistogram } from '../../support/library-histogram.ts';

/** Records values as a thread does. */
function record(values: readonly number[], digits: 2 | 3 = 3): string {
  const histogram = createHistogram(digits);
  for (const value of values) histogram.recordValue(value);
  const encoded = encodeHistogram(histogram);
  histogram.destroy();
  return encoded;
}

/** Latencies from 0 ns to ten minutes, as likely short as long. */
const latencyNs = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([bits, share]) => Math.min(600e9, Math.floor(share * 2 ** bits)));
const threads = fc.array(fc.array(latencyNs, { maxLength: 200 }), { minLength: 1, maxLength: 6 });

test('a histogram merged from n threads equals one recorder fed all values', () => {
  fc.assert(
    fc.property(threads, valuesOfThreads => {
      const merged = mergeLatencies(valuesOfThreads.map(values => record(values)));
      const one = record(valuesOfThreads.flat());
      expect(merged.encoded).toBe(one);
      expect(merged.summary).toEqual(mergeLatencies([one]).summary);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('percentiles are within three digits of those of the sorted values', () => {
  const some = fc.array(latencyNs, { minLength: 1, maxLength: 1000 });
  fc.assert(
    fc.property(some, values => {
      const sorted = values.toSorted((a, b) => a - b);
      const { summary } = mergeLatencies([record(values)]);
      expect(summary.count).toBe(values.length);
      const shares = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const;
      for (const [name, share] of Object.entries(shares) as [keyof typeof shares, number][]) {
        const exactMs = (sorted[Math.max(1, Math.ceil(share * values.length - 1e-9)) - 1] ?? 0) / 1e6;
        expect(summary[name]).toBeGreaterThanOrEqual(exactMs);
        expect(summary[name]).toBeLessThanOrEqual(exactMs * 1.001);
      }
      const meanMs = values.reduce((sum, value) => sum + value, 0) / values.length / 1e6;
      expect(Math.abs(summary.mean - meanMs)).toBeLessThanOrEqual(meanMs * 0.001 + 1e-6);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('nothing recorded is a summary of zeros, with or without threads', () => {
  const percentiles = Object.fromEntries(percentileKeys.map(key => [key, 0]));
  const zeros = { count: 0, mean: 0, ...percentiles, max: 0 };
  expect(mergeLatencies([]).summary).toEqual(zeros);
  expect(mergeLatencies([record([]), record([])]).summary).toEqual(zeros);
});

test('what was served at once counts as 0 in times', () => {
  const waits = mergeTimes([record([4e6], 2), record([], 2)], 3);
  expect(waits).toMatchObject({ count: 4, p50: 0 });
  expect(waits.mean).toBeCloseTo(1, 1);
  expect(waits.p99).toBeCloseTo(4, 1);
});

test('the histogram that a merge makes is destroyed, for WebAssembly memory is not collected', () => {
  const encoded = [1, 2, 3].map(ms => record([ms * 1e6]));
  const destroy = vi.spyOn(WasmHistogram.prototype, 'destroy');
  mergeTimes(encoded);
  expect(destroy).toHaveBeenCalledTimes(1);
  destroy.mockRestore();
});

test('what is no histogram, or one of other digits, is refused', () => {
  const [fine, coarse] = [record([1e6]), record([1e6], 2)];
  expect(() => mergeLatencies([fine, coarse])).toThrow('Expected histograms of 3 digits, found one of 2');
  for (const broken of ['AAAA', Buffer.from('some text').toString('base64')])
    expect(() => mergeLatencies([broken])).toThrow('Expected a histogram in HDR V2 encoding');
});

test('histograms of different ranges add up, whichever comes first', () => {
  const narrow = build({ bitBucketSize: 64, highestTrackableValue: 2e3, numberOfSignificantValueDigits: 3 });
  narrow.recordValue(1500);
  const both = [encodeIntoCompressedBase64(narrow), record([9e9])];
  for (const order of [both, both.toReversed()])
    expect(mergeLatencies(order).summary).toMatchObject({ count: 2, p50: 0.0015, max: 9000.976383 });
});
