import type { RoundResult, ScenarioResult } from '../result.ts';
import { meanLatency, p95, p99, throughput } from '../stats/measures.ts';
import { sumOf } from '../stats/statistics.ts';
import { formatList, formatMs, formatPlural } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import { type ArmPair, armsOf, pairWithBaseline } from './judging/arms.ts';
import { cutOf, gainOf, predictDifference, predictRatios } from './judging/prediction.ts';
import { findGrowthFlaw, findRound } from './judging/soundness.ts';
import {
  formatByWorkers,
  formatChange,
  formatChangeRange,
  formatPercents,
  sourceReport,
} from './source-report.ts';

const ofLockFree = sourceReport.lockFree;

/** C4. `lock-free` pools against `baseline`, the levels from 50 workers on combined within each round. */
export const lockFree: PredictingClaim = {
  id: 'C4',
  statement: `Acquiring a connection without a lock raises throughput and lowers tail latency from ${ofLockFree.minWorkers} workers on.`,
  predicted: `${formatChangeRange(ofLockFree.throughput)} throughput, ${formatChangeRange(ofLockFree.tail)} p95 and p99`,
  suite: 'tails',
  needs: `a baseline and a lock-free pool at ${ofLockFree.minWorkers} workers or more`,
  predictions: scenarios =>
    predictRatios(pairLockFree(scenarios), 'lock-free to baseline', [
      [throughput, gainOf(ofLockFree.throughput)],
      [p95, cutOf(ofLockFree.tail)],
      [p99, cutOf(ofLockFree.tail)],
    ]),
  proof(scenarios) {
    const pairs = pairLockFree(scenarios);
    return findLockFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
  },
};

function pairLockFree(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithBaseline(scenarios, 'lock-free').filter(({ base }) => base.workers >= ofLockFree.minWorkers);
}

const ofCache = sourceReport.healthCache;
const minCacheGain = ofCache.throughput.low;
const checkMs = `${ofCache.checkMs.low}–${ofCache.checkMs.high} ms`;

/**
 * C5. `health-cached` pools with a TTL of 1 s against `baseline`: the cost of a check, from the arms with 1 worker, and
 * the gain from caching it, with all levels combined within each round.
 *
 * A single worker waits only for its own check, so there the difference of the mean response times is the cost of one
 * check. With more workers the difference is that cost times their number.
 *
 * In a closed loop mean response time × throughput is the number of workers, so both gains are about one figure, and
 * they count as one. It shows that the source report contradicts itself: −10–15 % mean response time is +11–18 %
 * throughput, not +5–10 %. No measurement could satisfy both, so the smaller promise is judged, +5 %, in either
 * measure: a mean of ×1/1.05. The larger promise is in `predicted` and, as ratios, in the reason.
 */
export const healthCache: PredictingClaim = {
  id: 'C5',
  statement: `A health check costs an operation ${checkMs}; caching it lowers mean latency and raises throughput.`,
  predicted: `${checkMs} less mean response time at 1 worker; ${formatChangeRange(ofCache.meanLatency)} mean response time, ${formatChangeRange(ofCache.throughput)} throughput; judged: mean ×${(1 / minCacheGain).toFixed(2)} or less`,
  suite: 'optimizations',
  needs: 'a baseline and a health-cached pool with the same number of workers',
  predictions(scenarios) {
    const pairs = pairWithBaseline(scenarios, 'health-cached');
    const where = 'health-cached to baseline';
    const mean = cutOf({ low: ofCache.meanLatency.low, high: 1 / minCacheGain });
    const restated = predictRatios(pairs, where, [[throughput, gainOf(ofCache.throughput)]]);
    return [
      ...predictRatios(pairs, where, [[meanLatency, mean]]),
      ...restated.map(prediction => ({ ...prediction, restates: true })),
      ...atWorkers(pairs, 1).map(({ base, other }) =>
        predictDifference(
          { base: other, other: base },
          'cost of a check, as the mean response time of baseline less that of health-cached at 1 worker:',
          meanLatency,
          ofCache.checkMs,
          ms => `${formatMs(ms)} ms`,
        ),
      ),
    ];
  },
  open(scenarios) {
    const pairs = pairWithBaseline(scenarios, 'health-cached');
    return pairs.length === 0 || atWorkers(pairs, 1).length > 0
      ? []
      : ['The run has no such pools of 1 worker, so what a check costs is not tested.'];
  },
  proof(scenarios) {
    const pairs = pairWithBaseline(scenarios, 'health-cached');
    return findHealthFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
  },
  remarks: scenarios => [
    `In a closed loop mean response time and throughput are the same figure, and the source report contradicts itself: ${formatChangeRange(ofCache.meanLatency)} mean response time would be ${formatChange(1 / ofCache.meanLatency.high, 1 / ofCache.meanLatency.low)} throughput, but it promises ${formatChangeRange(ofCache.throughput)}. The claim is judged by the smaller promise, ${formatChange(minCacheGain)}.`,
    ...describeChecks(pairWithBaseline(scenarios, 'health-cached').map(({ base }) => base)),
  ],
};

