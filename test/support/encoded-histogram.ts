import { build, encodeIntoCompressedBase64, initWebAssemblySync } from 'hdr-histogram-js';

/** A histogram of these latencies as result.json has it: HDR V2 compressed, base64, nanoseconds. */
export function encodeHistogram(latenciesMs: readonly number[]): string {
  initWebAssemblySync();
  const histogram = build({
    bitBucketSize: 64,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
    useWebAssembly: true,
  });
  for (const ms of latenciesMs) histogram.recordValue(Math.round(ms * 1e6));
  const encoded = encodeIntoCompressedBase64(histogram);
  histogram.destroy();
  return encoded;
}
