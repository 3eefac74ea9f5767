import { p95, p99 } from '../stats/measures.ts';
import type { Claim } from './claim.ts';
import { designOptimized } from './judging/all-optimizations.ts';
import { judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

/** The levels for which the document promises percentiles, and the ratios that these are to stay under. */
const promised = [
  { workers: 50, p95: 0.78, p99: 0.75 },
  { workers: 10, p95: 0.82, p99: 0.79 },
];

/** C8. `optimized` pools against `baseline`, as in C7, by the tail of their response times. */
export const optimizedTail: Claim = {
  id: 'C8',
  statement: 'All optimizations together cut the tail of latency by 18–25 %.',
  predicted: 'p95 −18 % and p99 −21 % at 10 workers, p95 −22 % and p99 −25 % at 50',
  suite: 'optimizations',
  judge: evidence => judgePredictions(evidence, design),
};

const design = designOptimized(
  'a baseline and an optimized pool at 10 or 50 workers',
  promised,
  (pairs, most) => {
    const where = `optimized to baseline, ${most.workers} workers`;
    return [
      predictRatio(p95, pairs, where, { low: null, high: most.p95 }),
      predictRatio(p99, pairs, where, { low: null, high: most.p99 }),
    ];
  },
);
