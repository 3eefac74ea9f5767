import { build, encodeIntoCompressedBase64, type Histogram, initWebAssemblySync } from 'hdr-histogram-js';

export type { Histogram };

/** Highest latency a histogram tells apart: ten minutes. What is above counts as this. */
export const highestNs = 600e9;

/**
 * A histogram of nanoseconds in WebAssembly with 64-bit buckets, which cannot wrap as the default 32-bit ones do.
 * It has a fixed range (about 240 kB at 3 digits), so that recording never resizes. Call `destroy()` when done.
 */
export function createHistogram(digits: 1 | 2 | 3): Histogram {
  initWebAssemblySync();
  return build({
    bitBucketSize: 64,
    useWebAssembly: true,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestNs,
    numberOfSignificantValueDigits: digits,
  });
}

/** HDR V2 compressed, base64: how histograms cross thread boundaries and enter result.json. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}
