import type { Comparison, Interval, ScenarioResult, Verdict } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { combineByRound } from '../stats/paired-ratio.ts';
import { clearlyMore, medianInterval } from '../stats/statistics.ts';
import { formatPlural } from '../text/format.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  type Pair,
  pairArms,
  pairWithOnePool,
  ratioOf,
} from './judging/arms.ts';
import { sayRatioAgainst } from './judging/reason.ts';
import { findFlaw, findGrowthFlaw } from './judging/soundness.ts';

/** Workers up to which one pool is said to be enough. */
const workersForOnePool = 50;

/** The levels on one side of the 50 workers, combined. */
export interface Combined {
  readonly pools: number;
  readonly throughput: Interval;
  readonly rounds: number;
  /** A level that by itself lies clearly on the other side of the 5 % than all together; null if none does. */
  readonly dissent: Pair | null;
}

/** What one setting says. */
export interface Finding {
  /** "ioredis, optimized". */
  readonly label: string;
  readonly client: string;
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
  /** Above 50 workers, of the number of pools that is told of there; null without arms that share a thread. */
  readonly split: SplitGain | null;
}

/** Whether a pair has more workers than one pool is said to be enough for. */
export function isAbove(pair: Pair): boolean {
  return hasManyWorkers(pair.one);
}

function hasManyWorkers({ workers }: ScenarioResult): boolean {
  return workers > workersForOnePool;
}

/** Pairs of a pool with a thread of its own and several with one each. */
export function pairsOfOwnThreads(scenarios: readonly ScenarioResult[]): Pair[] {
  return pairWithOnePool(scenarios.filter(({ pools, threads }) => threads === pools));
}

/** Judges the scenarios of one setting by the rule of the claim. */
export function judgeSetting(label: string, scenarios: readonly ScenarioResult[]): Finding {
  const pairs = pairsOfOwnThreads(scenarios);
  const above = combineByPools(pairs.filter(isAbove));
  const upTo = combineByPools(pairs.filter(pair => !isAbove(pair)));
  const judged = pairs.flatMap(({ one, several }) => [one, several]);
  const byRound = combineByRound(pairs.map(({ throughput }) => throughput));
  const flaw = findFlaw([{ arms: judged, byRound }]) ?? findGrowthFlaw(judged);
  const [verdict, why] = flaw === null ? decide(above, upTo) : (['inconclusive', flaw] as const);
  const told = tellingOf(above);
  return {
    label: label.replace(/ pool(?=,|$)/, ''),
    client: scenarios[0]?.client ?? '',
    verdict,
    why,
    above,
    upTo,
    sound: flaw === null,
    crossover: findCrossover(pairs),
    pairs,
    split: told ? splitGain(scenarios.filter(hasManyWorkers), told.pools) : null,
  };
}

function decide(above: readonly Combined[], upTo: readonly Combined[]): readonly [Verdict, why: string] {
  const refutedAbove = !above.some(mayPay);
  const refutedUpTo = upTo.some(paysClearly);
  if (refutedAbove && refutedUpTo)
    return ['refuted', 'several pools gain more than 5 % at 50 workers or fewer, but not above'];
  if (refutedAbove) return ['refuted', 'no number of pools gains 5 % above 50 workers'];
  if (refutedUpTo) return ['refuted', 'several pools gain more than 5 % already at 50 workers or fewer'];

  if (!above.some(paysClearly)) return ['inconclusive', `above 50 workers ${sayUnclear(above)}`];
  const pays = 'several pools gain more than 5 % above 50 workers';
  if (upTo.some(mayPay)) return ['inconclusive', `${pays}, but at 50 or fewer ${sayUnclear(upTo)}`];
  if (upTo.length > 0) return ['supported', `${pays} and not at 50 or fewer`];
  return ['supported', `${pays}; the run has no level of 50 or fewer, so that half is not judged`];
}

export const paysClearly = ({ throughput, dissent }: Combined) =>
  dissent === null && throughput.low > clearlyMore;
export const mayPay = ({ throughput, dissent }: Combined) =>
  dissent !== null || throughput.high >= clearlyMore;

function sayUnclear(side: readonly Combined[]): string {
  const told = tellingOf(side);
  return told === undefined || told.dissent === null
    ? 'the intervals are not clear of the 5 % that would pay'
    : `${told.pools} pools gave ${sayRatioAgainst(told.throughput, clearlyMore)} on average, but ${sayDissent(told.dissent)}`;
}

/** "×1.20 [1.18, 1.23] at 100 workers". */
export function sayDissent({ one, throughput: { ratio } }: Pair): string {
  const gain = ratio === null ? '' : `${sayRatioAgainst(ratio, clearlyMore)} `;
  return `${gain}at ${formatPlural(one.workers, 'worker')}`;
}

