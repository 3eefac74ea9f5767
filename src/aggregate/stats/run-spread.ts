import { type Chances, falseVerdictChance } from './sign-test.ts';
import { geometricMean, type Interval } from './statistics.ts';

/** With fewer runs their spread is no yardstick. */
export const minRuns = 6;

/**
 * The ratio of one more run to runs that should be equal to each other, with the interval that their spread leaves of it.
 * The interval is `value` over the prediction interval for one more of them: geometric mean × exp(± t(n − 1) · s · √(1 + 1/n)),
 * with the standard deviation s of their logarithms (Student's t; Hahn and Meeker, Statistical Intervals, 1991, 4.8), or the
 * lowest and the highest of them where those lie further out.
 *
 * So the interval lies wholly beyond the true ratio in at most 1 of 64 cases on each side if the runs are log-normal, and,
 * because of the second bound, in at most 1 of n + 1 whatever their distribution is (order statistics), if the runs are
 * exchangeable: a machine that was changed between them is not covered. Comparisons that share the chance to err divide the
 * 1 of 64 among them, and not the 1 of n + 1.
 *
 * @param runs a figure above 0 of each of them, 2 or more
 * @param value of the one more, above 0
 */
export function ratioToRuns(
  runs: readonly number[],
  value: number,
  { above = 1, below = 1 }: Chances = {},
): Interval {
  const middle = geometricMean(runs);
  const highest = Math.max(...runs, middle * Math.exp(halfWidth(runs, above)));
  const lowest = Math.min(...runs, middle * Math.exp(-halfWidth(runs, below)));
  return { median: value / middle, low: value / highest, high: value / lowest };
}

/** Half the width of the prediction interval, as a logarithm. @param count as if there were so many runs with this spread */
function halfWidth(runs: readonly number[], comparisons: number, count = runs.length): number {
  const t = studentQuantile(falseVerdictChance(1) / comparisons, count - 1);
  return t * deviationOfLogs(runs) * Math.sqrt(1 + 1 / count);
}

function deviationOfLogs(values: readonly number[]): number {
  const middle = Math.log(geometricMean(values));
  const squares = values.reduce((sum, value) => sum + (Math.log(value) - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** A baseline of more runs than this is no advice. */
const maxRuns = 100;

/**
 * About how many runs with this spread would tell on which side of the threshold the value lies; null if no more than 100
 * would: what is closer to the threshold than the spread stays open, and so does what lies within the runs there are, as more
 * of them never narrow their range.
 */
export function runsToDecide(
  runs: readonly number[],
  value: number,
  threshold: number,
  { above = 1, below = 1 }: Chances = {},
): number | null {
  const distance = Math.log(value / geometricMean(runs) / threshold);
  const comparisons = distance > 0 ? above : below;
  const isWithin = runs.some(run => Math.log(value / run / threshold) * distance <= 0);
  if (isWithin) return null;
  for (let count = runs.length + 1; count <= maxRuns; count++) {
    if (halfWidth(runs, comparisons, count) < Math.abs(distance)) return count;
  }
  return null;
}

/** The t that Student's distribution exceeds with this probability, 0 to ½, by halving: its distribution has a closed form. */
export function studentQuantile(probability: number, degrees: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > probability) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan(high);
}

/**
 * P(T > √degrees · tan θ) of Student's distribution with whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
 */
function studentTail(theta: number, degrees: number): number {
  const isOdd = degrees % 2 === 1;
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let power = isOdd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= (cosine ** 2 * (power + 1)) / (power + 2);
  }
  const within = isOdd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
  return (1 - within) / 2;
}
