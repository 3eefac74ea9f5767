import type { Comparison, RoundResult, ScenarioResult } from '../../result.ts';
import { armKey, type ScenarioKey } from '../../scenario/scenario.ts';
import { type Measure, p99, throughput } from '../../stats/measures.ts';
import type { PairedRatio } from '../../stats/paired-ratio.ts';
import { pairByRound } from '../../stats/pairs.ts';

/** Two scenarios that differ in nothing but what a claim is about. */
export interface ArmPair {
  readonly base: ScenarioResult;
  readonly other: ScenarioResult;
}

/**
 * Pairs every scenario of `isOther` with the scenario of `isBase` that equals it in all dimensions but those of
 * `differ`, in the order of `scenarios`. One without such an equal is left out.
 */
export function pairArms(
  scenarios: readonly ScenarioResult[],
  {
    isBase,
    isOther,
    differ,
  }: {
    readonly isBase: (scenario: ScenarioResult) => boolean;
    readonly isOther: (scenario: ScenarioResult) => boolean;
    readonly differ: readonly ScenarioKey[];
  },
): ArmPair[] {
  const keyOf = (scenario: ScenarioResult) => armKey(scenario, differ);
  const bases = new Map<string, ScenarioResult>();
  for (const scenario of scenarios) {
    if (isBase(scenario) && !bases.has(keyOf(scenario))) bases.set(keyOf(scenario), scenario);
  }
  return scenarios.flatMap(other => {
    const base = isOther(other) ? bases.get(keyOf(other)) : undefined;
    return base === undefined || base === other ? [] : [{ base, other }];
  });
}

/** A scenario of several pools beside the one that differs from it only by having one pool. */
export interface Pair {
  readonly one: ScenarioResult;
  readonly several: ScenarioResult;
  /** several / one, paired by round. */
  readonly throughput: PairedRatio;
  readonly responseP99: PairedRatio;
}

/** Pairs every scenario of several pools with its equal of one pool, in the order of `scenarios`, if there is one. */
export function pairWithOnePool(scenarios: readonly ScenarioResult[]): Pair[] {
  const pairs = pairArms(scenarios, {
    isBase: ({ pools }) => pools === 1,
    isOther: ({ pools }) => pools > 1,
    differ: ['pools', 'poolsPerThread'],
  });
  return pairs.map(pair => ({
    one: pair.base,
    several: pair.other,
    throughput: ratioOf(pair, throughput.figure),
    responseP99: ratioOf(pair, p99.figure),
  }));
}

/** Both arms of every pair, each once. */
export function armsOf(pairs: readonly ArmPair[]): ScenarioResult[] {
  return [...new Set(pairs.flatMap(({ base, other }) => [base, other]))];
}

/** other / base of one measure, paired by round. */
export function ratioOf({ base, other }: ArmPair, figure: (round: RoundResult) => number): PairedRatio {
  return pairByRound(base, other, figure);
}

/** The pair's ratio as it stands in result.json; nothing if the arms have no round in common. */
export function compareArms(
  pair: ArmPair,
  measure: Measure,
  predicted: Comparison['predicted'],
): Comparison[] {
  const { ratio, p, byRound } = ratioOf(pair, measure.figure);
  if (ratio === null) return [];
  const { base, other } = pair;
  const limitedBy = { base: base.limitedBy.resource, other: other.limitedBy.resource };
  return [
    {
      measure: measure.name,
      base: base.id,
      other: other.id,
      rounds: byRound.size,
      ratio,
      p,
      predicted,
      limitedBy,
    },
  ];
}
