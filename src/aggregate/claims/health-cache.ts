import type { RoundResult, ScenarioResult } from '../result.ts';
import { meanLatency, throughput } from '../stats/measures.ts';
import { formatList, formatMs } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { armsOf, pairWithBaseline } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';
import { findGrowthFlaw, findHealthFlaw } from './judging/soundness.ts';

/**
 * C5. `health-cached` pools with a TTL of 1 s against `baseline`, all levels combined within each round.
 *
 * In a closed loop mean response time × throughput is the number of workers, so both predictions are about one figure, and
 * they count as one. It shows that the document contradicts itself: −10–15 % mean response time is +11–18 % throughput,
 * not +5–10 %. No measurement could be both, so what is judged is the least that it promises, +5 %, in either measure: a
 * mean of ×1/1.05. The larger promise stands in `predicted` and, as ratios, in the reason, for a reader to hold the figures against.
 */
export const healthCache: Claim = {
  id: 'C5',
  statement: 'Caching the health check lowers mean latency and raises throughput.',
  predicted:
    '−10–15 % mean response time, +5–10 % throughput; a check costs 0.05–0.1 ms an operation; judged: mean ×0.95 or less',
  suite: 'optimizations',
  judge: evidence => judgePredictions(evidence, design),
};

/** The smaller of the document's two promises. */
const leastGain = 1.05;

const design: Design = {
  needs: 'a baseline and a health-cached pool of equal workers',
  predictions(scenarios) {
    const pairs = pairWithBaseline(scenarios, 'health-cached');
    if (pairs.length === 0) return [];
    const where = 'health-cached to baseline';
    return [
      predictRatio(meanLatency, pairs, where, { low: null, high: 1 / leastGain }),
      { ...predictRatio(throughput, pairs, where, { low: leastGain, high: null }), restates: true },
    ];
  },
  proof(scenarios) {
    const pairs = pairWithBaseline(scenarios, 'health-cached');
    return findHealthFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
  },
  remarks: scenarios => [
    'In a closed loop these two are one figure, and the document contradicts itself: −10–15 % mean response time would be +11–18 % throughput, where it says +5–10 %; judged is the least that it promises, +5 %.',
    ...sayCost(pairWithBaseline(scenarios, 'health-cached').map(({ base }) => base)),
  ],
};

/** Time of the checks, spread over all operations. While a check waits for its turn, other work is done. */
function sayCost(arms: readonly ScenarioResult[]): string[] {
  const costs = arms.flatMap(({ client, workers, rounds }) => {
    const sum = (count: (round: RoundResult) => number) =>
      rounds.reduce((total, round) => total + count(round), 0);
    const completed = sum(round => round.completed);
    if (completed === 0) return [];
    const ms = sum(({ poolMetrics }) => poolMetrics.healthCheckMs) / completed;
    return `${formatMs(ms)} ms at ${workers} workers (${client})`;
  });
  if (costs.length === 0) return [];
  return [
    `In baseline pools an operation waited for health checks ${formatList(costs)}; the document says 0.05–0.1 ms.`,
  ];
}
