import { build, encodeIntoCompressedBase64, type Histogram, initWebAssemblySync } from 'hdr-histogram-js';
import { highestNs } from '../../src/pool/latency-counts.ts';

/**
 * A histogram of the library, in the range of those of poolbench, which are held against it. With 64-bit buckets: the
 * default 32-bit ones wrap. Call `destroy()` when done.
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

/** HDR V2 compressed, base64. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}
