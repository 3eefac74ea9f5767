import type { ValueVariant } from '../../workers/contract.ts';
import { maxValues, readValueFile, type ValueBytes } from './values.ts';

/** All values of a mix together are kept in every thread: where they are large there are fewer, */
const mostBytesTogether = 32 * 2 ** 20;
/** but no fewer than this. */
const fewest = 8;
/** Points of a stratum whose mean is its value's size. */
const pointsPerStratum = 64;

/**
 * The values that stand for a distribution of sizes: at most 128, so that requests can be made beforehand. A continuous
 * one is cut into strata of equal probability, and each has the mean size of its stratum: so the mean of all sizes is
 * kept, and of the tails what a stratum keeps of them.
 */
export function valueVariants(sizes: ValueBytes): ValueVariant[] {
  if (typeof sizes === 'number') return [{ weight: 1, value: { bytes: sizes } }];
  switch (sizes.kind) {
    case 'weighted':
      return sizes.sizes.map(({ bytes, weight }) => ({ weight, value: { bytes } }));
    case 'file':
      return readValueFile(sizes.path).map(text => ({ weight: 1, value: { text } }));
    case 'range': {
      const count = sizes.to - sizes.from + 1;
      return strata(count, share => Math.min(sizes.to, sizes.from + Math.floor(share * count)));
    }
    case 'lognormal': {
      const { median, sigma, most } = sizes;
      return strata(Number.POSITIVE_INFINITY, share =>
        Math.min(most, median * Math.exp(sigma * normalQuantile(share))),
      );
    }
  }
}

/** Mean size in bytes, and that of the largest. */
export function sizesOf(values: readonly ValueVariant[]): { mean: number; most: number } {
  const bytesOf = ({ value }: ValueVariant) =>
    'bytes' in value ? value.bytes : Buffer.byteLength(value.text);
  const weights = values.reduce((sum, { weight }) => sum + weight, 0);
  return {
    mean: values.reduce((sum, variant) => sum + bytesOf(variant) * variant.weight, 0) / weights,
    most: Math.max(...values.map(bytesOf)),
  };
}

/** One value for each stratum; where there are no more different sizes than strata, one for each size. */
function strata(differentSizes: number, quantile: (share: number) => number): ValueVariant[] {
  const meanOf = (stratum: number, count: number) => {
    let sum = 0;
    for (let point = 0; point < pointsPerStratum; point++)
      sum += quantile((stratum + (point + 0.5) / pointsPerStratum) / count);
    return sum / pointsPerStratum;
  };
  const mean = Math.max(1, meanOf(0, 1));
  const affordable = Math.max(fewest, Math.floor(mostBytesTogether / mean));
  const count = Math.min(maxValues, affordable, differentSizes);
  return Array.from({ length: count }, (_, stratum) => ({
    weight: 1,
    value: { bytes: Math.round(meanOf(stratum, count)) },
  }));
}

/**
 * The standard normal distribution's quantile: P. J. Acklam's rational approximation (2003), off by 1.15e-9 of the
 * value at most.
 */
function normalQuantile(share: number): number {
  const low = 0.02425;
  if (share > 0.5) return -normalQuantile(1 - share);
  if (share < low) {
    const q = Math.sqrt(-2 * Math.log(share));
    return (
      polynomial(
        q,
        [
          -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
          4.374664141464968, 2.938163982698783,
        ],
      ) / polynomial(q, [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1])
    );
  }
  const q = share - 0.5;
  const r = q * q;
  return (
    (polynomial(
      r,
      [
        -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
        2.506628277459239,
      ],
    ) *
      q) /
    polynomial(
      r,
      [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
    )
  );
}

/** Coefficients from the highest power down. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
