import { build, encodeIntoCompressedBase64, type Histogram, initWebAssemblySync } from 'hdr-histogram-js';

export type { Histogram };

/** Maximum of a recorded latency: ten minutes. Longer ones count as this. */
export const highestNs = 600e9;

/**
 * A histogram of nanoseconds in WebAssembly, with 64-bit buckets: the default 32-bit ones wrap. Its range is fixed (about
 * 240 kB at 3 digits), so that recording never resizes it. Call `destroy()` when done.
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

/** HDR V2 compressed, base64: the form of histograms between threads and in result.json. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}
