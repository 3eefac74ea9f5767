import type { Comparison, Result, ScenarioResult } from '../result.ts';
import { p95, throughput } from '../stats/measures.ts';
import { combineByRound, pairedRatio } from '../stats/paired-ratio.ts';
import { clearlyMore, medianInterval } from '../stats/statistics.ts';
import { formatList, formatPlural, formatRatio, formatRatioInterval } from '../text/format.ts';
import type { Judgement, TwoServerClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  isPlain,
  pairFewWithMany,
  pairWithBaseline,
  ratioOf,
} from './judging/arms.ts';
import { judgePredictions, untested } from './judging/judge-predictions.ts';
import type { Prediction } from './judging/prediction.ts';
import {
  decides,
  findSides,
  findUnfairness,
  isLimitedByServer,
  isPairMeasured,
  isUndisturbed,
  limitsOf,
  notOfTheServers,
  pairSides,
  predictBeside,
  type Sides,
  showBoth,
} from './judging/versus.ts';

/** The document's table is of 50 workers, and "scales better with many workers". */
const manyWorkers = 50;
/** Of its 20–50 % the least; more keeps the promise. */
const range = { low: 1.2, high: null };

/** C10. About two servers: in one run there is no second. */
export const dragonfly: TwoServerClaim = {
  id: 'C10',
  statement: 'Dragonfly is faster than Redis, scales better, and gains more from the optimized pool.',
  predicted:
    '×1.2–1.5 the throughput at 50 workers and more; 5 % more gain than on Redis from fewest to most workers, and from optimized pools; all held to where the servers are the limit',
  suite: 'versus',
  judgeSides: judgeDragonfly,
};

/**
 * Three parts: throughput of every optimized pool from 50 workers on that the servers limited on both sides, or on one,
 * which is a bound; how much more Dragonfly gains from the fewest to the most workers; how much more the optimized pool
 * gains over baseline. The last two are ratios of ratios, each made within one round, and more is 5 % more. They are
 * judged where the servers were the limit too, and stay open elsewhere: two gains behind a saturated client are equal
 * because the client is. So they are for most ioredis pools, and then the claim can be refuted and not supported.
 *
 * All are one claim, whichever client a part was measured with. How many threads Dragonfly has is its own: more of them
 * is what the claim is about.
 */
function judgeDragonfly(results: readonly Result[]): Judgement {
  const sides = findSides(results, 'dragonfly');
  if (typeof sides === 'string') return untested(sides);
  const { scenarios } = sides;
  const beside = pairSides(scenarios, sides, isUndisturbed).filter(isPairMeasured);
  const atMany = beside.filter(({ other }) => other.pool === 'optimized' && other.workers >= manyWorkers);
  const faster = atMany.filter(pair => decides(pair, range));
  const growth = findGrowth(sides);
  const hasArms = atMany.length > 0 && growth.every(({ gains }) => gains.length > 0);
  if (hasArms && faster.length === 0) return notOfTheServers(beside, sides);
  const told = growth
    .filter(isTold)
    .map(({ from, gains }) => ({ from, gains: gains.filter(isOfTheServers) }));
  const open = growth.filter(one => !isTold(one));
  const predictions = [
    ...faster.map(pair => predictBeside(pair, 'Dragonfly', range)),
    ...told.map(predictMore),
  ];
  const judgement = judgePredictions(sides, {
    needs: 'baseline and optimized pools at 50 workers or more, and at fewer, on Dragonfly and on Redis',
    // Clients are settings of their own elsewhere. Here they share one, which is said with the first of them.
    predictions: ofClient => (hasArms && ofClient[0] === scenarios[0] ? predictions : []),
    proof: () => findUnfairness(sides),
    remarks: () => [...open.map(sayOpen), sayThreads(sides.target)],
    context: () => [
      ...faster.flatMap(pair => compareArms(pair, p95, null)),
      ...open.flatMap(({ gains }) => gains.flatMap(compareGain)),
      ...showBoth(beside.filter(pair => !faster.includes(pair))),
    ],
  });
  return open.length > 0 ? leaveOpen(judgement, open.map(sayOpen)) : judgement;
}

