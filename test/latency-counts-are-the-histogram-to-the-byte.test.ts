import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHistogram, encodeHistogram, highestNs } from '../src/pool/histogram.ts';
import { LatencyCounts } from '../src/workers/latency-counts.ts';

/** Latencies from 0 ns to ten minutes, as likely short as long, and the edges of buckets; with fractions, as a clock gives them. */
const latencyNs = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([bits, share]) => Math.min(highestNs, share * 2 ** bits)),
  fc
    .tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: -1, max: 1 }))
    .map(([bits, off]) => Math.max(0, 2 ** bits + off)),
  fc.constant(highestNs),
);
const recorded = fc.array(fc.tuple(latencyNs, fc.integer({ min: 1, max: 1000 })), { maxLength: 300 });

test.each([2, 3] as const)(
  'with %i digits they encode as the histogram does, and name the same percentiles',
  digits => {
    const counts = new LatencyCounts(digits);
    fc.assert(
      fc.property(recorded, fc.double({ min: 0, max: 100, noNaN: true }), (latencies, percentile) => {
        const histogram = createHistogram(digits);
        counts.reset();
        for (const [ns, count] of latencies) {
          histogram.recordValueWithCount(ns, count);
          counts.add(ns, count);
        }
        expect(counts.total).toBe(histogram.totalCount);
        expect(counts.encode()).toBe(encodeHistogram(histogram));
        for (const one of [percentile, 99, 100])
          expect(counts.valueAt(one)).toBe(latencies.length === 0 ? 0 : histogram.getValueAtPercentile(one));
        histogram.destroy();
      }),
      { seed: 1, numRuns: 100 },
    );
  },
);
