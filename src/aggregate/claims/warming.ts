import type { RoundResult, ScenarioResult } from '../result.ts';
import { maxResponse, p99, p999 } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { formatList, formatMs, formatPlural } from '../text/format.ts';
import type { Claim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  byWorkers,
  compareArms,
  isMeasured,
  isPlain,
  pairArms,
} from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';
import { findThinStart, findWarmStart, sayColdShare, sayWindow } from './judging/soundness.ts';

/**
 * C6. A cold start lies inside the measured window of `baseline`. It is held against a `warmed` pool that opens all its
 * connections before the barrier, so that it creates none after: what warming can do at most. "No creation spikes" is
 * two things: the proof that this arm created nothing, and a longest response time 5 % or more below baseline's. The
 * document's own minIdle, max / 4, is shown beside it: it does not end creation.
 *
 * A p99 sees a cold start only where the window is short and the workers are many. The start holds up one operation of
 * each worker, and these must be 2 % of the window's. In the suite's 0.05 s, the shortest that a config may ask for,
 * 100 workers are 10 % of the operations at 20,000 ops/s and 2 % at 100,000, and 200 are twice that. That is 1,000 to
 * 5,000 operations; the document's tests had 2,000. Each level of workers is judged by itself.
 */
export const warming: Claim = {
  id: 'C6',
  statement:
    'Opening all connections before the load cuts p99 and does away with the spikes of connection creation.',
  predicted: '−20–30 % p99; a longest response time 5 % or more below that of a cold pool',
  suite: 'warming',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'a baseline pool and its equal that is warmed with minIdle = max',
  predictions: scenarios =>
    byWorkers(pairWithWarmed(scenarios, isFull)).flatMap(([workers, pairs]) => {
      const where = `warmed to cold, ${formatPlural(workers, 'worker')}, ${sayWindow(armsOf(pairs))}`;
      return [
        predictRatio(p99, pairs, where, { low: null, high: 0.8 }),
        predictRatio(maxResponse, pairs, where, { low: null, high: clearlyLess }),
      ];
    }),
  proof(scenarios) {
    const pairs = pairWithWarmed(scenarios, isFull);
    const creating = pairs.find(({ other }) => wholeRounds(other.rounds).some(created));
    return (
      findWarmStart(pairs.map(({ base }) => base)) ??
      (creating ? `${creating.other.id} created connections after the barrier` : null) ??
      findThinStart(armsOf(pairs))
    );
  },
  remarks(scenarios) {
    const cold = pairWithWarmed(scenarios, isFull).map(({ base }) => base);
    const quarter = pairWithWarmed(scenarios, isQuarter).filter(({ other }) => isMeasured(other));
    return [
      ...sayColdShare(cold),
      ...(quarter.length === 0
        ? []
        : [`With the document's minIdle of max / 4 connections were still created: ${sayCreated(quarter)}.`]),
    ];
  },
  context: scenarios => [
    ...pairWithWarmed(scenarios, isFull).flatMap(pair => compareArms(pair, p999, null)),
    ...pairWithWarmed(scenarios, isQuarter).flatMap(pair =>
      [p99, maxResponse, p999].flatMap(measure => compareArms(pair, measure, null)),
    ),
  ],
};

const isFull = ({ minIdle, connections }: ScenarioResult) => minIdle === connections;
const isQuarter = ({ minIdle, connections }: ScenarioResult) => minIdle === Math.round(connections / 4);
const created = ({ poolMetrics }: RoundResult) => poolMetrics.created;

function pairWithWarmed(
  scenarios: readonly ScenarioResult[],
  isWarmedSo: (scenario: ScenarioResult) => boolean,
): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isPlain(scenario) && scenario.pool === 'baseline',
    isOther: scenario => isPlain(scenario) && scenario.pool === 'warmed' && isWarmedSo(scenario),
    differ: ['preset', 'minIdle'],
  });
}

function sayCreated(pairs: readonly ArmPair[]): string {
  return formatList(
    pairs.map(({ base, other }) => {
      const connect = median(other.rounds.map(round => round.poolMetrics.connectTime.p99));
      return `${middle(other)} at ${other.workers} workers (baseline ${middle(base)}), each in up to ${formatMs(connect)} ms (p99)`;
    }),
  );
}

const middle = ({ rounds }: ScenarioResult) => median(rounds.map(created));