/** A claim of which a part is not judged is not supported, whatever the others say. */
function leaveOpen(judgement: Judgement, why: readonly string[]): Judgement {
  if (judgement.verdict !== 'supported') return judgement;
  return { ...judgement, verdict: 'inconclusive', gist: [judgement.gist, ...why].join(' ') };
}

function sayThreads({ detected: { threads } }: Result['target']): string {
  return threads === null
    ? 'How many threads Dragonfly had is not known.'
    : `Dragonfly had ${formatPlural(threads, 'thread')}; with another number it may be another story.`;
}

const isOptimized = (scenario: ScenarioResult) => isPlain(scenario) && scenario.pool === 'optimized';

/** The same two arms on either server. */
interface Gain {
  readonly onRedis: ArmPair;
  readonly onDragonfly: ArmPair;
}

/** A way to gain throughput, and every pair of arms that shows how much. */
interface Growth {
  readonly from: string;
  readonly gains: readonly Gain[];
}

function findGrowth(sides: Sides): Growth[] {
  const pairOptimized = (arms: readonly ScenarioResult[]) => pairFewWithMany(arms.filter(isOptimized));
  return [
    { from: 'from the fewest to the most workers', gains: findGains(sides, pairOptimized) },
    { from: 'from optimized pools', gains: findGains(sides, arms => pairWithBaseline(arms, 'optimized')) },
  ];
}

const armsOf = ({ onRedis, onDragonfly }: Gain) =>
  [onRedis, onDragonfly].flatMap(({ base, other }) => [base, other]);

/** Few workers need not saturate a server. */
function armsOfMostWorkers(gain: Gain): ScenarioResult[] {
  const most = Math.max(...armsOf(gain).map(({ workers }) => workers));
  return armsOf(gain).filter(({ workers }) => workers === most);
}

const isOfTheServers = (gain: Gain) => armsOfMostWorkers(gain).every(isLimitedByServer);
const isTold = ({ gains }: Growth) => gains.some(isOfTheServers);

function findGains(sides: Sides, pair: (arms: readonly ScenarioResult[]) => ArmPair[]): Gain[] {
  const equals = new Map(pairSides(sides.scenarios, sides, isPlain).map(({ base, other }) => [other, base]));
  return pair([...equals.keys()]).flatMap(onDragonfly => {
    const base = equals.get(onDragonfly.base);
    const other = equals.get(onDragonfly.other);
    return base && other ? { onRedis: { base, other }, onDragonfly } : [];
  });
}

/** The gain on Dragonfly to that on Redis, within each round. */
function compareByRound(gains: readonly Gain[]): number[] {
  return combineByRound(
    gains.map(({ onRedis, onDragonfly }) =>
      pairedRatio(
        ratioOf(onRedis, throughput.figure).byRound,
        ratioOf(onDragonfly, throughput.figure).byRound,
      ),
    ),
  );
}

const compareGain = ({ onRedis, onDragonfly }: Gain): Comparison[] =>
  [onRedis, onDragonfly].flatMap(pair => compareArms(pair, throughput, null));

/** Predicts that throughput gains more on Dragonfly than on Redis. */
function predictMore({ from, gains }: Growth): Prediction {
  return {
    what: `Dragonfly to Redis: gain ${from}`,
    byRound: compareByRound(gains),
    range: { low: clearlyMore, high: null },
    format: formatRatio,
    arms: gains.flatMap(armsOf),
    comparisons: gains.flatMap(compareGain),
  };
}

function sayOpen({ from, gains }: Growth): string {
  const byRound = compareByRound(gains);
  const figure =
    byRound.length === 0 ? '' : ` (${formatRatioInterval(medianInterval(byRound))} of that on Redis)`;
  const limits = limitsOf(gains.flatMap(armsOfMostWorkers));
  return `The gain ${from}${figure} stays open: not all of its arms with most workers were limited by the servers (${formatList(limits)}).`;
}
