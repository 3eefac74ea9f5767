import type { ScenarioResult } from '../result.ts';
import { throughput } from '../stats/measures.ts';
import { pairedRatio } from '../stats/paired-ratio.ts';
import { RoundSeries } from '../stats/round-series.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { excludesNothing, formatPlural, formatRatio, formatRatioInterval } from '../text/format.ts';
import type { TwoServerClaim } from './claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  isPlain,
  pairFewWithMany,
  pairWithBaseline,
  ratioOf,
} from './judging/arms.ts';
import {
  describeCoresBeyondBound,
  describeMissingCores,
  describeOpenCapacity,
  pairForCapacity,
  predictCapacity,
} from './judging/capacity.ts';
import { atLeast, atMost, type Prediction, type Range } from './judging/prediction.ts';
import { findGrowthFlaw } from './judging/soundness.ts';
import {
  designForSides,
  findUnequalThreads,
  nameOfOther,
  pairSides,
  type ServerPair,
} from './judging/versus.ts';
import { formatChange, sourceReport } from './source-report.ts';

const ofValkey = sourceReport.valkey;

/**
 * C9. It is about the servers, so only arms limited by the servers count: behind a saturated client, all servers look
 * alike. The others are also shown.
 */
export const valkey: TwoServerClaim = {
  id: 'C9',
  statement: 'Valkey is as fast as Redis.',
  predicted: `throughput and p95 within ±5 % of those on Redis (its table says ${formatRatio(ofValkey.measured)} throughput), judged where the servers are the limit`,
  suite: 'versus',
  ...designForSides('valkey', {
    needs: 'the same optimized pools on Valkey and on Redis',
    predictions: sides => predictCapacity(sides, pairForCapacity(sides), ofValkey),
    open: sides => describeOpenCapacity(sides, pairForCapacity(sides)),
    proof: findUnequalThreads,
    remarks: sides => describeCoresBeyondBound(sides, pairForCapacity(sides)),
  }),
};

const ofDragonfly = sourceReport.dragonfly;

/**
 * C10. Four figures: throughput and p95 where Redis was at its limit, at 50 workers and more; how much more Dragonfly
 * gains from the fewest to the most workers; and how much more from optimized pools. The last two are ratios of ratios,
 * each made within one round, and more is 5 % more. They are those of an application, so they come from ioredis arms,
 * whatever limited these, except a lack of cores, which Dragonfly has more threads to suffer from.
 *
 * Dragonfly's number of threads is part of the claim.
 */
export const dragonfly: TwoServerClaim = {
  id: 'C10',
  statement: 'Dragonfly is faster than Redis, scales better, and gains more from the optimized pool.',
  predicted: `×${ofDragonfly.throughput.low}–${ofDragonfly.throughput.high} the throughput and ${formatChange(ofDragonfly.p95)} p95 at ${ofDragonfly.minWorkers} workers and more, judged where Redis is at its limit (if Dragonfly is not, the ratio is a bound); with ioredis 5 % more gain than on Redis from fewest to most workers, and from optimized pools`,
  suite: 'versus',
  ...designForSides('dragonfly', {
    needs: `baseline and optimized pools at ${ofDragonfly.minWorkers} workers or more, and at fewer, on Dragonfly and on Redis`,
    predictions(sides) {
      const growth = growthOf(sides);
      const pairs = pairForCapacity(sides, ofDragonfly.minWorkers);
      if (pairs.length === 0 || growth.some(({ gains }) => gains.length === 0)) return [];
      return [
        ...predictCapacity(sides, pairs, {
          throughput: atLeast(ofDragonfly.throughput.low),
          p95: atMost(ofDragonfly.p95),
        }),
        ...growth.flatMap(one => predictGain(sides, one, atLeast(clearlyMore))),
      ];
    },
    open: sides => [
      ...describeOpenCapacity(sides, pairForCapacity(sides, ofDragonfly.minWorkers)),
      ...growthOf(sides).flatMap(one => describeOpenGain(sides, one)),
    ],
    remarks: sides => [
      ...describeCoresBeyondBound(sides, pairForCapacity(sides, ofDragonfly.minWorkers)),
      describeOwnThreads(sides),
    ],
  }),
};

function describeOwnThreads({ target: { detected } }: ServerPair): string {
  return detected.threads === null
    ? 'The number of threads that Dragonfly had is not known.'
    : `Dragonfly had ${formatPlural(detected.threads, 'thread')}; with another number the result may differ.`;
}

