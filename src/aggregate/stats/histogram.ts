import { createRequire } from 'node:module';
import type * as hdrHistogram from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import type { LatencySummary, Times } from '../result.ts';
import { doublingsOf, HistogramCounts, type RecordedBucket, subBucketsOf } from './histogram-decoder.ts';
import { type PercentileKey, percentileKeys, percentiles } from './metrics.ts';

const defaultDigits = 3;

const require = createRequire(import.meta.url);
/** Loaded for the first histogram: it is a third of what a command that makes none would load. */
const library = () => require('hdr-histogram-js') as typeof hdrHistogram;

/** Nanoseconds to milliseconds, without the digits a nanosecond does not have. */
const toMs = (nanoseconds: number): number => Math.round(nanoseconds) / 1e6;

function createHistogram(digits = defaultDigits, highest?: number): Histogram {
  const { build, initWebAssemblySync } = library();
  initWebAssemblySync();
  return build({
    bitBucketSize: 64,
    useWebAssembly: true,
    autoResize: true,
    numberOfSignificantValueDigits: digits as 1 | 2 | 3,
    ...(highest === undefined ? {} : { highestTrackableValue: highest }),
  });
}

function encode(histogram: Histogram): string {
  return library().encodeIntoCompressedBase64(histogram);
}

function addUp(encoded: readonly string[]): HistogramCounts {
  const counts = new HistogramCounts();
  for (const one of encoded) if (one !== '') counts.add(one);
  return counts;
}

/** Adds up all of `encoded`, empty texts aside, hands the sum to `use`, and frees what it made. */
export function withMerged<T>(encoded: readonly string[], use: (merged: Histogram) => T): T {
  const counts = addUp(encoded);
  const merged = counts.digits === 0 ? createHistogram() : createHistogram(counts.digits, counts.highest);
  try {
    for (const { low, count } of counts.recorded()) merged.recordValueWithCount(low, count);
    return use(merged);
  } finally {
    merged.destroy();
  }
}

/** Merges histograms into one, encoded again, with its summary in milliseconds: all zeros if nothing was recorded. */
export function mergeLatencies(encoded: readonly string[]): { encoded: string; summary: LatencySummary } {
  return withMerged(encoded, merged => ({
    encoded: encode(merged),
    summary: summarise(merged),
  }));
}

/** Merges histograms into one, encoded again; empty if all are empty texts. */
export function mergeEncoded(encoded: readonly string[]): string {
  const [first = '', ...others] = encoded.filter(one => one !== '');
  return others.length === 0 ? first : withMerged([first, ...others], encode);
}

/** Merges histograms into times in milliseconds, after recording `zeros` times of 0 that they do not hold. */
export function mergeTimes(encoded: readonly string[], zeros = 0): Times {
  return withMerged(encoded, merged => {
    if (zeros > 0) merged.recordValueWithCount(0, zeros);
    const { count, mean, p50, p99, max } = summarise(merged);
    return { count, mean, p50, p99, max };
  });
}

/** The number of recorded times above a time in milliseconds, in a higher bucket. */
export function countAbove({ buckets }: Pick<Recorded, 'buckets'>, ms: number): number {
  const ns = Math.round(ms * 1e6);
  return buckets.reduce((sum, { low, count }) => (low > ns ? sum + count : sum), 0);
}

/** The percentiles, 0 to 100, of all that these histograms have recorded, in milliseconds; null if that is nothing. */
export function pooledPercentiles(
  encoded: readonly string[],
  wanted: readonly number[],
): readonly number[] | null {
  return withMerged(encoded, merged =>
    merged.totalCount === 0 ? null : wanted.map(percentile => toMs(merged.getValueAtPercentile(percentile))),
  );
}

/** What histograms have recorded together. Values in nanoseconds. */
export interface Recorded {
  /** Those with something in them, lowest first. */
  readonly buckets: readonly RecordedBucket[];
  readonly total: number;
  /** How such a histogram is made: buckets of doubling width, and steps in each. */
  readonly bucketCount: number;
  readonly subBucketCount: number;
}

/** Adds up histograms, empty texts aside, and reads what is in them. */
export function readRecorded(encoded: readonly string[]): Recorded {
  const counts = addUp(encoded);
  const buckets = counts.recorded();
  const digits = counts.digits === 0 ? defaultDigits : counts.digits;
  return {
    buckets,
    total: buckets.reduce((sum, { count }) => sum + count, 0),
    bucketCount: doublingsOf(digits, counts.highest),
    subBucketCount: subBucketsOf(digits),
  };
}

/** Merges histograms of nanoseconds into one of microseconds, which is less exact below a few of them; encoded. */
export function toMicroseconds(encoded: readonly string[]): string {
  const histogram = createHistogram();
  try {
    for (const { middle, count } of readRecorded(encoded).buckets)
      histogram.recordValueWithCount(Math.round(middle / 1000), count);
    return encode(histogram);
  } finally {
    histogram.destroy();
  }
}

function summarise(histogram: Histogram): LatencySummary {
  const at = (percentile: number) => toMs(histogram.getValueAtPercentile(percentile));
  const atPercentiles = percentileKeys.map(key => [key, at(percentiles[key].percentile)]);
  return {
    count: histogram.totalCount,
    mean: toMs(histogram.mean),
    ...(Object.fromEntries(atPercentiles) as Pick<LatencySummary, PercentileKey>),
    // The top of the highest bucket, as the percentiles are, so that no percentile exceeds it.
    max: at(100),
  };
}
