import type { RoundResult, ScenarioResult } from '../result.ts';
import { allServed, type Measure } from '../stats/measures.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import {
  excludesNothing,
  formatList,
  formatMs,
  formatPlural,
  formatRatio,
  formatRatioInterval,
} from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  isMeasured,
  isPlain,
  pairArms,
  pairFewWithMany,
  ratioOf,
} from './judging/arms.ts';
import { atLeast, atMost, predictFigure, predictRatios } from './judging/prediction.ts';
import { findRound, findWarmStart } from './judging/soundness.ts';

/**
 * Counts as proportional within this factor, because the first connection attempts cost more than the rest.
 */
const tolerance = 2;
/** Min mean number of simultaneous connection attempts that counts as overlapping. */
const minOverlap = 2;

/**
 * C19. redis-py issue 3842: a pool that holds its lock while it connects opens the connections of a burst one after
 * another. Every worker keeps its first connection until all have one, so that N connections are needed and no worker
 * uses another's. Three things must hold. The baseline's time until N connections serve grows at least in proportion to
 * N. The optimized pool, also cold (minIdle 0), takes less at the largest number. And this is because its connection
 * attempts overlap: their durations add up to more than the elapsed time.
 *
 * It is not predicted that the optimized pool's time stays the same. On loopback a connection attempt costs CPU and
 * hardly any waiting, and N attempts in one thread cost N times that, overlapping or not. That is shown with the
 * verdict.
 */
export const coldStart: PredictingClaim = {
  id: 'C19',
  statement:
    'A pool that connects inside its lock opens the connections of a cold burst one after another; one that connects outside does not.',
  predicted: `our own prediction, from redis-py issue 3842, as the source report has none: the baseline’s time until each of N workers has a connection grows in proportion to N (at least half of that), the optimized pool’s is shorter by 5 % or more, and its connection attempts overlap (at least ${minOverlap} at a time)`,
  suite: 'cold-start',
  needs:
    'baseline pools with burst at two numbers of workers, the larger at least 4 times the smaller, and an optimized pool with burst and minIdleShare 0 at the larger',
  predictions(scenarios) {
    const { growth, beside, few, many } = pairStarts(scenarios);
    if (many < 4 * few || beside.length === 0) return [];
    const proportional = atLeast(many / few / tolerance);
    return [
      ...predictRatios(growth, `baseline, ${many} workers to ${few}`, [[allServed, proportional]]),
      ...predictRatios(beside, `optimized to baseline, ${many} workers`, [[allServed, atMost(clearlyLess)]]),
      ...beside.map(({ other }) =>
        predictFigure(connectsAtOnce, other, `optimized, ${many} workers`, atLeast(minOverlap), figure =>
          figure.toFixed(1),
        ),
      ),
    ];
  },
  proof(scenarios) {
    const { growth, beside } = pairStarts(scenarios);
    const arms = armsOf([...growth, ...beside]);
    return findWarmStart(arms) ?? findSharing(arms);
  },
  remarks(scenarios) {
    const arms = scenarios.filter(arm => isBaseline(arm) || isOptimized(arm)).filter(isMeasured);
    const many = Math.max(...arms.map(({ workers }) => workers));
    const starts = arms.filter(({ workers }) => workers === many).map(describeStart);
    return [
      `Time until each of ${many} workers had a connection that served: ${formatList(starts)}.`,
      ...describeGrowth(arms),
    ];
  },
  context(scenarios) {
    const { beside } = pairStarts(scenarios);
    const judged = new Set(beside.map(({ other }) => other));
    const pacings = pairArms(scenarios.filter(isOptimized), {
      isBase: ({ connects }) => connects === 'parallel',
      isOther: ({ connects }) => connects !== 'parallel',
      differ: ['connects'],
    });
    const pairs = [
      ...pairFewWithMany(scenarios.filter(isOptimized)),
      ...pairWithBaseline(scenarios).filter(({ other }) => !judged.has(other)),
      ...pacings,
    ];
    return compareArms(pairs, [allServed]);
  },
};

const isBaseline = (scenario: ScenarioResult) => startsCold(scenario) && scenario.pool === 'baseline';
const isOptimized = (scenario: ScenarioResult) =>
  startsCold(scenario) && scenario.pool === 'optimized' && scenario.minIdle === 0;

/** Plain except for its start: all connections are opened in the window. */
function startsCold(scenario: ScenarioResult): boolean {
  return scenario.burst && isPlain({ ...scenario, burst: false });
}

/** The judged arms: baseline with few and with many workers, and the optimized pool with many. */
function pairStarts(scenarios: readonly ScenarioResult[]) {
  const growth = pairFewWithMany(scenarios.filter(isBaseline));
  const few = growth[0]?.base.workers ?? 0;
  const many = growth[0]?.other.workers ?? 0;
  const beside = pairWithBaseline(scenarios).filter(
    ({ other }) => other.workers === many && other.connects === 'parallel',
  );
  return { growth, beside, few, many };
}

/** Why some workers of these arms must have shared a connection, as a clause; null if each had its own in every whole round. */
function findSharing(arms: readonly ScenarioResult[]): string | null {
  for (const arm of arms) {
    const shared = findRound(arm, ({ poolMetrics }) => poolMetrics.created < arm.workers);
    if (shared)
      return `${arm.id} created ${formatPlural(shared.poolMetrics.created, 'connection')} for ${arm.workers} workers in round ${shared.round}`;
  }
  return null;
}

function pairWithBaseline(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: isBaseline,
    isOther: isOptimized,
    differ: ['preset', 'healthTtlMs', 'connects'],
  });
}

/** The durations of all connection attempts, over the time until all workers were served. */
const connectsAtOnce: Measure = {
  name: 'connection attempts at a time',
  unit: 'connects',
  better: 'more',
  figure: ({ allServedMs, poolMetrics: { connectTime } }) =>
    allServedMs === null || allServedMs === 0 ? 0 : (connectTime.count * connectTime.mean) / allServedMs,
};

function describeStart({ pool, connects, rounds }: ScenarioResult): string {
  const formatMedian = (figure: (round: RoundResult) => number) => formatMs(median(rounds.map(figure)));
  const preset = pool === 'baseline' ? 'baseline' : `optimized and ${connects} connects`;
  const connectMs = formatMedian(({ poolMetrics }) => poolMetrics.connectTime.mean);
  return `${formatMedian(allServed.figure)} ms with ${preset} (mean connect ${connectMs} ms)`;
}

/** How the optimized pool's time grows: on loopback, with the CPU of its connection attempts. */
function describeGrowth(arms: readonly ScenarioResult[]): string[] {
  const parallel = arms.filter(arm => isOptimized(arm) && arm.connects === 'parallel');
  return pairFewWithMany(parallel).flatMap(pair => {
    const factor = formatRatio(pair.other.workers / pair.base.workers);
    const { ratio } = ratioOf(pair, allServed);
    if (ratio === null || excludesNothing(ratio)) return [];
    return `With ${factor} the workers, the optimized pool took ${formatRatioInterval(ratio)} the time: if a connection attempt costs CPU time rather than waiting, as on loopback, overlap cannot hide it.`;
  });
}
