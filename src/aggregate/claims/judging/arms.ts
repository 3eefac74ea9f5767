import type { Measure } from '../../measures.ts';
import type { PairedRatio } from '../../paired-ratio.ts';
import { pairByRound } from '../../pairs.ts';
import type { Comparison, RoundResult, ScenarioResult } from '../../result.ts';

/** Two scenarios that differ in nothing but what a claim is about. */
export interface ArmPair {
  readonly base: ScenarioResult;
  readonly other: ScenarioResult;
}

/** What makes a scenario what it is. Threads follow from pools and poolsPerThread. */
const dimensions = [
  'client',
  'pool',
  'pools',
  'poolsPerThread',
  'workers',
  'connections',
  'minIdle',
  'pipeline',
  'probe',
  'healthTtlMs',
  'arrival',
  'connects',
  'autoPipelining',
  'batch',
  'cutEveryMs',
  'burst',
] as const satisfies readonly (keyof ScenarioResult)[];
export type Dimension = (typeof dimensions)[number];

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
    readonly differ: readonly Dimension[];
  },
): ArmPair[] {
  const kept = dimensions.filter(dimension => !differ.includes(dimension));
  const keyOf = (scenario: ScenarioResult) => JSON.stringify(kept.map(dimension => scenario[dimension]));
  const bases = new Map<string, ScenarioResult>();
  for (const scenario of scenarios) {
    if (isBase(scenario) && !bases.has(keyOf(scenario))) bases.set(keyOf(scenario), scenario);
  }
  return scenarios.flatMap(other => {
    const base = isOther(other) ? bases.get(keyOf(other)) : undefined;
    return base === undefined || base === other ? [] : [{ base, other }];
  });
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