/** The time of the checks, spread over all operations. While a check waits for its turn, other work is done. */
function describeChecks(arms: readonly ScenarioResult[]): string[] {
  const times = arms.flatMap(({ client, workers, rounds }) => {
    const completed = sumOf(rounds, round => round.completed);
    if (completed === 0) return [];
    const ms = sumOf(rounds, ({ poolMetrics }) => poolMetrics.healthCheckMs) / completed;
    return `${formatMs(ms)} ms at ${formatPlural(workers, 'worker')} (${client})`;
  });
  if (times.length === 0) return [];
  return [
    `By the pools' own clocks an operation of a baseline pool waited for its health check ${formatList(times)}; with several workers that includes the wait for a turn.`,
  ];
}

const { optimized: promised, optimizedTail: promisedTails } = sourceReport;

/** A promise of one figure. */
const exactly = (figure: number) => ({ low: figure, high: figure });

/** C7. `optimized` pools against `baseline`, each level separately: each has its own promised gain. */
export const optimized: PredictingClaim = {
  id: 'C7',
  statement: 'All optimizations together raise throughput.',
  predicted: formatByWorkers(promised, ({ throughput }) => formatChange(throughput)),
  suite: 'optimizations',
  needs: 'a baseline and an optimized pool at 1, 10, 50 or 100 workers',
  predictions: scenarios =>
    promised.flatMap(promise =>
      predictRatios(
        atWorkers(pairOptimized(scenarios), promise.workers),
        `optimized to baseline, ${formatPlural(promise.workers, 'worker')}`,
        [[throughput, gainOf(exactly(promise.throughput))]],
      ),
    ),
  ...checksOf(promised),
};

/** C8. `optimized` pools against `baseline`, as in C7, for the tail of their response times. */
export const optimizedTail: PredictingClaim = {
  id: 'C8',
  statement: `All optimizations together cut the tail of latency by ${formatPercents(...promisedTails.flatMap(({ p95, p99 }) => [p95, p99]))}.`,
  predicted: formatByWorkers(
    promisedTails,
    ({ p95, p99 }) => `p95 ${formatChange(p95)} and p99 ${formatChange(p99)}`,
  ),
  suite: 'tails',
  needs: 'a baseline and an optimized pool at 10 or 50 workers',
  predictions: scenarios =>
    promisedTails.flatMap(promise =>
      predictRatios(
        atWorkers(pairOptimized(scenarios), promise.workers),
        `optimized to baseline, ${promise.workers} workers`,
        [
          [p95, cutOf(exactly(promise.p95))],
          [p99, cutOf(exactly(promise.p99))],
        ],
      ),
    ),
  ...checksOf(promisedTails),
};

/** The proof that each optimization was on at these levels, and the remark on levels that a run leaves out. */
function checksOf(
  promises: readonly { readonly workers: number }[],
): Pick<PredictingClaim, 'proof' | 'remarks'> {
  const levels = promises.map(({ workers }) => workers);
  return {
    proof(scenarios) {
      const pairs = levels.flatMap(workers => atWorkers(pairOptimized(scenarios), workers));
      return findLockFlaw(pairs) ?? findHealthFlaw(pairs) ?? findGrowthFlaw(armsOf(pairs));
    },
    remarks(scenarios) {
      const missing = levels
        .filter(workers => atWorkers(pairOptimized(scenarios), workers).length === 0)
        .toSorted((a, b) => a - b);
      if (missing.length === 0) return [];
      const workers = `worker${missing.at(-1) === 1 ? '' : 's'}`;
      return [
        `The run has no such arms at ${formatList(missing.map(String))} ${workers}, so that part is not judged.`,
      ];
    },
  };
}

function pairOptimized(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithBaseline(scenarios, 'optimized');
}

function atWorkers(pairs: readonly ArmPair[], workers: number): ArmPair[] {
  return pairs.filter(({ base }) => base.workers === workers);
}

/**
 * Why the lock is not the difference between `base` and `other`, as a clause; null if it is, in every
 * round.
 */
function findLockFlaw(pairs: readonly ArmPair[]): string | null {
  for (const { base, other } of pairs) {
    // A single worker never waits for the lock.
    const idle = findRound(base, ({ poolMetrics }) => base.workers > 1 && poolMetrics.lockWaits === 0);
    if (idle) return `no caller waited for the lock of ${base.id} in round ${idle.round}`;
    const locked = findRound(other, ({ poolMetrics }) => poolMetrics.lockWaits > 0);
    if (locked)
      return `callers waited for a lock in ${other.id} in round ${locked.round}, which should have none`;
  }
  return null;
}

/** Why `base` did not check health at every acquisition, or `other` checked more than its cache allows; null if both did as they should. */
function findHealthFlaw(pairs: readonly ArmPair[]): string | null {
  for (const { base, other } of pairs) {
    const unchecked = findRound(base, ({ poolMetrics }) => poolMetrics.healthChecksRun === 0);
    if (unchecked) return `${base.id} ran no health check in round ${unchecked.round}`;
    const skipping = findRound(base, ({ poolMetrics }) => poolMetrics.healthChecksSkipped > 0);
    if (skipping) return `${base.id} skipped health checks in round ${skipping.round}`;
    const eager = findRound(other, round => !isCached(other, round));
    if (eager) return `${other.id} did not cache its health checks in round ${eager.round}`;
  }
  return null;
}

/** A connection that is idle for the TTL is checked when it is next acquired, so at most once in each TTL. */
function isCached(
  { connections, healthTtlMs }: ScenarioResult,
  { seconds, poolMetrics }: RoundResult,
): boolean {
  const max = connections * (1 + (seconds * 1000) / healthTtlMs);
  return poolMetrics.healthChecksSkipped > 0 && poolMetrics.healthChecksRun <= max;
}
