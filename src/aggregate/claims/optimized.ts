import { throughput } from '../stats/measures.ts';
import { formatPlural } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { designOptimized } from './judging/all-optimizations.ts';
import { judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

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
