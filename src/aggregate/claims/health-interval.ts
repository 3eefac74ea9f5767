import type { ScenarioResult } from '../result.ts';
import { accountOf } from '../stats/accounting.ts';
import { meanLatency, throughput } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { formatCount, formatFraction, formatList } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  groupBy,
  isMeasured,
  isOnePool,
  isPlain,
  pairArms,
  sumOf,
} from './judging/arms.ts';
import { atLeast, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

/** A check that stays valid for this long is never repeated: checks are off. */
const offMs = 3_600_000;
/** Fraction of acquisitions that may run a check although checks are off. */
const maxChecked = 0.01;

const { low: shortMs, high: longMs } = sourceReport.healthIntervalMs;
const recommendedMs: readonly number[] = [shortMs, longMs];

/**
 * C13. Optimized pools whose health checks are good for 0.5 and 1 s, each against none at all. "No loss" is less than
 * 5 % of throughput; in a closed loop the mean response time is the inverse of the same figure, so it is shown and not
 * judged. Where no check ran, nothing is judged: every reply vouches for its connection, and steady load leaves none idle
 * and wanted. What checks are for is shown beside it: operations that failed where connections were cut.
 */
export const healthInterval: PredictingClaim = {
  id: 'C13',
  statement: `A health check every ${shortMs / 1000}–${longMs / 1000} s costs no measurable throughput.`,
  predicted: 'throughput within 5 % of that of a pool without checks, or better',
  suite: 'health-interval',
  needs: `optimized pools with a healthTtlMs of ${shortMs} or ${longMs} beside otherwise equal pools with ${offMs}, which switches checks off`,
  predictions: scenarios =>
    recommendedMs.flatMap(ttlMs =>
      predictRatios(
        pairWithOff(scenarios).filter(({ other }) => other.healthTtlMs === ttlMs),
        `checks good for ${ttlMs} ms to none`,
        [[throughput, atLeast(clearlyLess)]],
      ),
    ),
  proof(scenarios) {
    const pairs = pairWithOff(scenarios).filter(({ other }) => isRecommended(other));
    const checking = pairs.find(({ base }) => checkedRatio(base) > maxChecked);
    if (checking) return `${checking.base.id} ran checks although they should have been off`;
    const brief = pairs.find(({ other }) => isBrief(other));
    if (brief)
      return `a window of ${brief.other.id} was no longer than its checks stay valid, so none could fall due`;
    return findUnchecked(pairs.map(({ other }) => other));
  },
  caveat: () =>
    'The run does not exercise connections that are idle for longer than a check stays valid and are then acquired.',
  remarks(scenarios) {
    const arms = scenarios.filter(isArm).filter(isMeasured);
    const checked = arms
      .filter(isPlain)
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
        : [`Operations that failed while connections were cut: ${formatList(failed)}.`]),
    ];
  },
  context: scenarios =>
    pairWithOff(scenarios).flatMap(pair =>
      compareArms([pair], isRecommended(pair.other) ? [meanLatency] : [throughput, meanLatency]),
    ),
};

const isRecommended = ({ healthTtlMs }: ScenarioResult) => recommendedMs.includes(healthTtlMs);

/** No check could fall due twice in it. */
const isBrief = ({ healthTtlMs, rounds }: ScenarioResult) =>
  wholeRounds(rounds).some(({ seconds }) => seconds * 1000 <= healthTtlMs);

const isArm = (scenario: ScenarioResult) => isOnePool(scenario) && scenario.pool === 'optimized';

function pairWithOff(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const arms = scenarios.filter(scenario => isArm(scenario) && isPlain(scenario));
  return pairArms(arms, {
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
