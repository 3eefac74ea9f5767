import type { ScenarioResult } from '../result.ts';
import { p99, throughput } from '../stats/measures.ts';
import { clearlyLess, clearlyMore, median } from '../stats/statistics.ts';
import { formatList, formatMs } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, isMeasured, isPlain, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { type Prediction, predictRatio } from './judging/prediction.ts';

/**
 * C11. Pools of other sizes against one of 2 connections a worker. What counts is 5 %, as in C1: a larger pool is
 * better, and a pool of 1 a worker is worse, by that much or not at all. minIdle is a quarter of each. In a closed loop
 * the second connection of a worker lies idle, which the caveat says.
 */
export const poolSize: Claim = {
  id: 'C11',
  statement: 'Twice as many connections as concurrent callers is the right size of a pool.',
  predicted: 'no larger pool is better by more than 5 %, and one of 1 a worker is worse by 5 % or more',
  suite: 'pool-size',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'optimized pools of 2 connections a worker beside their equals of 1 and of more than 2',
  predictions(scenarios) {
    const equal = pairWithTwice(scenarios, size => size === 1);
    const larger = pairWithTwice(scenarios, size => size > 2);
    if (equal.length === 0 || larger.length === 0) return [];
    return [
      predictRatio(throughput, equal, '1 connection a worker to 2', { low: null, high: clearlyLess }),
      ...bySize(larger).map(
        ({ size, pairs }): Prediction =>
          predictRatio(throughput, pairs, `${size} connections a worker to 2`, {
            low: null,
            high: clearlyMore,
          }),
      ),
    ];
  },
  caveat: () =>
    'N workers in a closed loop hold at most N connections; headroom for more callers is not tested.',
  remarks: scenarios => [sayWaits(scenarios.filter(isArm).filter(isMeasured))],
  context: scenarios => [
    ...pairWithTwice(scenarios, size => size < 1).flatMap(pair => compareArms(pair, throughput, null)),
    ...pairWithTwice(scenarios, () => true).flatMap(pair => compareArms(pair, p99, null)),
  ],
};

/** The document's minIdle follows the size. */
function isArm(scenario: ScenarioResult): boolean {
  const { pool, minIdle, connections } = scenario;
  return isPlain(scenario) && pool === 'optimized' && minIdle === Math.round(connections / 4);
}

/** Connections a worker. */
const sizeOf = ({ connections, workers }: ScenarioResult) => connections / workers;

function pairWithTwice(scenarios: readonly ScenarioResult[], isSize: (size: number) => boolean): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && sizeOf(scenario) === 2,
    isOther: scenario => isArm(scenario) && isSize(sizeOf(scenario)),
    differ: ['connections', 'minIdle'],
  });
}

function bySize(pairs: readonly ArmPair[]): { size: number; pairs: ArmPair[] }[] {
  const sizes = [...new Set(pairs.map(({ other }) => sizeOf(other)))].toSorted((a, b) => a - b);
  return sizes.map(size => ({ size, pairs: pairs.filter(({ other }) => sizeOf(other) === size) }));
}

function sayWaits(arms: readonly ScenarioResult[]): string {
  const waits = arms.map(arm => {
    const waitMs = median(arm.rounds.map(({ poolMetrics }) => poolMetrics.acquireWait.mean));
    return `${formatMs(waitMs)} ms with ${sizeOf(arm)} at ${arm.workers} workers (${arm.client})`;
  });
  return `The mean wait for a connection was ${formatList(waits)}.`;
}
