import type { ScenarioResult } from '../result.ts';
import { isUsual } from '../scenario/scenario.ts';
import { accountOf } from '../stats/accounting.ts';
import { type Measure, meanLatency } from '../stats/measures.ts';
import { failedOf } from '../stats/metrics.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, clearlyMore, median, sumOf } from '../stats/statistics.ts';
import { formatCount, formatFraction, formatList, formatRatio } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  groupBy,
  isMeasured,
  pairArms,
  poolKeys,
} from './judging/arms.ts';
import { atMost, predictFigure, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

/** A check that stays valid for this long is never repeated: checks are off. */
const offMs = 3_600_000;
/** Fraction of acquisitions that may run a check although checks are off. */
const maxChecked = 0.01;

const { low: shortMs, high: longMs } = sourceReport.healthIntervalMs;
const recommendedMs: readonly number[] = [shortMs, longMs];

/**
 * C13. Pools whose connections are idle for longer than their checks are valid, in a slow open loop: checks valid for
 * 0.5 and 1 s must not cost 5 % of the mean response time. And the purpose of checks: with connections that a proxy
 * makes half-open, and checks that ask the server, fewer operations must fail than without. (A connection that the
 * server closes is noticed even without checks.) Fewer means fewer by 5 % or more: the source report gives no size.
 */
export const healthInterval: PredictingClaim = {
  id: 'C13',
  statement: `Health checks every ${shortMs / 1000}–${longMs / 1000} s cost no measurable latency, and prevent failures where connectivity is intermittent.`,
  predicted:
    'mean response time within 5 % of what it is without the time of its checks; fewer failed operations where connections go silent',
  suite: 'health-interval',
  needs: `optimized pools in a slow open loop with a healthTtlMs of ${shortMs} or ${longMs} and otherwise equal pools with ${offMs}, which switches checks off`,
  predictions: scenarios =>
    recommendedMs.flatMap(ttlMs => {
      const pairs = pairWithOff(scenarios).filter(({ other }) => other.healthTtlMs === ttlMs);
      const where = `checks good for ${ttlMs} ms to none`;
      return [
        ...pairs
          .filter(isUncut)
          .map(({ other }) =>
            predictFigure(
              responseToUnchecked,
              other,
              `checks good for ${ttlMs} ms`,
              atMost(clearlyMore),
              formatRatio,
            ),
          ),
        ...pairs
          .filter(pair => isSilenced(pair) && anyFailed(pair))
          .flatMap(pair =>
            predictRatios([pair], `${where}, while connections go silent`, [
              [failedOperations, atMost(clearlyLess)],
            ]),
          ),
      ];
    }),
  proof(scenarios) {
    const pairs = pairWithOff(scenarios).filter(({ other }) => isRecommended(other));
    const checking = pairs.find(({ base }) => checkedRatio(base) > maxChecked);
    if (checking) return `${checking.base.id} ran checks although they should have been off`;
    const uncut = armsOf(pairs.filter(isSilenced)).find(
      ({ rounds }) => sumOf(rounds, round => round.cuts) === 0,
    );
    if (uncut) return `no connection of ${uncut.id} went silent`;
    return findUnchecked(pairs.map(({ other }) => other));
  },
  open(scenarios) {
    const pairs = pairWithOff(scenarios).filter(({ other }) => isRecommended(other));
    if (pairs.length === 0) return [];
    const silenced = pairs.filter(isSilenced);
    return [
      ...(pairs.some(isUncut)
        ? []
        : ['Connections were cut in all arms, so what checks cost is not tested.']),
      ...(silenced.length === 0
        ? ['No connection went silent, so what checks are for is not tested.']
        : silenced.some(anyFailed)
          ? []
          : [
              'No operation failed on a silent connection, with checks or without, so what checks are for is not tested.',
            ]),
    ];
  },
  remarks(scenarios) {
    const arms = armsOf(pairWithOff(scenarios)).filter(isMeasured);
    const checked = arms
      .filter(({ cutEveryMs }) => cutEveryMs === 0)
      .map(arm => `${formatFraction(checkedRatio(arm))} with ${describeTtl(arm)}`);
    const failed = arms
      .filter(({ cutEveryMs }) => cutEveryMs > 0)
      .map(arm => {
        const cuts = formatCount(sumOf(arm.rounds, round => round.cuts));
        return `${formatCount(accountOf(arm.rounds).failed)} with ${describeTtl(arm)} (${cuts} cuts)`;
      });
    return [
      `Fraction of acquisitions that ran a check: ${formatList(checked)}.`,
      ...(failed.length === 0
        ? []
        : [
            `Operations that failed while connections went silent: ${formatList(failed)}; all of these arms went through the same kind of proxy.`,
          ]),
    ];
  },
  context: scenarios => compareArms(pairWithOff(scenarios).filter(isUncut), [meanLatency]),
};

/**
 * The mean response time relative to the same without the time of its checks, by the clocks of the pools. An arm is
 * compared with itself, because two arms differ by far more than the cost of a check. This excludes what checks cost
 * other operations: the ratio to the arm without checks, which includes it, is also shown.
 */
const responseToUnchecked: Measure = {
  name: 'mean response time to that without its checks',
  better: 'less',
  figure({ response, completed, poolMetrics }) {
    const checkMs = poolMetrics.healthCheckMs / Math.max(1, completed);
    return response.mean / Math.max(0, response.mean - checkMs);
  },
};

/** As a fraction of those that were due. A round without a failure in either arm has no ratio. */
const failedOperations: Measure = {
  name: 'failed operations',
  better: 'less',
  mayBeZero: true,
  figure: round => failedOf(round) / Math.max(1, round.openLoop?.offered ?? round.issued),
};

const isUncut = ({ base }: ArmPair) => base.cutEveryMs === 0;
const isSilenced = ({ base }: ArmPair) => base.cutEveryMs > 0 && base.cut === 'silent';
/** Otherwise there was nothing for checks to prevent. Also true before the first round, which may have failures. */
const anyFailed = (pair: ArmPair) =>
  armsOf([pair]).some(arm => !isMeasured(arm) || wholeRounds(arm.rounds).some(round => failedOf(round) > 0));

const isRecommended = ({ healthTtlMs }: ScenarioResult) => recommendedMs.includes(healthTtlMs);

/** In an open loop, with any pools: in a closed loop, connections are hardly ever idle and needed. */
function isArm(scenario: ScenarioResult): boolean {
  const { pool, arrival } = scenario;
  const free = ['pools', 'poolsPerThread', 'arrival', 'cutEveryMs', 'cut', ...poolKeys] as const;
  return pool === 'optimized' && arrival.kind !== 'closed' && isUsual(scenario, free);
}

function pairWithOff(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios.filter(isArm), {
    isBase: ({ healthTtlMs }) => healthTtlMs >= offMs,
    isOther: ({ healthTtlMs }) => healthTtlMs < offMs,
    differ: ['healthTtlMs'],
  });
}

