import type { ScenarioResult } from '../result.ts';
import { meanLatency, p50, p99 } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, sumOf } from '../stats/statistics.ts';
import { formatFraction, formatList } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  isBurst,
  isMeasured,
  pairArms,
  presetKeys,
} from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';

/**
 * C23. Load that varies: an open loop of bursts, with `baseline` and `optimized` pools. Lower is lower by 5 % or more,
 * as the source report gives no size. p99 alone would depend on any pause of the machine of some milliseconds, because
 * one pause delays a whole burst; real gains must therefore also show in p50.
 */
export const variableLoad: PredictingClaim = {
  id: 'C23',
  statement: 'The optimized pool keeps its gains under variable load.',
  predicted: 'response p50 and p99 of bursts 5 % or more below that of a baseline pool',
  suite: 'variable-load',
  needs: 'baseline and optimized pools in an open loop of bursts',
  predictions: scenarios =>
    predictRatios(pairBursts(scenarios), 'optimized to baseline, in bursts', [
      [p50, atMost(clearlyLess)],
      [p99, atMost(clearlyLess)],
    ]),
  remarks(scenarios) {
    const shortfalls = armsOf(pairBursts(scenarios))
      .filter(isMeasured)
      .map(arm => `${formatFraction(shortfallRatio(arm))} with ${arm.pool} pools (${arm.client})`);
    return [`Operations that were due and not completed in the window: ${formatList(shortfalls)}.`];
  },
  context: scenarios => compareArms(pairBursts(scenarios), [meanLatency]),
};

function pairBursts(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios.filter(isBurst), {
    isBase: ({ pool }) => pool === 'baseline',
    isOther: ({ pool }) => pool === 'optimized',
    differ: presetKeys,
  });
}

function shortfallRatio({ rounds }: ScenarioResult): number {
  const whole = wholeRounds(rounds);
  const sum = (count: (openLoop: { offered: number; shortfall: number }) => number) =>
    sumOf(whole, ({ openLoop }) => (openLoop === null ? 0 : count(openLoop)));
  return (
    sum(({ shortfall }) => shortfall) /
    Math.max(
      1,
      sum(({ offered }) => offered),
    )
  );
}
