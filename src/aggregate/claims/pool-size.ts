import type { ScenarioResult } from '../result.ts';
import { p99, throughput } from '../stats/measures.ts';
import { clearlyLess, clearlyMore, median } from '../stats/statistics.ts';
import { formatList, formatMs } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  connectionsPerWorker,
  groupBy,
  hasReportedMinIdle,
  isMeasured,
  isPlain,
  pairArms,
} from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

const size = sourceReport.connectionsPerWorker;

/**
 * C11. Pools of other sizes against one of 2 connections per worker. What counts is 5 %, as in C1: a larger pool is
 * better, and a pool of 1 a worker is worse, by that much or not at all. minIdle is a quarter of each. In a closed loop
 * the second connection of a worker lies idle, which the caveat says.
 */
export const poolSize: PredictingClaim = {
  id: 'C11',
  statement: 'Twice as many connections as concurrent callers is the right size for a pool.',
  predicted: 'no larger pool is better by more than 5 %, and one of 1 a worker is worse by 5 % or more',
  suite: 'pool-size',
  needs: `optimized pools of ${size} connections per worker and otherwise equal ones of 1 and of more than ${size}`,
  predictions(scenarios) {
    const equal = pairWithTwice(scenarios, each => each === 1);
    const larger = pairWithTwice(scenarios, each => each > size);
    if (equal.length === 0 || larger.length === 0) return [];
    const bySize = groupBy(larger, ({ other }) => connectionsPerWorker(other)).toSorted(([a], [b]) => a - b);
    return [
      ...predictRatios(equal, `1 connection per worker to ${size}`, [[throughput, atMost(clearlyLess)]]),
      ...bySize.flatMap(([each, pairs]) =>
        predictRatios(pairs, `${each} connections per worker to ${size}`, [
          [throughput, atMost(clearlyMore)],
        ]),
      ),
    ];
  },
  caveat: () =>
    'N workers in a closed loop hold at most N connections; headroom for more callers is not tested.',
  remarks(scenarios) {
    const waits = scenarios
      .filter(isArm)
      .filter(isMeasured)
      .map(arm => {
        const waitMs = median(arm.rounds.map(({ poolMetrics }) => poolMetrics.acquireWait.mean));
        return `${formatMs(waitMs)} ms with ${connectionsPerWorker(arm)} at ${arm.workers} workers (${arm.client})`;
      });
    return [`The mean wait for a connection was ${formatList(waits)}.`];
  },
  context: scenarios => [
    ...compareArms(
      pairWithTwice(scenarios, each => each < 1),
      [throughput],
    ),
    ...compareArms(
      pairWithTwice(scenarios, () => true),
      [p99],
    ),
  ],
};

/** minIdle follows the size, as in the source report. */
function isArm(scenario: ScenarioResult): boolean {
  return isPlain(scenario) && scenario.pool === 'optimized' && hasReportedMinIdle(scenario);
}

function pairWithTwice(
  scenarios: readonly ScenarioResult[],
  isSize: (connectionsPerWorker: number) => boolean,
): ArmPair[] {
  return pairArms(scenarios.filter(isArm), {
    isBase: arm => connectionsPerWorker(arm) === size,
    isOther: arm => isSize(connectionsPerWorker(arm)),
    differ: ['connections', 'minIdle'],
  });
}