/** Combines the pairs of each number of pools, fewest pools first, without those that have no common round. */
function combineByPools(pairs: readonly Pair[]): Combined[] {
  const numbers = [...new Set(pairs.map(pair => pair.several.pools))].toSorted((a, b) => a - b);
  return numbers.flatMap(pools => {
    const ofPools = pairs.filter(pair => pair.several.pools === pools);
    const throughput = combineByRound(ofPools.map(pair => pair.throughput));
    if (throughput.length === 0) return [];
    const together = medianInterval(throughput);
    return {
      pools,
      throughput: together,
      rounds: throughput.length,
      dissent: findDissent(together, ofPools),
    };
  });
}

/** A mean over levels hides one that says the opposite. */
function findDissent(together: Interval, pairs: readonly Pair[]): Pair | null {
  const isOpposite = ({ throughput: { ratio } }: Pair) =>
    ratio !== null &&
    ((together.low > clearlyMore && ratio.high < clearlyMore) ||
      (together.high < clearlyMore && ratio.low > clearlyMore));
  return pairs.find(isOpposite) ?? null;
}

/** The number of pools to tell of: of those that pay clearly, else of those that may, else of all, the one that gains most. */
export function tellingOf(combined: readonly Combined[]): Combined | undefined {
  const best = combined.toSorted((a, b) => b.throughput.median - a.throughput.median);
  return best.find(paysClearly) ?? best.find(mayPay) ?? best[0];
}

/** Of the numbers of pools that pay from the smallest level on, the pair that gains most there. */
function findCrossover(pairs: readonly Pair[]): Pair | null {
  const gain = (pair: Pair) => pair.throughput.ratio?.median ?? 0;
  const paying = pairs.filter(pair => {
    const ofPools = pairs.filter(other => other.several.pools === pair.several.pools);
    const fromHere = ofPools.filter(other => other.one.workers >= pair.one.workers);
    return fromHere.every(other => (other.throughput.ratio?.low ?? 0) > clearlyMore);
  });
  return paying.toSorted((a, b) => a.one.workers - b.one.workers || gain(b) - gain(a))[0] ?? null;
}

/** The gain of several pools with a thread of their own, taken apart. Their product is about the whole gain. */
export interface SplitGain {
  readonly pools: number;
  /** Several pools in one thread to one pool. */
  readonly pool: Interval;
  /** As many threads with one pool each to the same pools in one thread. */
  readonly thread: Interval;
  /** Why these figures cannot tell whose the gain is, as a clause; null if they can. */
  readonly flaw: string | null;
}

/** Takes the gain of so many pools apart, over the levels that have all three arms; null where none has. */
export function splitGain(scenarios: readonly ScenarioResult[], pools: number): SplitGain | null {
  const ofThread = pairThreads(scenarios).filter(({ base }) => base.pools === pools);
  const sides = pairPools(scenarios).flatMap(pool => {
    const thread = ofThread.find(({ base }) => base === pool.other);
    return thread === undefined ? [] : { pool, thread };
  });
  const pool = groundOf(sides.map(side => side.pool));
  const thread = groundOf(sides.map(side => side.thread));
  if (pool.byRound.length === 0 || thread.byRound.length === 0) return null;
  return {
    pools,
    pool: medianInterval(pool.byRound),
    thread: medianInterval(thread.byRound),
    flaw: findFlaw([pool, thread]) ?? findGrowthFlaw([...pool.arms, ...thread.arms]),
  };
}

function groundOf(pairs: readonly ArmPair[]) {
  return {
    arms: armsOf(pairs),
    byRound: combineByRound(pairs.map(pair => ratioOf(pair, throughput.figure))),
  };
}

/** Both effects of every level and number of pools. */
export function compareEffects(scenarios: readonly ScenarioResult[]): Comparison[] {
  const named = (effect: string) => ({ ...throughput, name: `${throughput.name}, ${effect} effect` });
  return [
    ...pairPools(scenarios).flatMap(pair => compareArms(pair, named('pool'), null)),
    ...pairThreads(scenarios).flatMap(pair => compareArms(pair, named('thread'), null)),
  ];
}

/** Several pools in one thread. */
export function sharesThread({ pools, threads }: ScenarioResult): boolean {
  return pools > 1 && threads === 1;
}

function pairPools(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: ({ pools }) => pools === 1,
    isOther: sharesThread,
    differ: ['pools', 'poolsPerThread'],
  });
}

function pairThreads(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: sharesThread,
    isOther: ({ pools, threads }) => pools > 1 && threads === pools,
    differ: ['poolsPerThread'],
  });
}
