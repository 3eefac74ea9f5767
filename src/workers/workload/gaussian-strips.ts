import type { Strip, Strips } from './strip-sampler.ts';

/** Further from the mean than this many standard deviations no draw of 32 bits ever falls. */
const reach = 8;
/** Strips on either side of the mean. */
const perSide = 512;

/**
 * The normal distribution around the middle key, cut off at the first and the last one.
 *
 * @param spread the standard deviation as a share of the keys
 */
export function gaussianStrips(keys: number, spread: number): Strips {
  const mean = (keys - 1) / 2;
  const deviation = spread * keys;
  const least = Math.max(0, Math.floor(mean - reach * deviation));
  const highest = Math.min(keys - 1, Math.ceil(mean + reach * deviation));
  const middle = Math.floor(mean);
  const strips = [...cut(least, middle), ...cut(middle + 1, highest)];
  return { strips, weight: number => Math.exp(-(((number - mean) / deviation) ** 2) / 2) };
}

/** The numbers from `first` to `last` in strips of one width, but for the last one. */
function cut(first: number, last: number): Strip[] {
  const width = Math.ceil((last - first + 1) / perSide);
  const strips: Strip[] = [];
  for (let at = first; at <= last; at += width) {
    strips.push({ first: at, width: Math.min(width, last - at + 1) });
  }
  return strips;
}
