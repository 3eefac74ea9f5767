import type { Result, ScenarioResult } from '../result.ts';
import { p95, throughput } from '../stats/measures.ts';
import { pairedRatio } from '../stats/paired-ratio.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { formatList, formatPlural, formatRatio, formatRatioInterval } from '../text/format.ts';
import { type Judgement, judgePredictions, type TwoServerClaim, untested, type VersusSide } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  isPlain,
  limitsOf,
  pairFewWithMany,
  pairWithBaseline,
  ratioOf,
} from './judging/arms.ts';
import { atLeast, type Prediction } from './judging/prediction.ts';
import {
  decides,
  findSides,
  findUnfairness,
  isLimitedByServer,
  judgeUndecided,
  pairSides,
  pairUndisturbed,
  predictBeside,
  type Sides,
  showBoth,
} from './judging/versus.ts';
import { sourceReport } from './source-report.ts';

const ofValkey = sourceReport.valkey;

/** C9. It is about two servers, and one run has only one. */
export const valkey: TwoServerClaim = {
  id: 'C9',
  statement: 'Valkey is as fast as Redis.',
  predicted: `throughput within ±5 % of that on Redis (its table says ${formatRatio(ofValkey.measured)}), judged where the servers are the limit`,
  suite: 'versus',
  judgeSides: judgeValkey,
};

/**
 * Every arm that the servers limited on both sides is judged by itself; behind a saturated client all servers look alike.
 * Where only one side was behind one, the ratio is a bound, which can refute and not support.
 */
function judgeValkey(results: readonly VersusSide[]): Judgement {
  const sides = findSides(results, 'valkey');
  if (typeof sides === 'string') return untested(sides);
  const pairs = pairUndisturbed(sides);
  const judged = pairs.filter(pair => decides(pair, ofValkey.throughput));
  if (pairs.length > 0 && judged.length === 0) return judgeUndecided(pairs, sides);
  return judgePredictions(sides, {
    needs: 'the same scenarios on Valkey and on Redis',
    predictions: scenarios =>
      judged
        .filter(({ other }) => scenarios.includes(other))
        .flatMap(pair => predictBeside(pair, 'Valkey', ofValkey.throughput)),
    proof: () => findUnfairness(sides) ?? findUnequalThreads(sides),
    context: () => [...compareArms(judged, [p95]), ...showBoth(pairs.filter(pair => !judged.includes(pair)))],
  });
}

/**
 * Why the servers' numbers of threads differ, as a clause; null if they are equal, or if one is not known.
 */
function findUnequalThreads({ results: [redis, other] }: Sides): string | null {
  const { server, threads } = other.target.detected;
  const ofRedis = redis.target.detected.threads;
  if (ofRedis === null || threads === null || ofRedis === threads) return null;
  return `redis had ${ofRedis} and ${server} ${threads} server threads`;
}

const ofDragonfly = sourceReport.dragonfly;
/** More than the lower end keeps the promise. */
const range = atLeast(ofDragonfly.throughput.low);

