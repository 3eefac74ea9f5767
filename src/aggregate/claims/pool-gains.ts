import type { Comparison, Interval, ScenarioResult, Verdict } from '../result.ts';
import { groupBySetting } from '../scenario/setting.ts';
import { throughput } from '../stats/measures.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { clearlyMore } from '../stats/statistics.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  groupBy,
  isSteady,
  type PoolsPair,
  pairPools,
  pairThreads,
  pairWithOnePool,
  ratioOf,
  sharesThread,
} from './judging/arms.ts';
import { atLeast, contradicts } from './judging/prediction.ts';
import { findFlaw, findGrowthFlaw } from './judging/soundness.ts';
import { sourceReport } from './source-report.ts';

/** Number of workers up to which the source report considers one pool enough. */
export const onePoolWorkers = sourceReport.workersPerPool.high;

/** The throughput of a number of pools, each in a thread of its own, to that of one pool, at one level of workers. */
export interface Level {
  readonly pools: number;
  /** Over all pools. */
  readonly workers: number;
  readonly series: RoundSeries;
}

/** The same over some levels: their geometric mean within each round. */
export interface Gain {
  readonly pools: number;
  readonly series: RoundSeries;
  readonly interval: Interval;
  readonly levels: readonly Level[];
  /** A level that clearly contradicts the combination, on the other side of 5 %; null if none does. */
  readonly dissent: Level | null;
}

/** The gains on either side of 50 workers, by which C1 and C20 are judged. */
export interface Sides {
  /** Beyond 50 workers, and at 50 or fewer: one for each number of pools, in ascending order. */
  readonly above: readonly Gain[];
  readonly upTo: readonly Gain[];
  /** The gains beyond 50 workers to those at 50 or fewer, of each number of pools that has both. */
  readonly contrasts: readonly Contrast[];
}

/** The gain beyond 50 workers to that at 50 or fewer, of a number of pools. */
export type Contrast = Pick<Gain, 'pools' | 'series' | 'interval'>;

/** What one setting shows: a client, and a pool preset and a pipeline depth where the run has several. */
export interface Finding extends Sides {
  /** "ioredis, optimized". */
  readonly label: string;
  readonly client: string;
  readonly preset: string;
  /** What the gain beyond 50 workers is made of, of the number of pools that is shown; null without its arms. */
  readonly split: SplitGain | null;
  readonly pairs: readonly PoolsPair[];
  /** Why the figures do not allow a verdict, as a clause; null if they do. */
  readonly flaw: string | null;
}

const hasManyWorkers = ({ workers }: { readonly workers: number }) => workers > onePoolWorkers;

/** Whether a pair has more workers than one pool is said to be enough for. */
export const isAbove = ({ base }: ArmPair) => hasManyWorkers(base);

/** Pairs of a pool with a thread of its own and several with one each. */
export function pairsOfOwnThreads(scenarios: readonly ScenarioResult[]): PoolsPair[] {
  return pairWithOnePool(scenarios.filter(({ pools, threads }) => threads === pools));
}

/** What each setting of a run shows about several pools, those of applications first; none without such pairs. */
export function findGains(scenarios: readonly ScenarioResult[]): Finding[] {
  const arms = scenarios.filter(isSteady);
  const paired = new Set(armsOf(pairsOfOwnThreads(arms)));
  return groupBySetting(arms.filter(arm => paired.has(arm) || sharesThread(arm)))
    .map(({ label, scenarios }) => findGain(label, scenarios))
    .filter(({ pairs }) => pairs.length > 0);
}

/**
 * The deciding settings. wire is a bound that no application reaches, so it decides only if it is alone. If there are
 * optimized pools, only they decide: the source report recommends them, and the others help to explain the result.
 */
export function splitDeciding(findings: readonly Finding[]): {
  readonly deciding: readonly Finding[];
  readonly beside: readonly Finding[];
} {
  const narrow = (wanted: (finding: Finding) => boolean, from: readonly Finding[]) =>
    from.some(wanted) ? from.filter(wanted) : from;
  const ofApplications = narrow(({ client }) => client !== 'wire', findings);
  const deciding = narrow(({ preset }) => preset === 'optimized', ofApplications);
  return { deciding, beside: findings.filter(finding => !deciding.includes(finding)) };
}

