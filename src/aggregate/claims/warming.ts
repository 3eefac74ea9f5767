import type { ScenarioResult } from '../result.ts';
import { maxResponse, p99OfStart, p999 } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { formatFraction, formatList, formatMs, formatPlural } from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  byWorkers,
  compareArms,
  hasReportedMinIdle,
  isMeasured,
  isPlain,
  pairArms,
} from './judging/arms.ts';
import { atMost, cutOf, predictRatios } from './judging/prediction.ts';
import { findRound, findWarmStart } from './judging/soundness.ts';
import { formatChangeRange, sourceReport } from './source-report.ts';

const promisedP99 = sourceReport.warming.p99;
const fraction = `max / ${1 / sourceReport.minIdleRatio}`;

/**
 * C6. A cold start lies inside the measured window of `baseline`. It is compared with a `warmed` pool that opens all its
 * connections before the barrier, so that it creates none after: what warming can do at most. "No creation spikes" is
 * two things: the proof that this arm created nothing, and a max response time 5 % or more below baseline's (the
 * window of one cold start has no seconds of which one could be the worst). The source report's own minIdle, max / 4, is shown beside it: it does not end creation.
 *
 * A p99 sees a cold start only where the window is short and the workers are many. The start holds up one operation of
 * each worker, and these must be 2 % of the window's. In the suite's 0.05 s, the shortest that a config may ask for,
 * 100 workers are 10 % of the operations at 20,000 ops/s and 2 % at 100,000, and 200 are twice that. That is 1,000 to
 * 5,000 operations; the source report's tests had 2,000. Each level of workers is judged by itself.
 *
 * Such a p99 is practically the worst stall of the window, which other claims are not judged by. Here it is what is asked
 * for: the start is one stall, and 25 rounds have 25 of them.
 */
export const warming: PredictingClaim = {
  id: 'C6',
  statement:
    'Opening all connections before the load cuts p99 and removes the latency spikes of connection creation.',
  predicted: `${formatChangeRange(promisedP99)} p99; a max response time 5 % or more below that of a cold pool`,
  suite: 'warming',
  needs: 'a baseline pool and an otherwise equal one that is warmed with minIdle = max',
  predictions: scenarios =>
    byWorkers(pairWithWarmed(scenarios, isFull)).flatMap(([workers, pairs]) =>
      predictRatios(pairs, `warmed to cold, ${formatPlural(workers, 'worker')}, ${describeWindow(pairs)}`, [
        [p99OfStart, cutOf(promisedP99)],
        [maxResponse, atMost(clearlyLess)],
      ]),
    ),
  proof(scenarios) {
    const pairs = pairWithWarmed(scenarios, isFull);
    const creating = pairs.find(({ other }) =>
      findRound(other, ({ poolMetrics }) => poolMetrics.created > 0),
    );
    return (
      findWarmStart(pairs.map(({ base }) => base)) ??
      (creating ? `${creating.other.id} created connections after the barrier` : null) ??
      findThinStart(armsOf(pairs))
    );
  },
  remarks(scenarios) {
    const cold = pairWithWarmed(scenarios, isFull).map(({ base }) => base);
    const quarter = pairWithWarmed(scenarios, hasReportedMinIdle).filter(({ other }) => isMeasured(other));
    return [
      ...describeColdRatio(cold),
      ...(quarter.length === 0
        ? []
        : [
            `With the source report's minIdle of ${fraction} connections were still created: ${formatList(quarter.map(describeCreated))}.`,
          ]),
    ];
  },
  context: scenarios => [
    ...compareArms(pairWithWarmed(scenarios, isFull), [p999]),
    ...compareArms(pairWithWarmed(scenarios, hasReportedMinIdle), [p99OfStart, maxResponse, p999]),
  ],
};

const isFull = ({ minIdle, connections }: ScenarioResult) => minIdle === connections;

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

function describeCreated({ base, other }: ArmPair): string {
  const connectMs = median(other.rounds.map(({ poolMetrics }) => poolMetrics.connectTime.p99));
  return `${createdIn(other)} at ${other.workers} workers (baseline ${createdIn(base)}), each in up to ${formatMs(connectMs)} ms (p99)`;
}

const createdIn = ({ rounds }: ScenarioResult) =>
  median(rounds.map(({ poolMetrics }) => poolMetrics.created));

