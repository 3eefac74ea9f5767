import type { Comparison, Interval, ScenarioResult } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { combineByRound } from '../stats/paired-ratio.ts';
import { medianInterval } from '../stats/statistics.ts';
import { type ArmPair, armsOf, compareArms, pairArms, ratioOf } from './judging/arms.ts';
import { findFlaw } from './judging/soundness.ts';
import { findGrowthFlaw } from './judging/strategy-proofs.ts';

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
