import type { ScenarioResult } from '../result.ts';
import { maxResponse, p99, p999 } from '../stats/measures.ts';
import { median } from '../stats/statistics.ts';
import { formatList, formatPlural } from '../text/format.ts';
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
 * C12. Optimized pools that start their load with more or fewer connections open, the start inside the window, which is
 * short for the reason that C6 has. With a minIdle of max / 4, which is half a connection a worker, half of the workers
 * start cold, and theirs must be 2 % of the operations too: in 0.05 s it takes 200 workers, of whom 100 are 10 % of the
 * operations at 20,000 ops/s and 2 % at 100,000.
 */
export const minIdle: Claim = {
  id: 'C12',
  statement: 'A minIdle of a quarter of the maximum cuts p99.',
  predicted: '−20–30 % p99 against a minIdle of 0',
  suite: 'min-idle',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'optimized pools with minIdle 0 and max / 4',
  predictions: scenarios =>
    byWorkers(pairWithQuarter(scenarios)).map(([workers, pairs]) => {
      const where = `a minIdle of max / 4 to none, ${formatPlural(workers, 'worker')}, ${sayWindow(armsOf(pairs))}`;
      return predictRatio(p99, pairs, where, { low: null, high: 0.8 });
    }),
  proof(scenarios) {
    const pairs = pairWithQuarter(scenarios);
    return findWarmStart(pairs.map(({ base }) => base)) ?? findThinStart(armsOf(pairs));
  },
  remarks(scenarios) {
    const pairs = pairWithNone(scenarios.filter(isMeasured));
    const bases = [...new Set(pairs.map(({ base }) => base))];
    return [...sayColdShare(armsOf(pairs)), sayCreated([...bases, ...pairs.map(({ other }) => other)])];
  },
  context: scenarios =>
    pairWithNone(scenarios).flatMap(pair => [
      ...(isQuarter(pair.other) ? [] : compareArms(pair, p99, null)),
      ...compareArms(pair, p999, null),
      ...compareArms(pair, maxResponse, null),
    ]),
};

const isArm = (scenario: ScenarioResult) => isPlain(scenario) && scenario.pool === 'optimized';
const isQuarter = ({ minIdle, connections }: ScenarioResult) => minIdle === Math.round(connections / 4);

function pairWithNone(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && scenario.minIdle === 0,
    isOther: scenario => isArm(scenario) && scenario.minIdle > 0,
    differ: ['minIdle'],
  });
}

function pairWithQuarter(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithNone(scenarios).filter(({ other }) => isQuarter(other));
}

/** On demand or by upkeep: the pool does not tell them apart. */
function sayCreated(arms: readonly ScenarioResult[]): string {
  const created = arms.map(
    ({ rounds, minIdle, workers }) =>
      `${median(rounds.map(({ poolMetrics }) => poolMetrics.created))} with minIdle ${minIdle} at ${workers} workers`,
  );
  return `Connections created in the window, on demand and by upkeep, which the figures do not tell apart: ${formatList(created)}.`;
}
