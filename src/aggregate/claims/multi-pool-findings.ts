import type { Comparison, Interval, ScenarioResult, Verdict } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { formatPlural } from '../text/format.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  groupBy,
  type PoolsPair,
  pairArms,
  pairWithOnePool,
  ratioOf,
} from './judging/arms.ts';
import { formatRatioAgainst } from './judging/reason.ts';
import { findFlaw, findGrowthFlaw } from './judging/soundness.ts';
import { sourceReport } from './source-report.ts';

/** Number of workers up to which the claim considers one pool enough. */
export const onePoolWorkers = sourceReport.workersPerPool.high;
const atFew = `at ${onePoolWorkers}`;
const aboveFew = `above ${onePoolWorkers} workers`;

/** The levels on one side of the 50 workers, combined. */
export interface Combined {
  readonly pools: number;
  readonly throughput: Interval;
  readonly rounds: number;
  /** A level that by itself lies clearly on the other side of the 5 % than all together; null if none does. */
  readonly dissent: PoolsPair | null;
}

/** What one setting shows. */
export interface Finding {
  /** "ioredis, optimized". */
  readonly label: string;
  readonly client: string;
  readonly verdict: Verdict;
  /** The reason for it, as a clause. */
  readonly why: string;
  readonly above: readonly Combined[];
  readonly upTo: readonly Combined[];
  /** Whether the figures are a ground for a verdict. */
  readonly sound: boolean;
  /**
   * The pair at the smallest level from which its number of pools pays clearly at every level; null if
   * there is none.
   */
  readonly crossover: PoolsPair | null;
  readonly pairs: readonly PoolsPair[];
  /** Above 50 workers, of the number of pools that is shown there; null without arms that share a thread. */
  readonly split: SplitGain | null;
}

const hasManyWorkers = ({ workers }: ScenarioResult) => workers > onePoolWorkers;

/** Whether a pair has more workers than one pool is said to be enough for. */
export const isAbove = ({ base }: ArmPair) => hasManyWorkers(base);

/** Pairs of a pool with a thread of its own and several with one each. */
export function pairsOfOwnThreads(scenarios: readonly ScenarioResult[]): PoolsPair[] {
  return pairWithOnePool(scenarios.filter(({ pools, threads }) => threads === pools));
}

/** Judges the scenarios of one setting by the rule of the claim. */
export function judgeSetting(label: string, scenarios: readonly ScenarioResult[]): Finding {
  const pairs = pairsOfOwnThreads(scenarios);
  const above = combineByPools(pairs.filter(isAbove));
  const upTo = combineByPools(pairs.filter(pair => !isAbove(pair)));
  const arms = armsOf(pairs);
  const series = RoundSeries.combine(pairs.map(({ throughput }) => throughput.series));
  const flaw = findFlaw([{ arms, series }]) ?? findGrowthFlaw(arms);
  const [verdict, why] = flaw === null ? decide(above, upTo) : (['inconclusive', flaw] as const);
  const best = bestOf(above);
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
    split: best ? splitGain(scenarios.filter(hasManyWorkers), best.pools) : null,
  };
}

function decide(above: readonly Combined[], upTo: readonly Combined[]): readonly [Verdict, why: string] {
  const refutedAbove = !above.some(mayPay);
  const refutedUpTo = upTo.some(paysClearly);
  if (refutedAbove && refutedUpTo)
    return ['refuted', `several pools gain more than 5 % ${atFew} workers or fewer, but not above`];
  if (refutedAbove) return ['refuted', `no number of pools gains 5 % ${aboveFew}`];
  if (refutedUpTo) return ['refuted', `several pools gain more than 5 % already ${atFew} workers or fewer`];

  if (!above.some(paysClearly)) return ['inconclusive', `${aboveFew} ${describeUnclear(above)}`];
  const pays = `several pools gain more than 5 % ${aboveFew}`;
  if (upTo.some(mayPay)) return ['inconclusive', `${pays}, but ${atFew} or fewer ${describeUnclear(upTo)}`];
  if (upTo.length > 0) return ['supported', `${pays} and not ${atFew} or fewer`];
  return [
    'supported',
    `${pays}; the run has no level of ${onePoolWorkers} or fewer, so that half is not judged`,
  ];
}

export const paysClearly = ({ throughput, dissent }: Combined) =>
  dissent === null && throughput.low > clearlyMore;
export const mayPay = ({ throughput, dissent }: Combined) =>
  dissent !== null || throughput.high >= clearlyMore;

