import type { ScenarioResult } from '../../result.ts';
import { type ArmPair, armsOf } from './arms.ts';
import type { Design } from './judge-predictions.ts';
import type { Prediction } from './prediction.ts';
import { atWorkers, pairWithBaseline, sayMissingLevels } from './preset-pairs.ts';
import { findGrowthFlaw, findHealthFlaw, findLockFlaw } from './strategy-proofs.ts';

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
