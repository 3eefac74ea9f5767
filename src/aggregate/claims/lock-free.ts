import type { ScenarioResult } from '../result.ts';
import { p95, p99, throughput } from '../stats/measures.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, armsOf, pairWithBaseline } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';
import { findGrowthFlaw, findLockFlaw } from './judging/soundness.ts';

/** "At 50+ concurrent workers." */
const fewestWorkers = 50;

/** C4. `lock-free` pools against `baseline`, the levels from 50 workers on combined within each round. */
export const lockFree: Claim = {
  id: 'C4',
  statement:
    'Acquiring a connection without a lock raises throughput and lowers tail latency from 50 workers on.',
  predicted: '+15–25 % throughput, −10–15 % p95 and p99',
  suite: 'optimizations',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: `a baseline and a lock-free pool at ${fewestWorkers} workers or more`,
  predictions(scenarios) {
    const pairs = pairsOf(scenarios);
    if (pairs.length === 0) return [];
    const where = 'lock-free to baseline';
    return [
      predictRatio(throughput, pairs, where, { low: 1.15, high: null }),
      predictRatio(p95, pairs, where, { low: null, high: 0.9 }),
      predictRatio(p99, pairs, where, { low: null, high: 0.9 }),
    ];
  },
  proof(scenarios) {
    const pairs = pairsOf(scenarios);
    return findLockFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
  },
};

function pairsOf(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithBaseline(scenarios, 'lock-free').filter(({ base }) => base.workers >= fewestWorkers);
}
