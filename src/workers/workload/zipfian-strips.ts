import type { Strip, Strips } from './strip-sampler.ts';

/** The hottest keys have strips of their own, */
const single = 1024;
/** the others share strips, each so much wider than the last: so weights within one differ by 2 % or so. */
const growth = 0.02;

/**
 * Zipf's law: the key of rank r, from 1, is drawn in proportion to 1 / r^exponent. Rank 1 is key 0: the hottest keys are
 * neighbours by number. Servers hash their names, so nothing is gained by scattering them.
 */
export function zipfianStrips(keys: number, exponent: number): Strips {
  const strips: Strip[] = [];
  for (let first = 0; first < keys; ) {
    const wanted = first < single ? 1 : Math.floor(first * growth);
    const width = Math.min(wanted, keys - first);
    strips.push({ first, width });
    first += width;
  }
  return { strips, weight: number => (number + 1) ** -exponent };
}
