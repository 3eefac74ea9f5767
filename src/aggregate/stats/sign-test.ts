import { type Interval, median, quantile, unbounded } from './statistics.ts';

/**
 * How many rounds a run has: as many as it takes to decide its questions, at least and at most so many. Where both are
 * equal, their number is fixed, and there is a single look, at the end.
 */
export interface RoundsRange {
  readonly atLeast: number;
  readonly atMost: number;
}

/**
 * The chance, on each side, that a comparison is decided although its true median ratio lies just on the threshold: over
 * all looks, and all comparisons that share it. It takes 6 rounds, as 1/64 is the chance that all 6 lie above.
 */
const alpha = 1 / 64;
/**
 * What counts only if two tests made apart agree may err so much oftener in each of them, so that both err in no more than
 * `alpha`: the `comparisons` of each.
 */
export const decidedTwice = Math.sqrt(alpha);
/** With fewer rounds nothing can be decided. */
export const minRounds = 6;

/** Whether the number of rounds does not depend on what they show. */
export const isFixed = ({ atLeast, atMost }: RoundsRange) => atLeast === atMost;

export const fixedRounds = (rounds: number): RoundsRange => ({ atLeast: rounds, atMost: rounds });

/**
 * After how many rounds a run looks whether a question is decided: ten looks for ten times the rounds (the preferred
 * numbers R10: 10, 13, 16, 20, 25, 32, 40, 50). A look after every round would spend the chance to err on looks that
 * find little new.
 */
export function lookRounds({ atLeast, atMost }: RoundsRange): number[] {
  const looks: number[] = [];
  for (let step = 0; ; step++) {
    const rounds = Math.round(atLeast * 10 ** (step / 10));
    if (rounds >= atMost) return [...looks, atMost];
    if (rounds !== looks.at(-1)) looks.push(rounds);
  }
}

/** A look of the sign test. */
export interface Look {
  readonly rounds: number;
  /** A comparison is decided if at least so many of the rounds lie on one side; above `rounds`: it cannot be here. */
  readonly bound: number;
}

/**
 * The looks of a run of `rounds` rounds, of which some may be to come. A fixed number of rounds is judged as many as
 * there are, as an interrupted run has fewer.
 *
 * @param comparisons each of which can make the verdict, so that they share the chance to err (Bonferroni)
 */
export function looksOf(range: RoundsRange, rounds: number, comparisons: number): readonly Look[] {
  const key = isFixed(range) ? `${rounds} ${comparisons}` : `${range.atLeast}-${range.atMost} ${comparisons}`;
  const known = planned.get(key);
  if (known !== undefined) return known;
  const at = isFixed(range) ? [rounds] : lookRounds(range);
  const bounds = boundsOf(at, alpha / comparisons);
  const looks = at.map((look, index) => ({ rounds: look, bound: bounds[index] ?? look + 1 }));
  planned.set(key, looks);
  return looks;
}

/**
 * How many of so many rounds count: those up to the last look. 0 before the first one.
 */
export function countedRounds(range: RoundsRange, rounds: number): number {
  return looksOf(range, rounds, 1).findLast(look => look.rounds <= rounds)?.rounds ?? 0;
}

/**
 * The plan of what is made of the rounds that several arms have in common: fixed if that of any of them is, as then these
 * rounds are. Else it has the looks of the run, which is as long as the longest of them.
 */
export function commonPlan(ranges: readonly RoundsRange[]): RoundsRange {
  const fixed = ranges.filter(isFixed);
  if (fixed.length > 0) return fixedRounds(Math.min(...fixed.map(({ atMost }) => atMost)));
  const max = (end: keyof RoundsRange) => Math.max(0, ...ranges.map(range => range[end]));
  return { atLeast: max('atLeast'), atMost: max('atMost') };
}

const planned = new Map<string, readonly Look[]>();

/**
 * The bounds of a group-sequential sign test: the smallest ones with which, if every round lies above the threshold with
 * probability ½, the chance to have reached a bound by a look is at most `chance` × √(rounds of the look / of the last)
 * (error spending: Lan and DeMets, 1983; the power family of Kim and DeMets, 1987). The chances are exact: the number of
 * rounds above is binomial, less the paths that have ended at an earlier look.
 */
