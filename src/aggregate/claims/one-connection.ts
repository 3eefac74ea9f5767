import type { Interval, ScenarioResult } from '../result.ts';
import { p99, throughput } from '../stats/measures.ts';
import { combineByRound } from '../stats/paired-ratio.ts';
import { clearlyLess, clearlyMore, medianInterval } from '../stats/statistics.ts';
import { formatRatioInterval } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, pairArms, ratioOf } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

/**
 * C17. The document predicts nothing here: it takes the pool for granted. So the claim is the assumption itself, that
 * one connection shared by all workers gives less throughput than a pool, by 5 % or more. It must hold for whichever way
 * of sharing a run has, with commands joined in one turn of the event loop and without: if one of them does as well
 * as the pool, no pool is needed. Several shared connections are shown beside it.
 */
export const oneConnection: Claim = {
  id: 'C17',
  statement: 'A pool is needed at all: one connection that all workers share gives less throughput.',
  predicted:
    'nothing: the document takes the pool for granted. Held to a loss of 5 % or more, however commands are sent',
  suite: 'one-connection',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'a shared pool of 1 connection beside an optimized pool for the same workers',
  predictions: scenarios =>
    waysToShare(scenarios).map(({ how, pairs }) =>
      predictRatio(throughput, pairs, `${how} to a pool`, { low: null, high: clearlyLess }),
    ),
  caveat: () =>
    'For GET and SET of small values only (32 B in the suite): blocking commands, transactions and large replies need connections of their own.',
  remarks: scenarios =>
    [...new Set(scenarios.map(({ client }) => client))].flatMap(client =>
      waysToShare(scenarios.filter(scenario => scenario.client === client)).map(
        ({ how, pairs }) => `In plain words: over ${how} (${client}) ${sayOutcome(pairs)}.`,
      ),
    ),
  context: scenarios =>
    pairWithPool(scenarios).flatMap(pair => [
      ...(pair.other.connections === 1 ? [] : compareArms(pair, throughput, null)),
      ...compareArms(pair, p99, null),
    ]),
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
  const isPlainLoad = ({ arrival, pools, pipeline, batch, cutEveryMs }: ScenarioResult) =>
    arrival.kind === 'closed' && pools === 1 && pipeline === 1 && batch.pool === 'none' && cutEveryMs === 0;
  return pairArms(scenarios, {
    // The document's size: two connections a worker.
    isBase: scenario =>
      isPlainLoad(scenario) &&
      scenario.pool === 'optimized' &&
      !scenario.autoPipelining &&
      scenario.connections === 2 * scenario.workers,
    isOther: scenario => isPlainLoad(scenario) && scenario.pool === 'shared',
    differ: ['preset', 'connections', 'minIdle', 'healthTtlMs', 'connects', 'autoPipelining'],
  });
}

function sayOutcome(pairs: readonly ArmPair[]): string {
  const byRound = combineByRound(pairs.map(pair => ratioOf(pair, throughput.figure)));
  if (byRound.length === 0) return 'nothing was measured';
  const ratio = medianInterval(byRound);
  return `the workers get ${sayDifference(ratio)} (${formatRatioInterval(ratio)})`;
}

function sayDifference({ low, high }: Interval): string {
  if (low > clearlyMore) return 'more than from the pool';
  if (high < clearlyLess) return 'less than from the pool';
  if (low >= clearlyLess && high <= clearlyMore) return 'as much as from the pool';
  return low >= clearlyLess ? 'no less than from the pool' : 'what cannot be told apart from the pool';
}
