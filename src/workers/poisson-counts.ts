import type { Prng } from './prng.ts';

/**
 * Draws from a Poisson distribution in a time that does not depend on its mean: transformed rejection with squeeze (PTRS;
 * Hörmann, "The transformed rejection method for generating Poisson random variables", 1993), which is exact.
 *
 * @param mean 10 or more
 */
export function poissonCounts(mean: number, prng: Prng): () => number {
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  const draw = () => (prng.draw() + 0.5) / 2 ** 32;
  return () => {
    for (;;) {
      const u = draw() - 0.5;
      const v = draw();
      const us = 0.5 - Math.abs(u);
      const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= squeeze) return count;
      if (count < 0 || (us < 0.013 && v > us)) continue;
      if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= count * logMean - mean - logFactorial(count))
        return count;
    }
  };
}

/** ln(n!) by Stirling's series, whose error is below 1e-10 from 10 on; smaller ones are shifted there. */
function logFactorial(n: number): number {
  let shift = 0;
  let x = n + 1;
  for (; x < 10; x++) shift += Math.log(x);
  const inverse = 1 / x;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