/** C22. A ratio of ratios, each made within one round. */
export const valkeyGains: TwoServerClaim = {
  id: 'C22',
  statement: 'Optimized pools gain on Valkey what they gain on Redis.',
  predicted: `the gain of optimized over baseline pools on Valkey is ×${ofValkey.gain.low}–${ofValkey.gain.high} of that on Redis`,
  suite: 'versus',
  ...designForSides('valkey', {
    needs: 'the same baseline and optimized pools on Valkey and on Redis',
    predictions: sides => predictGain(sides, gainOfPools(sides), ofValkey.gain),
    open: sides => describeOpenGain(sides, gainOfPools(sides)),
    proof: findUnequalThreads,
  }),
};

/** The same two arms on either server. */
interface ServerGain {
  readonly onRedis: ArmPair;
  readonly onOther: ArmPair;
}

/** A way to gain throughput, and every pair of arms that shows how much. */
interface Growth {
  readonly from: string;
  readonly gains: readonly ServerGain[];
}

function growthOf(sides: ServerPair): Growth[] {
  const fewToMany = findServerGains(sides, arms =>
    pairFewWithMany(arms.filter(arm => arm.pool === 'optimized')),
  );
  const [first] = fewToMany;
  const levels =
    first === undefined
      ? 'fewest to the most workers'
      : `${first.onOther.base.workers} to ${first.onOther.other.workers} workers`;
  return [{ from: `from ${levels} in optimized pools`, gains: fewToMany }, gainOfPools(sides)];
}

function gainOfPools(sides: ServerPair): Growth {
  return {
    from: 'from optimized pools',
    gains: findServerGains(sides, arms => pairWithBaseline(arms, 'optimized')),
  };
}

/** Of arms of applications: wire is a bound that none reaches. */
function findServerGains(
  sides: ServerPair,
  pair: (arms: readonly ScenarioResult[]) => ArmPair[],
): ServerGain[] {
  const pairs = pairSides(sides, arm => isPlain(arm) && arm.client === 'ioredis');
  const equals = new Map(pairs.map(({ base, other }) => [other, base]));
  return pair([...equals.keys()]).flatMap(onOther => {
    const base = equals.get(onOther.base);
    const other = equals.get(onOther.other);
    return base && other ? { onRedis: { base, other }, onOther } : [];
  });
}

const pairsOf = ({ onRedis, onOther }: ServerGain) => [onRedis, onOther];
const armsOfGains = (gains: readonly ServerGain[]) => armsOf(gains.flatMap(pairsOf));

/** The gain on the other server to that on Redis, within each round. */
function compareByRound({ onRedis, onOther }: ServerGain): RoundSeries {
  const seriesOf = (pair: ArmPair) => ratioOf(pair, throughput).series;
  return pairedRatio(seriesOf(onRedis), seriesOf(onOther)).series;
}

/** Predicts the gain on the other server relative to that on Redis; empty if that stays open. */
function predictGain(sides: ServerPair, growth: Growth, range: Range): Prediction[] {
  const { from, gains } = growth;
  if (gains.length === 0 || describeOpenGain(sides, growth).length > 0) return [];
  const ratios = gains.map(gain => ({ gain, series: compareByRound(gain) }));
  return [
    {
      what: `gain ${from} on ${nameOfOther(sides)} to that on Redis`,
      series: RoundSeries.combine(ratios.map(({ series }) => series)),
      range,
      format: formatRatio,
      arms: armsOfGains(gains),
      groups: gains.map(gain => armsOfGains([gain])),
      measure: throughput,
      comparisons: compareArms(gains.flatMap(pairsOf), [throughput]),
      parts: (gains.length > 1 ? ratios : []).map(({ gain, series }) => ({
        where: `at ${formatPlural(gain.onOther.other.workers, 'worker')}`,
        series,
      })),
    },
  ];
}

/** Why these gains say nothing about the servers, as sentences; empty if they do. */
function describeOpenGain(sides: ServerPair, { from, gains }: Growth): string[] {
  const arms = armsOfGains(gains).filter(({ rounds }) => rounds.length > 0);
  const flaw = findGrowthFlaw(arms);
  const lacksCores = hasMoreThreads(sides) && arms.some(({ limitedBy }) => limitedBy.resource === 'machine');
  if (flaw === null && !lacksCores) return [];
  const series = RoundSeries.combine(gains.map(compareByRound));
  const ratio = series.interval();
  const figure = excludesNothing(ratio) ? '' : ` (${formatRatioInterval(ratio)} of that on Redis)`;
  const why = flaw ?? 'the machine had no free core';
  const cores = lacksCores ? [describeMissingCores(sides, arms)] : [];
  return [`The gain ${from}${figure} stays open, because ${why}.`, ...cores];
}

/** Whether a lack of cores affects one server more. */
function hasMoreThreads({ results }: ServerPair): boolean {
  return new Set(results.map(({ target }) => target.detected.threads ?? 1)).size > 1;
}
