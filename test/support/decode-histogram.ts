import { decodeFromCompressedBase64, type Histogram, initWebAssemblySync } from 'hdr-histogram-js';

/** Decodes HDR V2 compressed base64 as the library does, which poolbench's own decoder is held against. Call `destroy()`. */
export function decodeHistogram(encoded: string): Histogram {
  initWebAssemblySync();
  return decodeFromCompressedBase64(encoded, 64, true);
}
