import type { RoundResult, ScenarioResult } from '../result.ts';
import { longest, p99, throughput } from '../stats/measures.ts';
import { clearlyMore, median } from '../stats/statistics.ts';
import { wholeRounds } from '../stats/whole-rounds.ts';
import { formatFraction, formatList, formatPlural } from '../text/format.ts';
import type { Claim } from './claim.ts';
import { type ArmPair, compareArms, isOnePool, pairArms } from './judging/arms.ts';
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictRatio } from './judging/prediction.ts';

/** Above this share of cut operations p99 would be theirs, and not that of the others. */
const mostCut = 0.01;
/** A stall of all workers at each reconnect would touch this share of the operations at least, or p99 might not see it. */
const leastStalled = 0.02;
/** What the claim was first designed with. */
const designedCutMs = 100;

/**
 * C18. The document's bottleneck 4, a reconnect that blocks the process, cannot happen in Node as such. What is left
 * is held against the pools: one connection is cut every so often, and the workers whose connections were not cut must
 * not notice, in `baseline`, which opens the next one inside its lock, and in `optimized`. The suite's pools have one
 * connection a worker, so that most of what is cut is wanted and replaced; of twice as many most cuts would hit idle ones.
 *
 * p99 is over all completed operations. Those that a cut ended are failed and not among them. The next one of the same
 * worker, which waits for the new connection, is; there are as many as cuts, far fewer than 1 %, so p99 is that of the
 * others, including whoever then waits for the lock (where cuts are 0.2 % of the operations, it is their p99.2 at most). It
 * sees a stall of all workers only where reconnects are frequent: each would hold up one operation of every worker, so
 * reconnects × workers must be 2 % of the operations.
 */
export const reconnect: Claim = {
  id: 'C18',
  statement: 'While one connection reconnects, the workers of the others are untouched.',
  predicted: 'p99 of the others at most 5 % above that without cuts',
  suite: 'reconnect',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs: 'baseline or optimized pools with cutEveryMs above 0 beside their equals with 0',
  predictions(scenarios) {
    const pairs = pairWithUncut(scenarios);
    const presets = [...new Set(pairs.map(({ other }) => other.pool))];
    return presets.map(preset => {
      const ofPreset = pairs.filter(({ other }) => other.pool === preset);
      const where = `${preset}, with connections cut to without`;
      return predictRatio(p99, ofPreset, where, { low: null, high: clearlyMore });
    });
  },
  proof: findCutFlaw,
  remarks(scenarios) {
    const arms = pairWithUncut(scenarios).map(({ other }) => other);
    const whose =
      findCutFlaw(scenarios) === null ? ', too few to be in it, so it is that of the untouched workers' : '';
    return [
      `P99 is over all completed operations; cuts touched ${formatList(arms.map(sayCuts))}${whose}.`,
      ...sayWhyOften(arms.filter(({ cutEveryMs }) => cutEveryMs < designedCutMs)),
    ];
  },
  context: scenarios =>
    pairWithUncut(scenarios).flatMap(pair => [
      ...compareArms(pair, throughput, null),
      ...compareArms(pair, longest, null),
    ]),
};

/** Why p99 would not be that of the others, or would not see that they wait, as a clause; null if it is and does. */
function findCutFlaw(scenarios: readonly ScenarioResult[]): string | null {
  for (const { other: arm } of pairWithUncut(scenarios)) {
    if (medianOf(arm, cuts) === 0) return `no connection of ${arm.id} was cut`;
    if (medianOf(arm, reconnects) === 0) return `${arm.id} replaced no connection`;
    if (cutShare(arm) > mostCut)
      return `cuts touched ${formatFraction(cutShare(arm))} of the operations of ${arm.id}, so that p99 is not that of the others`;
    if (stallShare(arm) < leastStalled)
      return `a stall of all workers at every reconnect would touch only ${formatFraction(stallShare(arm))} of the operations of ${arm.id}, and below ${leastStalled * 100} % p99 might not see it`;
  }
  return null;
}

function pairWithUncut(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const isArm = (scenario: ScenarioResult) =>
    isOnePool(scenario) && (scenario.pool === 'baseline' || isDefaultOptimized(scenario));
  return pairArms(scenarios, {
    isBase: scenario => isArm(scenario) && scenario.cutEveryMs === 0,
    isOther: scenario => isArm(scenario) && scenario.cutEveryMs > 0,
    differ: ['cutEveryMs'],
  });
}

/** Other intervals are a matter of C13. */
const isDefaultOptimized = ({ pool, healthTtlMs }: ScenarioResult) =>
  pool === 'optimized' && healthTtlMs === 1000;

type Count = (round: RoundResult) => number;

const cuts: Count = round => round.cuts;
const reconnects: Count = ({ poolMetrics }) => poolMetrics.reconnects;
const completed: Count = round => round.completed;

const sumOf = ({ rounds }: ScenarioResult, count: Count) =>
  wholeRounds(rounds).reduce((sum, round) => sum + count(round), 0);
const medianOf = ({ rounds }: ScenarioResult, count: Count) => median(wholeRounds(rounds).map(count));

/** Each cut holds up one operation that completes, at most: the next one of the worker that had the connection. */
function cutShare(arm: ScenarioResult): number {
  return sumOf(arm, cuts) / Math.max(1, sumOf(arm, completed));
}

/** If each reconnect stalled all workers, one operation of each would be held up. */
function stallShare(arm: ScenarioResult): number {
  return (sumOf(arm, reconnects) * arm.workers) / Math.max(1, sumOf(arm, completed));
}

/** `stallShare`, if cuts were as rare as the claim was designed with. */
const shareAsDesigned = (arm: ScenarioResult) => (stallShare(arm) * arm.cutEveryMs) / designedCutMs;

function sayWhyOften(arms: readonly ScenarioResult[]): string[] {
  const [thinnest] = arms.toSorted((a, b) => shareAsDesigned(a) - shareAsDesigned(b));
  if (thinnest === undefined || shareAsDesigned(thinnest) >= leastStalled) return [];
  return [
    `At a cut every ${designedCutMs} ms a stall of all workers would touch only ${formatFraction(shareAsDesigned(thinnest))} of the operations, too few for p99; hence ${thinnest.cutEveryMs} ms.`,
  ];
}

function sayCuts(arm: ScenarioResult): string {
  const [cut, replaced] = [sumOf(arm, cuts), sumOf(arm, reconnects)];
  return `${(cutShare(arm) * 100).toFixed(2)} % of the operations of ${arm.pool} pools (${formatPlural(cut, 'cut')}, ${formatPlural(replaced, 'reconnect')})`;
}