export function boundsOf(looks: readonly number[], chance: number): number[] {
  const last = looks.at(-1) ?? 0;
  /** The probability that so many rounds lie above, and no look has decided. */
  let undecided: Float64Array = Float64Array.of(1);
  let spent = 0;
  return looks.map(look => {
    while (undecided.length <= look) undecided = withOneMoreRound(undecided);
    const budget = chance * Math.sqrt(look / last) - spent;
    let bound = look + 1;
    let reached = 0;
    while (bound > 0 && reached + (undecided[bound - 1] ?? 0) <= budget) {
      bound--;
      reached += undecided[bound] ?? 0;
    }
    spent += reached;
    undecided.fill(0, bound);
    return bound;
  });
}

function withOneMoreRound(before: Float64Array): Float64Array {
  return Float64Array.from(
    { length: before.length + 1 },
    (_, above) => ((before[above] ?? 0) + (before[above - 1] ?? 0)) / 2,
  );
}

/**
 * Of how many comparisons each can make a verdict by lying above its threshold, and by lying below: they share the chance
 * to err on that side. Where all must lie on a side, none shares it.
 */
export interface Chances {
  readonly above?: number;
  readonly below?: number;
}

/**
 * The median of `values` (one for each round, in the order of the rounds) with its repeated confidence interval: at
 * every look the interval of the sign test at that look's bound (order statistics; Thompson, 1936), and of all of them
 * the intersection, which covers the true median with 1 − 2α, however often one looks (Jennison and Turnbull, 1989). So a
 * verdict never disagrees with the interval, and no later look takes it back. Rounds after the last look do not count.
 *
 * Before the first look, and where no bound can be reached, the interval is infinite. Where the rounds drift so much that
 * the looks contradict each other, the last look stands alone. The median is moved into the interval if it lies outside.
 * NaN without values.
 *
 * @param chances of which this comparison is one
 */
export function repeatedInterval(
  values: readonly number[],
  range: RoundsRange,
  { above = 1, below = 1 }: Chances = {},
): Interval {
  const isPast = ({ rounds }: Look) => rounds <= values.length;
  const looks = looksOf(range, values.length, above).filter(isPast);
  const looksBelow = looksOf(range, values.length, below);
  const intervals = looks.map(({ rounds, bound }, index) => {
    const sorted = Float64Array.from(values.slice(0, rounds)).sort();
    return {
      low: sorted[rounds - bound] ?? Number.NEGATIVE_INFINITY,
      high: sorted[(looksBelow[index]?.bound ?? 0) - 1] ?? Number.POSITIVE_INFINITY,
    };
  });
  const together = {
    low: Math.max(...intervals.map(({ low }) => low)),
    high: Math.min(...intervals.map(({ high }) => high)),
  };
  const { low, high } = together.low <= together.high ? together : (intervals.at(-1) ?? together);
  const rounds = looks.at(-1)?.rounds ?? 0;
  const middle = median(rounds === 0 ? values : values.slice(0, rounds));
  return { median: Math.min(high, Math.max(low, middle)), low, high };
}

/**
 * The median of an arm's figures with the interval of the sign test, which covers the true median with at least
 * `coverageOf`: up to 8 values the lowest and the highest. One value bounds nothing. It is what reports show; nothing is
 * decided by it.
 *
 * @throws RangeError without values
 */
export function medianInterval(values: readonly number[]): Interval {
  if (values.length === 0)
    throw new RangeError('Expected at least one value to take the median of, found none');
  if (coverageOf(values.length) === 0) return unbounded(median(values));
  const interval = repeatedInterval(values, fixedRounds(values.length));
  return values.length < minRounds
    ? { ...interval, low: Math.min(...values), high: Math.max(...values) }
    : interval;
}

/** Min probability, 0 to 1, with which the interval of `count` independent values covers the true median. */
export function coverageOf(count: number): number {
  return count < minRounds ? Math.max(0, 1 - 2 ** (1 - count)) : 1 - 2 * alpha;
}

