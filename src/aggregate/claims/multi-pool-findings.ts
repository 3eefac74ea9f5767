import type { Pair } from '../pairs.ts';
import type { Interval, Verdict } from '../result.ts';
import { combineByRound, medianInterval } from '../statistics.ts';
import { findFlaw } from './soundness.ts';

/** Workers up to which one pool is said to be enough. */
export const workersForOnePool = 50;
/** A ratio of throughputs from which another pool pays: gains below 5 % are not worth a second pool to look after. */
export const payingRatio = 1.05;

/** The levels on one side of the 50 workers, combined. */
export interface Combined {
  readonly pools: number;
  readonly throughput: Interval;
  readonly responseP99: Interval | null;
  readonly rounds: number;
}

/** What one setting says. */
export interface Finding {
  readonly label: string;
  readonly verdict: Verdict;
  /** A clause that says why. */
  readonly why: string;
  readonly above: readonly Combined[];
  readonly upTo: readonly Combined[];
  /** Whether the figures are a ground for a verdict. */
  readonly sound: boolean;
  /** At the smallest level from which on its number of pools pays clearly at every level; null if there is none. */
  readonly crossover: Pair | null;
  readonly pairs: readonly Pair[];
}

/** Whether a pair has more workers than one pool is said to be enough for. */
export function isAbove(pair: Pair): boolean {
  return pair.one.workers > workersForOnePool;
}

/** Judges the pairs of one setting by the rule of the claim. */
export function judgeSetting(label: string, pairs: readonly Pair[]): Finding {
  const above = combineByPools(pairs.filter(isAbove));
  const upTo = combineByPools(pairs.filter(pair => !isAbove(pair)));
  const flaw = findFlaw(pairs);
  const [verdict, why] = flaw === null ? decide(above, upTo) : (['inconclusive', flaw] as const);
  return { label, verdict, why, above, upTo, sound: flaw === null, crossover: findCrossover(pairs), pairs };
}

function decide(above: readonly Combined[], upTo: readonly Combined[]): readonly [Verdict, why: string] {
  const refutedAbove = !above.some(mayPay);
  const refutedUpTo = upTo.some(paysClearly);
  if (refutedAbove && refutedUpTo)
    return ['refuted', 'several pools gain more than 5 % at 50 workers or fewer, but not above'];
  if (refutedAbove) return ['refuted', 'no number of pools gains 5 % above 50 workers'];
  if (refutedUpTo) return ['refuted', 'several pools gain more than 5 % already at 50 workers or fewer'];

  const unclear = 'the intervals are not clear of the 5 % that would pay';
  if (!above.some(paysClearly)) return ['inconclusive', `above 50 workers ${unclear}`];
  const pays = 'several pools gain more than 5 % above 50 workers';
  if (upTo.some(mayPay)) return ['inconclusive', `${pays}, but at 50 or fewer ${unclear}`];
  if (upTo.length > 0) return ['supported', `${pays} and not at 50 or fewer`];
  return ['supported', `${pays}; the run has no level of 50 or fewer, so that half is not judged`];
}

const paysClearly = ({ throughput }: Combined) => throughput.low > payingRatio;
const mayPay = ({ throughput }: Combined) => throughput.high >= payingRatio;

/** Combines the pairs of each number of pools, fewest pools first, without those that have no common round. */
export function combineByPools(pairs: readonly Pair[]): Combined[] {
  const numbers = [...new Set(pairs.map(pair => pair.several.pools))].toSorted((a, b) => a - b);
  return numbers.flatMap(pools => {
    const ofPools = pairs.filter(pair => pair.several.pools === pools);
    const throughput = combineByRound(ofPools.map(pair => pair.throughput));
    const responseP99 = combineByRound(ofPools.map(pair => pair.responseP99));
    if (throughput.length === 0) return [];
    return {
      pools,
      throughput: medianInterval(throughput),
      responseP99: responseP99.length === 0 ? null : medianInterval(responseP99),
      rounds: throughput.length,
    };
  });
}

/** The number of pools with the highest median throughput. */
export function bestOf(combined: readonly Combined[]): Combined | undefined {
  return combined.toSorted((a, b) => b.throughput.median - a.throughput.median)[0];
}

/** Of the numbers of pools that pay from the smallest level on, the pair that gains most there. */
function findCrossover(pairs: readonly Pair[]): Pair | null {
  const gain = (pair: Pair) => pair.throughput.ratio?.median ?? 0;
  const paying = pairs.filter(pair => {
    const ofPools = pairs.filter(other => other.several.pools === pair.several.pools);
    const fromHere = ofPools.filter(other => other.one.workers >= pair.one.workers);
    return fromHere.every(other => (other.throughput.ratio?.low ?? 0) > payingRatio);
  });
  return paying.toSorted((a, b) => a.one.workers - b.one.workers || gain(b) - gain(a))[0] ?? null;
}
