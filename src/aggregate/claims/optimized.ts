import type { ScenarioResult } from '../result.ts';
import { p95, p99, throughput } from '../stats/measures.ts';
import { formatPlural } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, armsOf, atWorkers, pairWithBaseline, sayMissingLevels } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { type Prediction, predictRatio } from './judging/prediction.ts';
import { findGrowthFlaw, findHealthFlaw, findLockFlaw } from './judging/soundness.ts';

/**
 * What the claims about all optimizations together share: `optimized` pools against `baseline`, level by level, with
 * the proof that each optimization was on.
 *
 * @param promised what the document promises at each level, the one the claim is named for first
 * @param predict turns the promise into predictions about the pairs of its level
 */
export function designOptimized<Promised extends { readonly workers: number }>(
  needs: string,
  promised: readonly Promised[],
  predict: (pairs: readonly ArmPair[], promise: Promised) => readonly Prediction[],
): Design {
  const levels = promised.map(({ workers }) => workers);
  const pairsAt = (scenarios: readonly ScenarioResult[], workers: number) =>
    atWorkers(pairWithBaseline(scenarios, 'optimized'), workers);
  const pairsOf = (scenarios: readonly ScenarioResult[]) =>
    levels.flatMap(workers => pairsAt(scenarios, workers));
  return {
    needs,
    predictions: scenarios =>
      promised.flatMap(promise => {
        const pairs = pairsAt(scenarios, promise.workers);
        return pairs.length === 0 ? [] : predict(pairs, promise);
      }),
    proof(scenarios) {
      const pairs = pairsOf(scenarios);
      return findLockFlaw(pairs) ?? findHealthFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
    },
    remarks: scenarios => sayMissingLevels(pairsOf(scenarios), levels),
  };
}

/** Most workers first: the document's promise is one "under high concurrency". */
const promised = [
  { workers: 100, gain: 1.27 },
  { workers: 50, gain: 1.27 },
  { workers: 10, gain: 1.15 },
  { workers: 1, gain: 1.05 },
];

/** C7. `optimized` pools against `baseline`, each level by itself: it is promised a gain of its own. */
export const optimized: Claim = {
  id: 'C7',
  statement: 'All optimizations together raise throughput.',
  predicted: '+5 % at 1 worker, +15 % at 10, +27 % at 50 and 100',
  suite: 'optimizations',
  judge: evidence => judgePredictions(evidence, design),
};

const design = designOptimized(
  'a baseline and an optimized pool at 1, 10, 50 or 100 workers',
  promised,
  (pairs, { workers, gain }) => {
    const where = `optimized to baseline, ${formatPlural(workers, 'worker')}`;
    return [predictRatio(throughput, pairs, where, { low: gain, high: null })];
  },
);

/** The levels for which the document promises percentiles, and the ratios that these are to stay under. */
const promisedTail = [
  { workers: 50, p95: 0.78, p99: 0.75 },
  { workers: 10, p95: 0.82, p99: 0.79 },
];

/** C8. `optimized` pools against `baseline`, as in C7, by the tail of their response times. */
export const optimizedTail: Claim = {
  id: 'C8',
  statement: 'All optimizations together cut the tail of latency by 18–25 %.',
  predicted: 'p95 −18 % and p99 −21 % at 10 workers, p95 −22 % and p99 −25 % at 50',
  suite: 'optimizations',
  judge: evidence => judgePredictions(evidence, tailDesign),
};

const tailDesign = designOptimized(
  'a baseline and an optimized pool at 10 or 50 workers',
  promisedTail,
  (pairs, most) => {
    const where = `optimized to baseline, ${most.workers} workers`;
    return [
      predictRatio(p95, pairs, where, { low: null, high: most.p95 }),
      predictRatio(p99, pairs, where, { low: null, high: most.p99 }),
    ];
  },
);
