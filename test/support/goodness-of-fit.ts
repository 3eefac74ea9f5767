/**
 * Pearson's statistic of counts against what was expected, as so many standard deviations from its mean: chi-squared
 * with k − 1 degrees of freedom has mean k − 1 and variance 2 (k − 1). Cells of fewer than 10 expected are put together.
 */
export function chiSquaredDeviation(counts: readonly number[], expected: readonly number[]): number {
  const cells: { counted: number; expected: number }[] = [];
  let open = { counted: 0, expected: 0 };
  for (const [index, count] of counts.entries()) {
    open = { counted: open.counted + count, expected: open.expected + (expected[index] ?? 0) };
    if (open.expected < 10) continue;
    cells.push(open);
    open = { counted: 0, expected: 0 };
  }
  const last = cells.at(-1);
  if (last !== undefined) {
    last.counted += open.counted;
    last.expected += open.expected;
  }
  const statistic = cells.reduce((sum, cell) => sum + (cell.counted - cell.expected) ** 2 / cell.expected, 0);
  const freedom = cells.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

/**
 * Kolmogorov's statistic √n × the largest distance between what was drawn and the distribution. Of a true one it is above
 * 1.95 once in a thousand times.
 */
export function kolmogorov(drawn: readonly number[], distribution: (value: number) => number): number {
  const sorted = drawn.toSorted((a, b) => a - b);
  const n = sorted.length;
  let distance = 0;
  for (let index = 0; index < n; ) {
    const value = sorted[index] as number;
    let end = index;
    while (end < n && sorted[end] === value) end++;
    // Whole numbers come several times: both functions are steps, compared above each.
    distance = Math.max(distance, Math.abs(end / n - distribution(value)));
    index = end;
  }
  return distance * Math.sqrt(n);
}

/** Kolmogorov–Smirnov: the largest distance of the sample's distribution to the exponential one with this mean. */
export function distanceToExponential(values: readonly number[], mean: number): number {
  return values
    .toSorted((a, b) => a - b)
    .reduce((largest, value, index) => {
      const expected = 1 - Math.exp(-value / mean);
      return Math.max(largest, expected - index / values.length, (index + 1) / values.length - expected);
    }, 0);
}