function findGain(label: string, scenarios: readonly ScenarioResult[]): Finding {
  const pairs = pairsOfOwnThreads(scenarios);
  const arms = armsOf(pairs);
  const sides = findSides(
    pairs.map(({ base, other, throughput: { series } }) => ({
      pools: other.pools,
      workers: base.workers,
      series,
    })),
  );
  const shown = bestOf(sides.above);
  return {
    label: label.replace(/ pool(?=,|$)/, ''),
    client: scenarios[0]?.client ?? '',
    preset: scenarios[0]?.pool ?? '',
    ...sides,
    split: shown === undefined ? null : splitGain(scenarios.filter(hasManyWorkers), shown.pools),
    pairs,
    flaw: findFlaw(
      [...sides.above, ...sides.upTo].map(({ series }) => ({ arms, series })),
      () => findGrowthFlaw(arms),
    ),
  };
}

export function findSides(levels: readonly Level[]): Sides {
  const above = combineByPools(levels.filter(hasManyWorkers));
  const upTo = combineByPools(levels.filter(level => !hasManyWorkers(level)));
  return { above, upTo, contrasts: compareSides(above, upTo) };
}

/** Combines the levels of each number of pools, in ascending order. */
function combineByPools(levels: readonly Level[]): Gain[] {
  const byPools = groupBy(levels, ({ pools }) => pools).toSorted(([a], [b]) => a - b);
  return byPools.map(([pools, ofPools]) => {
    const series = RoundSeries.combine(ofPools.map(level => level.series));
    // One number of pools that pays off is enough, so each is a chance; that none does needs all of them.
    const interval = series.interval({ above: byPools.length });
    // A mean over levels hides a level that contradicts it.
    const dissent = ofPools.find(level =>
      contradicts(level.series.interval(), interval, atLeast(clearlyMore)),
    );
    return { pools, series, interval, levels: ofPools, dissent: dissent ?? null };
  });
}

function compareSides(above: readonly Gain[], upTo: readonly Gain[]): Contrast[] {
  const both = above.flatMap(gain => {
    const below = upTo.find(({ pools }) => pools === gain.pools);
    return below === undefined ? [] : { pools: gain.pools, series: gain.series.over(below.series) };
  });
  return both.map(({ pools, series }) => ({
    pools,
    series,
    interval: series.interval({ above: both.length }),
  }));
}

/** The verdict of C1. */
export function judgeBeyond({ above }: Sides): Verdict {
  if (above.some(pays)) return 'supported';
  return above.every(doesNotPay) ? 'refuted' : 'inconclusive';
}

/** The verdict of C20. */
export function judgeBeginning({ upTo, contrasts }: Sides): Verdict {
  const isNoLarger = contrasts.length > 0 && contrasts.every(({ interval }) => isNoGain(interval));
  if (upTo.some(pays) || isNoLarger) return 'refuted';
  return upTo.every(doesNotPay) && contrasts.some(isLarger) ? 'supported' : 'inconclusive';
}

/** The contrast to show: of those that are clearly larger, else of all, the largest. */
export function largestOf({ contrasts }: Sides): Contrast | undefined {
  const largest = contrasts.toSorted((a, b) => b.interval.median - a.interval.median);
  return largest.find(isLarger) ?? largest[0];
}

/** Whether the gain beyond 50 workers is worth more than that at 50 or fewer. */
const isLarger = ({ interval }: Contrast) => isGain(interval);

/** A gain that is clearly worth more pools, and one that clearly is not. */
export const isGain = ({ low }: Interval) => low > clearlyMore;
export const isNoGain = ({ high }: Interval) => high < clearlyMore;

export const pays = ({ interval, dissent }: Gain) => dissent === null && isGain(interval);
export const doesNotPay = ({ interval, dissent }: Gain) => dissent === null && isNoGain(interval);

/**
 * The number of pools to show: the one that gains most among those that pay off, otherwise those that may, otherwise
 * all.
 */
export function bestOf(gains: readonly Gain[]): Gain | undefined {
  const best = gains.toSorted((a, b) => b.interval.median - a.interval.median);
  return best.find(pays) ?? best.find(gain => !doesNotPay(gain)) ?? best[0];
}

/** The gain of several pools in threads of their own, in two parts whose product is about the whole gain. */
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
    flaw: findFlaw([pool, thread], () => findGrowthFlaw([...pool.arms, ...thread.arms])),
  };
}

function groundOf(pairs: readonly ArmPair[]) {
  return {
    arms: armsOf(pairs),
    series: RoundSeries.combine(pairs.map(pair => ratioOf(pair, throughput).series)),
  };
}

/** Both parts of every level and number of pools. */
export function compareEffects(scenarios: readonly ScenarioResult[]): Comparison[] {
  const named = (effect: string) => ({ ...throughput, name: `${throughput.name}, ${effect} effect` });
  return [
    ...compareArms(pairPools(scenarios), [named('pool')]),
    ...compareArms(pairThreads(scenarios), [named('thread')]),
  ];
}