/** Checks that were run, as a fraction of acquisitions. */
function checkedRatio({ rounds }: ScenarioResult): number {
  const ratios = wholeRounds(rounds).map(
    ({ poolMetrics }) => poolMetrics.healthChecksRun / Math.max(1, poolMetrics.acquisitions),
  );
  return median(ratios);
}

function describeTtl({ healthTtlMs }: ScenarioResult): string {
  if (healthTtlMs >= offMs) return 'checks off';
  return healthTtlMs === 0 ? 'a check every time' : `${healthTtlMs} ms`;
}

/** At which intervals no check ran in any round, so that there is no cost of one to judge, as a clause; null if some did at each. */
function findUnchecked(arms: readonly ScenarioResult[]): string | null {
  const unchecked = groupBy(arms, ({ healthTtlMs }) => healthTtlMs)
    .filter(([, ofTtl]) => {
      const rounds = ofTtl.flatMap(arm => wholeRounds(arm.rounds));
      return rounds.length > 0 && rounds.every(({ poolMetrics }) => poolMetrics.healthChecksRun === 0);
    })
    .map(([ttlMs]) => ttlMs)
    .toSorted((a, b) => a - b);
  return unchecked.length === 0
    ? null
    : `no check ran at ${formatList(unchecked.map(String))} ms: a reply proves that a busy connection is healthy, and no connection was idle for long enough to be checked`;
}
