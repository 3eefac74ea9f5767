import type { RoundResult, ScenarioResult } from '../result.ts';
import { type Measure, meanLatency, p50, p99, throughput } from '../stats/measures.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { formatList, formatMs } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  connectionsPerWorker,
  hasReportedMinIdle,
  isBurst,
  isMeasured,
  isPlain,
  pairArms,
} from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

const size = sourceReport.connectionsPerWorker;

/**
 * C11. Twice as many connections as concurrent callers against as many. N workers never use more than N connections, so
 * in a closed loop the second connection of each lies idle: its ratio is shown. What can use them is a peak of twice as
 * many callers as usual: bursts of as many operations as there are workers, with a connection for each (2 ×) or for
 * half of them (1 ×). Their p50 and p99 must be lower by 5 %: p99 alone would depend on any pause of the machine of
 * some milliseconds, because one pause delays a whole burst. The wait for a connection is also shown.
 */
export const poolSize: PredictingClaim = {
  id: 'C11',
  statement: `Pools of ${size} connections per concurrent caller are better than pools of 1.`,
  predicted: `response p50 and p99 of bursts 5 % or more lower with a connection for each caller (${size} ×) than with one for every ${size} (1 ×)`,
  suite: 'pool-size',
  needs:
    'optimized pools in an open loop of bursts, of as many operations as workers, with 0.5 and with 1 connection per worker',
  predictions: scenarios =>
    predictRatios(pairBursts(scenarios), `${size} × the usual number of callers to 1 ×, in bursts`, [
      [p50, atMost(clearlyLess)],
      [p99, atMost(clearlyLess)],
    ]),
  caveat: () =>
    'N workers in a closed loop hold at most N connections, so only the bursts of an open loop are judged.',
  remarks(scenarios) {
    const waits = scenarios
      .filter(arm => isArm(arm) || isBurstArm(arm))
      .filter(isMeasured)
      .map(arm => {
        const waitMs = median(arm.rounds.map(acquireWaitMs));
        const loop = arm.arrival.kind === 'closed' ? 'closed loop' : 'bursts';
        return `${formatMs(waitMs)} ms with ${connectionsPerWorker(arm)} at ${arm.workers} workers (${arm.client}, ${loop})`;
      });
    return [`The mean wait for a connection was ${formatList(waits)}.`];
  },
  context: scenarios => [
    ...compareArms(pairBursts(scenarios), [meanLatency, acquireWait]),
    ...compareArms(
      pairArms(scenarios.filter(isArm), {
        isBase: arm => connectionsPerWorker(arm) === 1,
        isOther: arm => connectionsPerWorker(arm) !== 1,
        differ: ['connections', 'minIdle'],
      }),
      [throughput, p99],
    ),
  ],
};

const acquireWaitMs = ({ poolMetrics }: RoundResult) => poolMetrics.acquireWait.mean;

const acquireWait: Measure = {
  name: 'mean wait for a connection',
  unit: 'ms',
  better: 'less',
  figure: acquireWaitMs,
};

/** In a closed loop. minIdle follows the size, as in the source report. */
function isArm(scenario: ScenarioResult): boolean {
  return isPlain(scenario) && scenario.pool === 'optimized' && hasReportedMinIdle(scenario);
}

/** As many callers come at once as there are workers. All connections are open before. */
function isBurstArm(scenario: ScenarioResult): boolean {
  const { pool, connections, minIdle, workers, arrival } = scenario;
  return isBurst(scenario) && pool === 'optimized' && arrival.size === workers && minIdle === connections;
}

function pairBursts(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios.filter(isBurstArm), {
    isBase: arm => connectionsPerWorker(arm) === 1 / size,
    isOther: arm => connectionsPerWorker(arm) === 1,
    differ: ['connections', 'minIdle'],
  });
}
