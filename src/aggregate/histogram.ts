import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssemblySync,
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

/** Adds up all of `encoded`, hands the sum to `use`, and frees what it made. */
export function withMerged<T>(encoded: readonly string[], use: (merged: Histogram) => T): T {
  const counts = new HistogramCounts();
  for (const one of encoded) counts.add(one);
  initWebAssemblySync();
  const merged = build({
    bitBucketSize: 64,
    useWebAssembly: true,
    autoResize: true,
    numberOfSignificantValueDigits: (counts.digits || 3) as 1 | 2 | 3 | 4 | 5,
    ...(counts.highest === 0 ? {} : { highestTrackableValue: counts.highest }),
  });
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