/** C10. It is about two servers, and one run has only one. */
export const dragonfly: TwoServerClaim = {
  id: 'C10',
  statement: 'Dragonfly is faster than Redis, scales better, and gains more from the optimized pool.',
  predicted: `×${ofDragonfly.throughput.low}–${ofDragonfly.throughput.high} the throughput at ${ofDragonfly.minWorkers} workers and more; 5 % more gain than on Redis from fewest to most workers, and from optimized pools; all judged where the servers are the limit`,
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
function judgeDragonfly(results: readonly VersusSide[]): Judgement {
  const sides = findSides(results, 'dragonfly');
  if (typeof sides === 'string') return untested(sides);
  const { scenarios } = sides;
  const beside = pairUndisturbed(sides);
  const atMany = beside.filter(
    ({ other }) => other.pool === 'optimized' && other.workers >= ofDragonfly.minWorkers,
  );
  const faster = atMany.filter(pair => decides(pair, range));
  const growth = findGrowth(sides);
  const hasArms = atMany.length > 0 && growth.every(({ gains }) => gains.length > 0);
  if (hasArms && faster.length === 0) return judgeUndecided(beside, sides);
  const open = growth.filter(({ gains }) => !gains.some(isOfTheServers));
  const predictions = [
    ...faster.flatMap(pair => predictBeside(pair, 'Dragonfly', range)),
    ...growth.filter(one => !open.includes(one)).map(predictMore),
  ];
  const stillOpen = open.map(describeOpen);
  const judgement = judgePredictions(sides, {
    needs: `baseline and optimized pools at ${ofDragonfly.minWorkers} workers or more, and at fewer, on Dragonfly and on Redis`,
    // Clients are settings of their own elsewhere. Here they share one, which is judged with the first of them.
    predictions: ofClient => (hasArms && ofClient[0] === scenarios[0] ? predictions : []),
    proof: () => findUnfairness(sides),
    remarks: () => [...stillOpen, describeThreads(sides.target)],
    context: () => [
      ...compareArms(faster, [p95]),
      ...compareArms(
        open.flatMap(({ gains }) => gains.flatMap(pairsOf)),
        [throughput],
      ),
      ...showBoth(beside.filter(pair => !faster.includes(pair))),
    ],
  });
  // A claim with a part that is not judged is not supported, whatever the other parts show.
  return open.length > 0 && judgement.verdict === 'supported'
    ? { ...judgement, verdict: 'inconclusive', gist: [judgement.gist, ...stillOpen].join(' ') }
    : judgement;
}

function describeThreads({ detected: { threads } }: Result['target']): string {
  return threads === null
    ? 'The number of threads that Dragonfly had is not known.'
    : `Dragonfly had ${formatPlural(threads, 'thread')}; with another number the result may differ.`;
}

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
  const pairOptimized = (arms: readonly ScenarioResult[]) =>
    pairFewWithMany(arms.filter(arm => isPlain(arm) && arm.pool === 'optimized'));
  return [
    { from: 'from the fewest to the most workers', gains: findGains(sides, pairOptimized) },
    { from: 'from optimized pools', gains: findGains(sides, arms => pairWithBaseline(arms, 'optimized')) },
  ];
}

function findGains(sides: Sides, pair: (arms: readonly ScenarioResult[]) => ArmPair[]): Gain[] {
  const equals = new Map(pairSides(sides, isPlain).map(({ base, other }) => [other, base]));
  return pair([...equals.keys()]).flatMap(onDragonfly => {
    const base = equals.get(onDragonfly.base);
    const other = equals.get(onDragonfly.other);
    return base && other ? { onRedis: { base, other }, onDragonfly } : [];
  });
}

const pairsOf = ({ onRedis, onDragonfly }: Gain) => [onRedis, onDragonfly];

/** Few workers need not saturate a server. */
function armsOfMaxWorkers(gain: Gain): ScenarioResult[] {
  const arms = armsOf(pairsOf(gain));
  const max = Math.max(...arms.map(({ workers }) => workers));
  return arms.filter(({ workers }) => workers === max);
}

const isOfTheServers = (gain: Gain) => armsOfMaxWorkers(gain).every(isLimitedByServer);

/** The gain on Dragonfly to that on Redis, within each round. */
function compareByRound(gains: readonly Gain[]): RoundSeries {
  const seriesOf = (pair: ArmPair) => ratioOf(pair, throughput).series;
  return RoundSeries.combine(
    gains.map(({ onRedis, onDragonfly }) => pairedRatio(seriesOf(onRedis), seriesOf(onDragonfly)).series),
  );
}

/** Predicts that throughput gains more on Dragonfly than on Redis, by the gains that the servers limited. */
function predictMore({ from, gains }: Growth): Prediction {
  const ofTheServers = gains.filter(isOfTheServers);
  const pairs = ofTheServers.flatMap(pairsOf);
  return {
    what: `Dragonfly to Redis: gain ${from}`,
    series: compareByRound(ofTheServers),
    range: atLeast(clearlyMore),
    format: formatRatio,
    arms: armsOf(pairs),
    measure: throughput,
    comparisons: compareArms(pairs, [throughput]),
  };
}

function describeOpen({ from, gains }: Growth): string {
  const series = compareByRound(gains);
  const figure = series.size === 0 ? '' : ` (${formatRatioInterval(series.interval())} of that on Redis)`;
  const limits = limitsOf(gains.flatMap(armsOfMaxWorkers));
  return `The gain ${from}${figure} stays open: not all of its arms with the most workers were limited by the servers (${formatList(limits)}).`;
}