/**
 * C12. Optimized pools that start their load with more or fewer connections open, the start inside the window, which is
 * short for the reason that C6 has. With a minIdle of max / 4, which is half a connection per worker, half of the workers
 * start cold, and their operations must be 2 % of all, too: in 0.05 s it takes 200 workers, of whom 100 are 10 % of the
 * operations at 20,000 ops/s and 2 % at 100,000.
 */
export const minIdle: PredictingClaim = {
  id: 'C12',
  statement: 'A minIdle of a quarter of the maximum cuts p99.',
  predicted: `${formatChangeRange(promisedP99)} p99 against a minIdle of 0`,
  suite: 'min-idle',
  needs: `optimized pools with minIdle 0 and ${fraction}`,
  predictions: scenarios =>
    byWorkers(pairWithQuarter(scenarios)).flatMap(([workers, pairs]) => {
      const levels = `${formatPlural(workers, 'worker')}, ${describeWindow(pairs)}`;
      return predictRatios(pairs, `a minIdle of ${fraction} to none, ${levels}`, [
        [p99OfStart, cutOf(promisedP99)],
      ]);
    }),
  proof(scenarios) {
    const pairs = pairWithQuarter(scenarios);
    return findWarmStart(pairs.map(({ base }) => base)) ?? findThinStart(armsOf(pairs));
  },
  remarks(scenarios) {
    const pairs = pairWithNone(scenarios.filter(isMeasured));
    const arms = armsOf(pairs);
    const created = arms.map(
      arm => `${createdIn(arm)} with minIdle ${arm.minIdle} at ${arm.workers} workers`,
    );
    return [
      ...describeColdRatio(armsOf(pairs)),
      `Connections created in the window, on demand or by maintenance (the figures do not distinguish the two): ${formatList(created)}.`,
    ];
  },
  context: scenarios =>
    pairWithNone(scenarios).flatMap(pair =>
      compareArms(
        [pair],
        hasReportedMinIdle(pair.other) ? [p999, maxResponse] : [p99OfStart, p999, maxResponse],
      ),
    ),
};

function pairWithNone(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const isArm = (scenario: ScenarioResult) => isPlain(scenario) && scenario.pool === 'optimized';
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && scenario.minIdle === 0,
    isOther: scenario => isArm(scenario) && scenario.minIdle > 0,
    differ: ['minIdle'],
  });
}

function pairWithQuarter(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairWithNone(scenarios).filter(({ other }) => hasReportedMinIdle(other));
}

/**
 * A p99 is the best of the worst 1 %, so it is certain to be a cold operation only if these are twice as
 * many.
 */
const minColdRatio = 0.02;

/**
 * Why a p99 cannot show the cold start of one of these arms, as a clause; null if it can in all that start
 * cold.
 */
function findThinStart(arms: readonly ScenarioResult[]): string | null {
  const thin = arms.filter(startsCold).find(arm => coldRatio(arm) < minColdRatio);
  if (thin === undefined) return null;
  return `the operations that the cold start holds up are only ${(coldRatio(thin) * 100).toFixed(2)} % of those of ${thin.id}, and below ${minColdRatio * 100} % a p99 may miss them`;
}

/**
 * Weight of the start in a window: the first operation of every worker without a connection, as a fraction
 * of all.
 */
function describeColdRatio(arms: readonly ScenarioResult[]): string[] {
  const ratios = arms
    .filter(startsCold)
    .map(
      arm =>
        `${formatFraction(coldRatio(arm))} with minIdle ${arm.minIdle} at ${formatPlural(arm.workers, 'worker')} (${arm.client})`,
    );
  if (ratios.length === 0) return [];
  return [
    `The first operations of the workers for which no connection was open are ${formatList(ratios)} of the window's.`,
  ];
}

/** "first 0.05 s", of a load that began with the window. */
function describeWindow(pairs: readonly ArmPair[]): string {
  const seconds = armsOf(pairs).flatMap(({ rounds }) => rounds.map(round => round.seconds));
  return seconds.length === 0 ? 'from the start' : `first ${Number(median(seconds).toPrecision(2))} s`;
}

/** Workers that find no connection open when the load begins. */
const coldWorkers = ({ workers, minIdle }: ScenarioResult) => Math.max(0, workers - minIdle);

const startsCold = (arm: ScenarioResult) => isMeasured(arm) && coldWorkers(arm) > 0;

function coldRatio(arm: ScenarioResult): number {
  return coldWorkers(arm) / Math.max(1, median(wholeRounds(arm.rounds).map(({ completed }) => completed)));
}
