import type { RoundResult, ScenarioResult } from '../result.ts';
import { maxResponse, p99, throughput } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyMore, median, sumOf } from '../stats/statistics.ts';
import { formatFraction, formatList, formatPlural } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import { type ArmPair, compareArms, groupBy, isOnePool, pairArms } from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

/** Above this fraction of cut operations, p99 would be theirs instead of that of the others. */
const maxCut = 0.01;
/** A stall of all workers at each reconnect must touch this fraction of the operations, or p99 might miss it. */
const minStalled = 0.02;
/** The interval that the claim was first designed for. */
const designedCutMs = 100;

/**
 * C18. The source report's bottleneck 4, a reconnect that blocks the process, cannot happen in Node as such. What is left
 * is asked of the pools: one connection is cut every so often, and the workers whose connections were not cut must
 * not notice, in `baseline`, which opens the next one inside its lock, and in `optimized`. The suite's pools have one
 * connection per worker, so that most of what is cut is wanted and replaced; of twice as many most cuts would hit idle ones.
 *
 * p99 is over all completed operations. Those that a cut ended are failed and not among them. The next one of the same
 * worker, which waits for the new connection, is; there are as many as cuts, far fewer than 1 %, so p99 is that of the
 * others, including whoever then waits for the lock (where cuts are 0.2 % of the operations, it is their p99.2 at most). It
 * sees a stall of all workers only where reconnects are frequent: each would hold up one operation of every worker, so
 * reconnects × workers must be 2 % of the operations.
 */
export const reconnect: PredictingClaim = {
  id: 'C18',
  statement: 'While one connection reconnects, the workers of the others are unaffected.',
  predicted: 'p99 of the others at most 5 % above that without cuts',
  suite: 'reconnect',
  needs: 'baseline or optimized pools with cutEveryMs above 0 and otherwise equal ones with 0',
  predictions: scenarios =>
    groupBy(pairWithUncut(scenarios), ({ other }) => other.pool).flatMap(([preset, pairs]) =>
      predictRatios(pairs, `${preset}, with connections cut to without`, [[p99, atMost(clearlyMore)]]),
    ),
  proof: findCutFlaw,
  remarks(scenarios) {
    const arms = pairWithUncut(scenarios).map(({ other }) => other);
    const whose =
      findCutFlaw(scenarios) === null
        ? ', too few to affect it, so it is that of the unaffected workers'
        : '';
    return [
      `P99 is over all completed operations; cuts touched ${formatList(arms.map(describeCuts))}${whose}.`,
      ...describeFrequency(arms.filter(({ cutEveryMs }) => cutEveryMs < designedCutMs)),
    ];
  },
  context: scenarios => compareArms(pairWithUncut(scenarios), [throughput, maxResponse]),
};

/** Why p99 would not be that of the others, or would not see that they wait, as a clause; null if it is and does. */
function findCutFlaw(scenarios: readonly ScenarioResult[]): string | null {
  for (const { other: arm } of pairWithUncut(scenarios)) {
    const whole = wholeRounds(arm.rounds);
    if (median(whole.map(cuts)) === 0) return `no connection of ${arm.id} was cut`;
    if (median(whole.map(reconnects)) === 0) return `${arm.id} replaced no connection`;
    if (cutRatio(arm) > maxCut)
      return `cuts touched ${formatFraction(cutRatio(arm))} of the operations of ${arm.id}, so p99 is not that of the others`;
    if (stallRatio(arm) < minStalled)
      return `a stall of all workers at every reconnect would touch only ${formatFraction(stallRatio(arm))} of the operations of ${arm.id}, and below ${minStalled * 100} % p99 might miss it`;
  }
  return null;
}

function pairWithUncut(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios.filter(isArm), {
    isBase: ({ cutEveryMs }) => cutEveryMs === 0,
    isOther: ({ cutEveryMs }) => cutEveryMs > 0,
    differ: ['cutEveryMs'],
  });
}

/** Optimized pools with other intervals of the health check are a matter of C13. */
function isArm(scenario: ScenarioResult): boolean {
  const { pool, healthTtlMs } = scenario;
  const isOptimized = pool === 'optimized' && healthTtlMs === sourceReport.healthCache.ttlMs;
  return isOnePool(scenario) && (pool === 'baseline' || isOptimized);
}

const cuts = (round: RoundResult) => round.cuts;
const reconnects = ({ poolMetrics }: RoundResult) => poolMetrics.reconnects;

const totalOf = ({ rounds }: ScenarioResult, count: (round: RoundResult) => number) =>
  sumOf(wholeRounds(rounds), count);
const completedOf = (arm: ScenarioResult) =>
  Math.max(
    1,
    totalOf(arm, round => round.completed),
  );

/** Each cut holds up one operation that completes, at most: the next one of the worker that had the connection. */
const cutRatio = (arm: ScenarioResult) => totalOf(arm, cuts) / completedOf(arm);

/** If each reconnect stalled all workers, one operation of each would be held up. */
const stallRatio = (arm: ScenarioResult) => (totalOf(arm, reconnects) * arm.workers) / completedOf(arm);

/** `stallRatio` at the interval that the claim was designed for. */
const designedRatio = (arm: ScenarioResult) => (stallRatio(arm) * arm.cutEveryMs) / designedCutMs;

/** Why connections are cut more often than the claim was designed for; nothing if there is no need. */
function describeFrequency(arms: readonly ScenarioResult[]): string[] {
  const [thinnest] = arms.toSorted((a, b) => designedRatio(a) - designedRatio(b));
  if (thinnest === undefined || designedRatio(thinnest) >= minStalled) return [];
  return [
    `At a cut every ${designedCutMs} ms a stall of all workers would touch only ${formatFraction(designedRatio(thinnest))} of the operations, too few for p99; hence ${thinnest.cutEveryMs} ms.`,
  ];
}

function describeCuts(arm: ScenarioResult): string {
  const [cut, replaced] = [totalOf(arm, cuts), totalOf(arm, reconnects)];
  return `${(cutRatio(arm) * 100).toFixed(2)} % of the operations of ${arm.pool} pools (${formatPlural(cut, 'cut')}, ${formatPlural(replaced, 'reconnect')})`;
}
