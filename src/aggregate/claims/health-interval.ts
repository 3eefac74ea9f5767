import type { ScenarioResult } from '../result.ts';
import { meanLatency, throughput } from '../stats/measures.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { wholeRounds } from '../stats/whole-rounds.ts';
import { formatCount, formatFraction, formatList } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, isMeasured, isOnePool, isPlain, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

/** A check that is good for this long is never run again: checks are off. */
const offMs = 3_600_000;
/** The document's 0.5–1.0 s. */
const recommendedMs: readonly number[] = [500, 1000];

/**
 * C13. Optimized pools whose health checks are good for 0.5 and 1 s, each against none at all. "No loss" is less than
 * 5 % of throughput; in a closed loop the mean response time is the same figure turned over, so it is shown and not
 * judged. Where no check ran, nothing is judged: every reply vouches for its connection, and steady load leaves none idle
 * and wanted. What checks are for is shown beside it: operations that failed where connections were cut.
 */
export const healthInterval: Claim = {
  id: 'C13',
  statement: 'A health check every 0.5–1 s costs nothing that switching checks off would save.',
  predicted: 'throughput within 5 % of that of a pool without checks, or better',
  suite: 'health-interval',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'optimized pools with a healthTtlMs of 500 or 1000 beside their equals with 3600000, which is off',
  predictions: scenarios =>
    recommendedMs.flatMap(ttlMs => {
      const pairs = pairWithOff(scenarios).filter(({ other }) => other.healthTtlMs === ttlMs);
      if (pairs.length === 0) return [];
      const where = `checks good for ${ttlMs} ms to none`;
      return [predictRatio(throughput, pairs, where, { low: clearlyLess, high: null })];
    }),
  proof(scenarios) {
    const pairs = pairWithRecommended(scenarios);
    const checking = pairs.find(({ base }) => checkedShare(base) > 0.01);
    if (checking) return `${checking.base.id} ran checks though they were to be off`;
    const brief = pairs.find(({ other }) => isBrief(other));
    if (brief)
      return `a window of ${brief.other.id} was no longer than its checks are good for, so none could fall due`;
    return findUnchecked(pairWithRecommended(scenarios).map(({ other }) => other));
  },
  caveat: () =>
    'Connections that lie idle longer than a check is good for, and are wanted then, are not exercised.',
  remarks(scenarios) {
    const arms = scenarios.filter(isArm).filter(isMeasured);
    return [sayShares(arms.filter(isPlain)), ...sayFailures(arms.filter(arm => arm.cutEveryMs > 0))];
  },
  context: scenarios =>
    pairWithOff(scenarios).flatMap(pair => [
      ...(isRecommended(pair.other) ? [] : compareArms(pair, throughput, null)),
      ...compareArms(pair, meanLatency, null),
    ]),
};

const isRecommended = ({ healthTtlMs }: ScenarioResult) => recommendedMs.includes(healthTtlMs);

/** Nothing could be checked twice in it. */
const isBrief = ({ healthTtlMs, rounds }: ScenarioResult) =>
  wholeRounds(rounds).some(({ seconds }) => seconds * 1000 <= healthTtlMs);

function pairWithRecommended(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithOff(scenarios).filter(({ other }) => isRecommended(other));
}

const isArm = (scenario: ScenarioResult) => isOnePool(scenario) && scenario.pool === 'optimized';

function pairWithOff(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && isPlain(scenario) && scenario.healthTtlMs >= offMs,
    isOther: scenario => isArm(scenario) && isPlain(scenario) && scenario.healthTtlMs < offMs,
    differ: ['healthTtlMs'],
  });
}

/** Checks run, as a share of acquisitions. */
function checkedShare({ rounds }: ScenarioResult): number {
  return median(
    wholeRounds(rounds).map(
      ({ poolMetrics }) => poolMetrics.healthChecksRun / Math.max(1, poolMetrics.acquisitions),
    ),
  );
}

const sayTtl = ({ healthTtlMs }: ScenarioResult) =>
  healthTtlMs >= offMs ? 'checks off' : healthTtlMs === 0 ? 'a check every time' : `${healthTtlMs} ms`;

/** At which intervals no check ran in any round, so that there is no cost of one to judge, as a clause; null if some did at each. */
function findUnchecked(arms: readonly ScenarioResult[]): string | null {
  const unchecked = recommendedMs.filter(ttlMs => {
    const rounds = arms.filter(arm => arm.healthTtlMs === ttlMs).flatMap(arm => wholeRounds(arm.rounds));
    return rounds.length > 0 && rounds.every(({ poolMetrics }) => poolMetrics.healthChecksRun === 0);
  });
  return unchecked.length === 0
    ? null
    : `no check ran at ${formatList(unchecked.map(String))} ms: replies vouch for busy connections; idle ones, which checks are for, did not occur`;
}

function sayShares(arms: readonly ScenarioResult[]): string {
  const shares = arms.map(arm => `${formatFraction(checkedShare(arm))} with ${sayTtl(arm)}`);
  return `Share of acquisitions that ran a check: ${formatList(shares)}.`;
}

function sayFailures(arms: readonly ScenarioResult[]): string[] {
  if (arms.length === 0) return [];
  const failures = arms.map(arm => {
    const failed = arm.rounds.flatMap(round => Object.values(round.failed)).reduce((a, b) => a + b, 0);
    const cuts = arm.rounds.reduce((sum, round) => sum + round.cuts, 0);
    return `${formatCount(failed)} with ${sayTtl(arm)} (${formatCount(cuts)} cuts)`;
  });
  return [`Operations that failed while connections were cut: ${formatList(failures)}.`];
}
