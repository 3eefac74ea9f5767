import type { Comparison, RoundResult, ScenarioResult } from '../result.ts';
import { allServed, type Measure } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { clearlyLess, median } from '../stats/statistics.ts';
import { formatList, formatMs, formatPlural, formatRatio, formatRatioInterval } from '../text/format.ts';
import type { Claim } from './claim.ts';
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
import { type Design, judgePredictions } from './judging/judge-predictions.ts';
import { predictFigure, predictRatio } from './judging/prediction.ts';
import { findWarmStart } from './judging/soundness.ts';

/** Proportional within this factor: the first connects cost more than the rest. */
const tolerance = 2;
/** Connects that are open at once, on average, where they overlap. */
const overlapping = 2;

/**
 * C19. redis-py issue 3842: a pool that holds its lock while it connects opens the connections of a burst one after
 * another. Every worker keeps its first connection until all have one, so that N connections are needed and no worker
 * is served by another's. Three things must be seen. The baseline's time until N connections serve grows at least in
 * proportion to N. The optimized pool, cold too (minIdle 0), takes less at the largest number. And it does so because
 * its connects overlap: their times add up to more than the time that passed.
 *
 * It is not predicted that the optimized pool's time stays the same. On loopback a connect costs CPU and hardly any
 * waiting, and N connects in one thread cost N times that, overlapping or not. That is shown beside the verdict.
 */
export const coldStart: Claim = {
  id: 'C19',
  statement:
    'A pool that connects inside its lock opens the connections of a cold burst one after another; one that connects outside does not.',
  predicted:
    'ours, after redis-py issue 3842, and not the document’s: the baseline’s time until N workers have a connection each grows in proportion to N (half of that at least), the optimized one’s is 5 % shorter or more, and its connects overlap (2 at a time or more)',
  suite: 'cold-start',
  judge: evidence => judgePredictions(evidence, design),
};

const design: Design = {
  needs:
    'baseline pools with burst at two numbers of workers, the larger at least 4 times the smaller, and an optimized pool with burst and minIdleShare 0 at the larger',
  predictions(scenarios) {
    const { growth, beside, few, many } = pairStarts(scenarios);
    if (many < 4 * few || beside.length === 0) return [];
    const range = { low: many / few / tolerance, high: null };
    const where = `optimized to baseline, ${many} workers`;
    return [
      predictRatio(allServed, growth, `baseline, ${many} workers to ${few}`, range),
      predictRatio(allServed, beside, where, { low: null, high: clearlyLess }),
      ...beside.map(({ other }) =>
        predictFigure(
          connectsAtOnce,
          other,
          `optimized, ${many} workers`,
          { low: overlapping, high: null },
          formatConnects,
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
    const arms = scenarios.filter(isArm).filter(isMeasured);
    const most = Math.max(...arms.map(({ workers }) => workers));
    const atMost = arms.filter(({ workers }) => workers === most);
    return [
      `Time until each of ${most} workers had a connection that served: ${formatList(atMost.map(sayStart))}.`,
      ...saySlope(arms),
    ];
  },
  context: scenarios => [
    ...pairFewWithMany(scenarios.filter(isOptimized)).flatMap(pair => compareArms(pair, allServed, null)),
    ...pairWithBaseline(scenarios)
      .filter(pair => !pairStarts(scenarios).beside.some(({ other }) => other === pair.other))
      .flatMap(pair => compareArms(pair, allServed, null)),
    ...comparePacings(scenarios),
  ],
};

const isBaseline = (scenario: ScenarioResult) => isBurst(scenario) && scenario.pool === 'baseline';
const isOptimized = (scenario: ScenarioResult) =>
  isBurst(scenario) && scenario.pool === 'optimized' && scenario.minIdle === 0;
const isArm = (scenario: ScenarioResult) => isBaseline(scenario) || isOptimized(scenario);

/** Plain but for the burst. */
function isBurst(scenario: ScenarioResult): boolean {
  return scenario.burst && isPlain({ ...scenario, burst: false });
}

/** What is judged: baseline at few and at many workers, and the optimized pool beside it at many. */
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
    const round = wholeRounds(arm.rounds).find(({ poolMetrics }) => poolMetrics.created < arm.workers);
    if (round)
      return `${arm.id} created ${formatPlural(round.poolMetrics.created, 'connection')} for ${arm.workers} workers in round ${round.round}`;
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

function comparePacings(scenarios: readonly ScenarioResult[]): Comparison[] {
  return pairArms(scenarios, {
    isBase: scenario => isOptimized(scenario) && scenario.connects === 'parallel',
    isOther: scenario => isOptimized(scenario) && scenario.connects !== 'parallel',
    differ: ['connects'],
  }).flatMap(pair => compareArms(pair, allServed, null));
}

/** Times to connect, added up, over the time until all workers were served. */
const connectsAtOnce: Measure = {
  name: 'connects at a time',
  unit: 'connects',
  figure: ({ allServedMs, poolMetrics: { connectTime } }) =>
    allServedMs === null || allServedMs === 0 ? 0 : (connectTime.count * connectTime.mean) / allServedMs,
};

const formatConnects = (connects: number) => connects.toFixed(1);

function nameArm({ pool, connects }: ScenarioResult): string {
  return pool === 'baseline' ? 'baseline' : `optimized and ${connects} connects`;
}

function sayStart(arm: ScenarioResult): string {
  const of = (figure: (round: RoundResult) => number) => formatMs(median(arm.rounds.map(figure)));
  const connectMs = of(({ poolMetrics }) => poolMetrics.connectTime.mean);
  return `${of(allServed.figure)} ms with ${nameArm(arm)} (mean connect ${connectMs} ms)`;
}

/** How the optimized pool's time grows: on loopback, with the CPU of its connects. */
function saySlope(arms: readonly ScenarioResult[]): string[] {
  const parallel = arms.filter(arm => isOptimized(arm) && arm.connects === 'parallel');
  return pairFewWithMany(parallel).map(pair => {
    const factor = formatRatio(pair.other.workers / pair.base.workers);
    const { ratio } = ratioOf(pair, allServed.figure);
    return `With ${factor} the workers the optimized pool took ${formatRatioInterval(ratio)} the time: where a connect costs CPU rather than waiting, as on loopback, overlapping cannot hide it.`;
  });
}
