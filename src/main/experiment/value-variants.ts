import type { ValueVariant } from '../../workers/contract.ts';
import {
  maxBytes,
  maxFileBytes,
  maxListedBytes,
  maxValues,
  readValueFile,
  type ValueBytes,
} from './values.ts';

/** Every thread stores all values of a mix: large values are fewer, but at least the minimum. */
const maxBytesTogether = 32 * 2 ** 20;
const minValues = 8;
/** Total size of all values of a workload, however its config defines them. */
export const maxVariantBytes = Math.max(maxListedBytes, maxFileBytes, minValues * maxBytes);
/** A value's size is the mean of this many points of its stratum. */
const pointsPerStratum = 64;

/**
 * The values that represent a distribution of sizes: at most 128, so that requests can be prepared. A continuous
 * distribution is cut into strata of equal probability, each represented by its mean size, which preserves the mean of
 * all sizes, and the tails as far as a stratum does.
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
      return strata(count, probability => Math.min(sizes.to, sizes.from + Math.floor(probability * count)));
    }
    case 'lognormal': {
      const { median, sigma, most } = sizes;
      return strata(Number.POSITIVE_INFINITY, probability =>
        Math.min(most, median * Math.exp(sigma * normalQuantile(probability))),
      );
    }
  }
}

/** Mean and largest size, and all together, in bytes. */
export function sizesOf(values: readonly ValueVariant[]): { mean: number; max: number; sum: number } {
  const bytesOf = ({ value }: ValueVariant) =>
    'bytes' in value ? value.bytes : Buffer.byteLength(value.text);
  const weights = values.reduce((sum, { weight }) => sum + weight, 0);
  return {
    mean: values.reduce((sum, variant) => sum + bytesOf(variant) * variant.weight, 0) / weights,
    max: Math.max(...values.map(bytesOf)),
    sum: values.reduce((sum, variant) => sum + bytesOf(variant), 0),
  };
}

/** One value for each stratum, or for each size if there are not more sizes than strata. */
function strata(differentSizes: number, quantile: (probability: number) => number): ValueVariant[] {
  const meanOf = (stratum: number, count: number) => {
    let sum = 0;
    for (let point = 0; point < pointsPerStratum; point++)
      sum += quantile((stratum + (point + 0.5) / pointsPerStratum) / count);
    return sum / pointsPerStratum;
  };
  const mean = Math.max(1, meanOf(0, 1));
  const affordable = Math.max(minValues, Math.floor(maxBytesTogether / mean));
  const count = Math.min(maxValues, affordable, differentSizes);
  return Array.from({ length: count }, (_, stratum) => ({
    weight: 1,
    value: { bytes: Math.round(meanOf(stratum, count)) },
  }));
}

/** Coefficients of the quantile's approximation, numerator and denominator, in the tails and in the middle. */
const tail = [
  [
    -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
] as const;
const middle = [
  [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ],
  [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
] as const;
/** The tails begin here. */
const tailProbability = 0.02425;

/**
 * The standard normal distribution's quantile: P. J. Acklam's rational approximation (2003), off by 1.15e-9 of the
 * value at most.
 */
function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability);
  if (probability < tailProbability) {
    const q = Math.sqrt(-2 * Math.log(probability));
    return polynomial(q, tail[0]) / polynomial(q, tail[1]);
  }
  const q = probability - 0.5;
  const r = q * q;
  return (polynomial(r, middle[0]) * q) / polynomial(r, middle[1]);
}

/** Coefficients from the highest power down. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
