import type { Interval, ScenarioResult } from '../result.ts';
import { p99, throughput } from '../stats/measures.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { changeOf, clearlyLess } from '../stats/statistics.ts';
import { excludesNothing, formatRatioInterval } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  connectionsPerWorker,
  groupBy,
  isSteady,
  pairArms,
  presetKeys,
  ratioOf,
} from './judging/arms.ts';
import { atMost, predictRatios } from './judging/prediction.ts';
import { sourceReport } from './source-report.ts';

/**
 * C17. The source report predicts nothing here: it takes the pool for granted. So the claim is the assumption itself,
 * that one connection shared by all workers gives less throughput than a pool, by 5 % or more. It must hold for every
 * way of sharing in a run, with and without joining commands in a turn of the event loop: if one of them does as well
 * as the pool, no pool is needed. Several shared connections are also shown.
 */
export const oneConnection: PredictingClaim = {
  id: 'C17',
  statement: 'A pool is needed at all: one connection that all workers share gives less throughput.',
  predicted:
    'nothing: the source report takes the pool for granted. Judged: a loss of 5 % or more, however commands are sent',
  suite: 'one-connection',
  needs: 'a shared pool of 1 connection and an optimized pool for the same workers',
  predictions: scenarios =>
    waysToShare(scenarios).flatMap(({ how, pairs }) =>
      predictRatios(pairs, `${how} to a pool`, [[throughput, atMost(clearlyLess)]]),
    ),
  caveat: () =>
    'For GET and SET of small values only (32 B in the suite): blocking commands, transactions and large replies need separate connections.',
  remarks: scenarios =>
    groupBy(scenarios, ({ client }) => client).flatMap(([client, ofClient]) =>
      waysToShare(ofClient).map(
        ({ how, pairs }) => `In plain words: over ${how} (${client}) ${describeOutcome(pairs)}.`,
      ),
    ),
  context: scenarios =>
    pairWithPool(scenarios).flatMap(pair =>
      compareArms([pair], pair.other.connections === 1 ? [p99] : [throughput, p99]),
    ),
};

function waysToShare(scenarios: readonly ScenarioResult[]): { how: string; pairs: ArmPair[] }[] {
  const ofOne = pairWithPool(scenarios).filter(({ other }) => other.connections === 1);
  const ways = [
    { how: 'one connection', autoPipelining: false },
    { how: 'one connection with auto-pipelining', autoPipelining: true },
  ];
  return ways
    .map(({ how, autoPipelining }) => ({
      how,
      pairs: ofOne.filter(({ other }) => other.autoPipelining === autoPipelining),
    }))
    .filter(({ pairs }) => pairs.length > 0);
}

function pairWithPool(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const arms = scenarios.filter(arm => isSteady(arm) && arm.pools === 1 && arm.pipeline === 1);
  return pairArms(arms, {
    isBase: arm =>
      arm.pool === 'optimized' &&
      !arm.autoPipelining &&
      connectionsPerWorker(arm) === sourceReport.connectionsPerWorker,
    isOther: ({ pool }) => pool === 'shared',
    differ: [...presetKeys, 'connections', 'autoPipelining'],
  });
}

function describeOutcome(pairs: readonly ArmPair[]): string {
  const series = RoundSeries.combine(pairs.map(pair => ratioOf(pair, throughput).series));
  if (series.size === 0) return 'nothing was measured';
  const ratio = series.interval();
  if (excludesNothing(ratio)) return 'no difference is excluded';
  return `the workers get ${describeDifference(ratio)} (${formatRatioInterval(ratio)})`;
}

const differences = {
  more: 'more than from the pool',
  less: 'less than from the pool',
  same: 'as much as from the pool',
} as const;

function describeDifference(ratio: Interval): string {
  const change = changeOf(ratio);
  if (change !== null) return differences[change];
  return ratio.low > clearlyLess
    ? 'no less than from the pool'
    : 'throughput that cannot be distinguished from that of the pool';
}