/** The same for a ratio of this many rounds: with fewer than `minRounds` it has no interval, and no report shows it. */
export function coverageOfRatio(rounds: number): number {
  return rounds < minRounds ? 0 : coverageOf(rounds);
}

/**
 * How often, 0 to 1, at least one of so many comparisons is decided by chance alone, at most, if the truth of each is on
 * the other side of its threshold, or just there. The chances are added up (Bonferroni), which holds however the
 * comparisons depend on one another; never above 1. What is judged on both sides of a threshold makes two comparisons.
 */
export function falseVerdictChance(comparisons: number): number {
  return Math.min(1, comparisons * alpha);
}

/**
 * The smallest ratio above the threshold that a run like this would have found in 4 of 5 cases: as far above it as these
 * values must be moved so that the last look decides with probability 0.8. Null with too few rounds to tell, and where in
 * too many of them an arm completed nothing.
 */
export function detectableRatio(
  values: readonly number[],
  threshold: number,
  range: RoundsRange,
  comparisons = 1,
): number | null {
  const look = looksOf(range, values.length, comparisons).findLast(({ rounds }) => rounds <= values.length);
  if (look === undefined || look.bound > look.rounds) return null;
  const logs = values.slice(0, look.rounds).map(Math.log);
  // So many of the rounds must lie above the threshold: the fraction with which the bound is reached in 4 of 5 cases.
  const fraction = fractionFor(look);
  const ratio = threshold * Math.exp(median(logs) - quantile(logs, 1 - fraction));
  return Number.isFinite(ratio) ? ratio : null;
}

const power = 0.8;

/** The probability to lie above, of each round, with which a single look reaches its bound with probability 0.8. */
function fractionFor({ rounds, bound }: Look): number {
  let [low, high] = [0.5, 1];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (chanceToReach(rounds, bound, middle) < power) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≥ bound) of a binomial X, by logarithms of its terms. */
function chanceToReach(rounds: number, bound: number, fraction: number): number {
  let logTerm = rounds * Math.log(fraction);
  let sum = Math.exp(logTerm);
  for (let above = rounds - 1; above >= bound; above--) {
    logTerm += Math.log((above + 1) / (rounds - above)) + Math.log(1 - fraction) - Math.log(fraction);
    sum += Math.exp(logTerm);
  }
  return sum;
}

/**
 * About how many rounds would decide a comparison on which `above` of `rounds` lie on one side of the threshold, in 4 of 5
 * cases: (z(α) + z(power))² / (2p − 1)² of the sign test (Noether, 1987), with p the fraction on the side where more are.
 * Null if as many lie on either side: then no number would.
 */
export function roundsToDecide(above: number, rounds: number, comparisons = 1): number | null {
  const lean = Math.abs((2 * above) / rounds - 1);
  if (!(lean > 0)) return null;
  const z = normalTail(alpha / comparisons) + normalTail(1 - power);
  return Math.ceil((z / lean) ** 2);
}

/** The z above which a normal distribution has this probability, 0 to ½ (Abramowitz and Stegun, 26.2.23; error below 4.5e-4). */
function normalTail(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(probability));
  return (
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
}

/**
 * Rank correlation (Spearman, 1904) of each value with the one after it. Rounds that are independent have about 0; above
 * that, rounds repeat each other, and a verdict errs more often than stated. Null with fewer than 10 values.
 */
export function lagOneCorrelation(values: readonly number[]): number | null {
  if (values.length < 10) return null;
  const ranks = ranksOf(values);
  const [earlier, later] = [ranks.slice(0, -1), ranks.slice(1)];
  return correlation(earlier, later);
}

function ranksOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map(value => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function correlation(xs: readonly number[], ys: readonly number[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [both, ofX, ofY] = [0, 0, 0];
  for (const [index, x] of xs.entries()) {
    const dx = x - meanX;
    const dy = (ys[index] ?? meanY) - meanY;
    both += dx * dy;
    ofX += dx * dx;
    ofY += dy * dy;
  }
  return ofX > 0 && ofY > 0 ? both / Math.sqrt(ofX * ofY) : null;
}
