import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssemblySync,
  type JsHistogram,
} from 'hdr-histogram-js';
import { HistogramCounts } from './histogram-counts.ts';
import type { LatencySummary, Times } from './result.ts';

/** Nanoseconds to milliseconds, without the digits a nanosecond does not have. */
const toMs = (nanoseconds: number): number => Math.round(nanoseconds) / 1e6;

/** Decodes HDR V2 compressed base64 into a WebAssembly histogram with 64-bit buckets. The caller calls `destroy()`. */
export function decodeHistogram(encoded: string): Histogram {
  initWebAssemblySync();
  return decodeFromCompressedBase64(encoded, 64, true);
}

function emptyHistogram(digits = 3, highest?: number): Histogram {
  initWebAssemblySync();
  return build({
    bitBucketSize: 64,
    useWebAssembly: true,
    autoResize: true,
    numberOfSignificantValueDigits: digits as 1 | 2 | 3 | 4 | 5,
    ...(highest === undefined ? {} : { highestTrackableValue: highest }),
  });
}

/** Adds up all of `encoded`, empty texts aside, hands the sum to `use`, and frees what it made. */
export function withMerged<T>(encoded: readonly string[], use: (merged: Histogram) => T): T {
  const counts = new HistogramCounts();
  for (const one of encoded) if (one !== '') counts.add(one);
  const merged = counts.digits === 0 ? emptyHistogram() : emptyHistogram(counts.digits, counts.highest);
  try {
    counts.recordIn(merged);
    return use(merged);
  } finally {
    merged.destroy();
  }
}

/** Merges histograms into one, still encoded, with its summary in milliseconds. All zeros where nothing was recorded. */
export function mergeLatencies(encoded: readonly string[]): { encoded: string; summary: LatencySummary } {
  return withMerged(encoded, merged => ({
    encoded: encodeIntoCompressedBase64(merged),
    summary: summarise(merged),
  }));
}

/** Merges histograms into times in milliseconds, after recording `zeros` times of 0 that they do not hold. */
export function mergeTimes(encoded: readonly string[], zeros = 0): Times {
  return withMerged(encoded, merged => {
    if (zeros > 0) merged.recordValueWithCount(0, zeros);
    const { count, mean, p50, p99, max } = summarise(merged);
    return { count, mean, p50, p99, max };
  });
}

/** What a histogram has recorded, bucket by bucket. Values in nanoseconds. */
export interface Recorded {
  /** Those with something in them, lowest first. */
  readonly buckets: readonly {
    readonly low: number;
    readonly middle: number;
    readonly high: number;
    readonly count: number;
  }[];
  readonly total: number;
  /** How the histogram is made: buckets of doubling width, and steps in each. */
  readonly bucketCount: number;
  readonly subBucketCount: number;
}

/** Merges histograms, and reads what is in them. */
export function readRecorded(encoded: readonly string[]): Recorded {
  // In WebAssembly merging is quicker, but it gives no access to its buckets.
  const histogram = decodeFromCompressedBase64(mergeLatencies(encoded).encoded, 64, false) as JsHistogram;
  const { totalCount: total, bucketCount, subBucketCount } = histogram;
  const buckets: { low: number; middle: number; high: number; count: number }[] = [];
  for (let index = 0, counted = 0; counted < total; index++) {
    const count = histogram.getCountAtIndex(index);
    if (count === 0) continue;
    counted += count;
    const low = histogram.valueFromIndex(index);
    const middle = histogram.medianEquivalentValue(low);
    buckets.push({ low, middle, high: histogram.highestEquivalentValue(low), count });
  }
  return { buckets, total, bucketCount, subBucketCount };
}

/** Merges histograms of nanoseconds into one of microseconds, which is less exact below a few of them; encoded. */
export function toMicroseconds(encoded: readonly string[]): string {
  const histogram = emptyHistogram();
  try {
    for (const { middle, count } of readRecorded(encoded).buckets)
      histogram.recordValueWithCount(Math.round(middle / 1000), count);
    return encodeIntoCompressedBase64(histogram);
  } finally {
    histogram.destroy();
  }
}

function summarise(histogram: Histogram): LatencySummary {
  const at = (percentile: number) => toMs(histogram.getValueAtPercentile(percentile));
  return {
    count: histogram.totalCount,
    mean: toMs(histogram.mean),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    // The top of the highest bucket, as the percentiles are, so that no percentile exceeds it.
    max: at(100),
  };
}