function describeUnclear(side: readonly Combined[]): string {
  const best = bestOf(side);
  return best === undefined || best.dissent === null
    ? 'the intervals are not clear of the 5 % that would pay'
    : `${best.pools} pools gave ${formatRatioAgainst(best.throughput, clearlyMore)} on average, but ${describeDissent(best.dissent)}`;
}

/** "×1.20 [1.18, 1.23] at 100 workers". */
export function describeDissent({ base, throughput: { ratio } }: PoolsPair): string {
  const gain = ratio === null ? '' : `${formatRatioAgainst(ratio, clearlyMore)} `;
  return `${gain}at ${formatPlural(base.workers, 'worker')}`;
}

/** Combines the pairs of each number of pools, in ascending order, without those that have no common round. */
function combineByPools(pairs: readonly PoolsPair[]): Combined[] {
  const byPools = groupBy(pairs, ({ other }) => other.pools).toSorted(([a], [b]) => a - b);
  return byPools.flatMap(([pools, ofPools]) => {
    const series = RoundSeries.combine(ofPools.map(pair => pair.throughput.series));
    if (series.size === 0) return [];
    const together = series.interval();
    const dissent = findDissent(together, ofPools);
    return { pools, throughput: together, rounds: series.size, dissent };
  });
}

/** A mean over levels hides one that says the opposite. */
function findDissent(together: Interval, pairs: readonly PoolsPair[]): PoolsPair | null {
  const isOpposite = ({ throughput: { ratio } }: PoolsPair) =>
    ratio !== null &&
    ((together.low > clearlyMore && ratio.high < clearlyMore) ||
      (together.high < clearlyMore && ratio.low > clearlyMore));
  return pairs.find(isOpposite) ?? null;
}

/** The number of pools to show: of those that pay clearly, else of those that may, else of all, the one that gains most. */
export function bestOf(combined: readonly Combined[]): Combined | undefined {
  const best = combined.toSorted((a, b) => b.throughput.median - a.throughput.median);
  return best.find(paysClearly) ?? best.find(mayPay) ?? best[0];
}

/** Of the numbers of pools that pay from the smallest level on, the pair that gains most there. */
function findCrossover(pairs: readonly PoolsPair[]): PoolsPair | null {
  const gain = (pair: PoolsPair) => pair.throughput.ratio?.median ?? 0;
  const paying = pairs.filter(({ base, other }) =>
    pairs
      .filter(pair => pair.other.pools === other.pools && pair.base.workers >= base.workers)
      .every(pair => (pair.throughput.ratio?.low ?? 0) > clearlyMore),
  );
  return paying.toSorted((a, b) => a.base.workers - b.base.workers || gain(b) - gain(a))[0] ?? null;
}

/**
 * The gain of several pools with threads of their own, split into two effects whose product is about the
 * whole gain.
 */
export interface SplitGain {
  readonly pools: number;
  /** Several pools in one thread to one pool. */
  readonly pool: Interval;
  /** As many threads with one pool each to the same pools in one thread. */
  readonly thread: Interval;
  /** Why these figures do not show where the gain comes from, as a clause; null if they do. */
  readonly flaw: string | null;
}

/** Splits the gain of so many pools, over the levels that have all three arms; null if none has. */
function splitGain(scenarios: readonly ScenarioResult[], pools: number): SplitGain | null {
  const ofThread = pairThreads(scenarios).filter(({ base }) => base.pools === pools);
  const sides = pairPools(scenarios).flatMap(pool => {
    const thread = ofThread.find(({ base }) => base === pool.other);
    return thread === undefined ? [] : { pool, thread };
  });
  const pool = groundOf(sides.map(side => side.pool));
  const thread = groundOf(sides.map(side => side.thread));
  if (pool.series.size === 0 || thread.series.size === 0) return null;
  return {
    pools,
    pool: pool.series.interval(),
    thread: thread.series.interval(),
    flaw: findFlaw([pool, thread]) ?? findGrowthFlaw([...pool.arms, ...thread.arms]),
  };
}

function groundOf(pairs: readonly ArmPair[]) {
  return {
    arms: armsOf(pairs),
    series: RoundSeries.combine(pairs.map(pair => ratioOf(pair, throughput.figure).series)),
  };
}

/** Both effects of every level and number of pools. */
export function compareEffects(scenarios: readonly ScenarioResult[]): Comparison[] {
  const named = (effect: string) => ({ ...throughput, name: `${throughput.name}, ${effect} effect` });
  return [
    ...compareArms(pairPools(scenarios), [named('pool')]),
    ...compareArms(pairThreads(scenarios), [named('thread')]),
  ];
}

/** Several pools in one thread. */
export const sharesThread = ({ pools, threads }: ScenarioResult) => pools > 1 && threads === 1;

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
