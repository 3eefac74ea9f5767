import type { RoundResult, ScenarioResult } from '../result.ts';
import { describeArrival } from '../scenario/arrival.ts';
import { p99, throughput } from '../stats/measures.ts';
import { wholeRounds } from '../stats/rounds.ts';
import { medianInterval } from '../stats/sign-test.ts';
import { median } from '../stats/statistics.ts';
import {
  excludesNothing,
  formatCount,
  formatInterval,
  formatList,
  formatMs,
  formatPlural,
  formatRate,
  formatRatioInterval,
} from '../text/format.ts';
import { type Design, judgePredictions, type OwnRuleClaim, type PredictingClaim, untested } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  fastestOf,
  isMeasured,
  isPlain,
  isSteady,
  pairArms,
  pairPools,
  pairThreads,
  rateOf,
  ratioOf,
} from './judging/arms.ts';
import { atLeast, atMost, predictFigure } from './judging/prediction.ts';
import { findBusyFlaw } from './judging/soundness.ts';
import { sourceReport } from './source-report.ts';

const { workers: profileWorkers, p99Ms: maxP99Ms } = sourceReport.lowLatency;
/** "Disable health checks or set long interval". */
const longTtlMs = 60_000;
/**
 * The open loop should run at half of the closed loop's throughput; the rates of the suite are a factor of
 * 2 apart.
 */
const maxLoad = 0.5;
const minLoad = maxLoad / 2;

/**
 * C14. The source report's profile for low latency: as many connections as workers, all open before the load, checks off
 * or far between, a server on the same machine. A figure as it is, not a ratio: the claim is about a millisecond.
 */
export const lowLatency: OwnRuleClaim = {
  id: 'C14',
  statement: 'A warm pool as large as its concurrency, without checks, answers within a millisecond.',
  predicted: `p99 below ${maxP99Ms} ms at ${profileWorkers} workers, also in an open loop at half of the capacity, with a server on the same machine`,
  suite: 'low-latency',
  judge(evidence) {
    if (evidence.target.local) return judgePredictions(evidence, lowLatencyDesign);
    const elsewhere = 'The claim requires a server on the same machine; this one is on another machine.';
    return untested([elsewhere, ...describeTails(evidence.scenarios)].join(' '));
  },
};

const lowLatencyDesign: Design = {
  needs: `an optimized pool of ${profileWorkers} workers with 1 connection per worker, minIdleShare 1 and a healthTtlMs of ${longTtlMs} or more, in a closed loop (and in an open one with random arrivals)`,
  predictions: scenarios =>
    findProfile(scenarios).map(arm => {
      const loop = isOpen(arm) ? `, ${describeArrival(arm.arrival)}` : '';
      const where = `${profileWorkers} workers${loop}`;
      return predictFigure(p99, arm, where, atMost(maxP99Ms), ms => `${formatMs(ms)} ms`);
    }),
  proof: scenarios => findBusyFlaw(findProfile(scenarios), p99, maxP99Ms),
  caveat: scenarios =>
    findProfile(scenarios).some(isOpen)
      ? null
      : 'Only a closed loop was measured, which hides how long independent callers would wait: there is no open loop at half of its throughput or slightly less.',
  remarks: describeTails,
};

/** The profile in a closed loop, and in the open loop that comes nearest to half of its throughput, from below. */
function findProfile(scenarios: readonly ScenarioResult[]): ScenarioResult[] {
  const arms = scenarios.filter(arm => isProfile(arm) && arm.workers === profileWorkers);
  const closed = arms.find(arm => !isOpen(arm));
  if (closed === undefined) return [];
  const capacity = closed.summary?.opsPerSecond.median ?? 0;
  const [open] = arms
    .filter(({ client, arrival: { rate } }) => {
      const isNear = rate !== undefined && rate <= capacity * maxLoad && rate >= capacity * minLoad;
      return client === closed.client && isNear;
    })
    .toSorted((a, b) => (b.arrival.rate ?? 0) - (a.arrival.rate ?? 0));
  return open === undefined ? [closed] : [closed, open];
}

/** The profile's pool, of any number of workers, in a closed loop or in one of random arrivals at one rate. */
function isProfile(scenario: ScenarioResult): boolean {
  const { pool, connections, workers, minIdle, healthTtlMs, arrival } = scenario;
  const sized = connections === workers && minIdle === connections;
  const plain = isPlain({ ...scenario, arrival: { kind: 'closed' } });
  const { kind, leg, stages } = arrival;
  const arrives = ['closed', 'poisson'].includes(kind) && leg === undefined && stages === undefined;
  return plain && arrives && pool === 'optimized' && sized && healthTtlMs >= longTtlMs;
}

const isOpen = ({ arrival }: ScenarioResult) => arrival.kind !== 'closed';

function describeTails(scenarios: readonly ScenarioResult[]): string[] {
  const tails = scenarios.filter(isProfile).filter(isMeasured).map(describeTail);
  return tails.length === 0 ? [] : [`Response p99 and p99.9: ${formatList(tails)}.`];
}

function describeTail(arm: ScenarioResult): string {
  const { client, workers, rounds, arrival } = arm;
  const formatMedian = (figure: (round: RoundResult) => number) => formatMs(median(rounds.map(figure)));
  const loop = isOpen(arm) ? `, ${describeArrival(arrival)}` : '';
  return `${formatMedian(({ response }) => response.p99)} and ${formatMedian(({ response }) => response.p999)} ms at ${formatPlural(workers, 'worker')} (${client}${loop})`;
}

const { batch: profileBatch, opsPerSecond: minOps } = sourceReport.highThroughput;

/**
 * C15. The source report's profile for high throughput: batches of 100, one or several pools, each with a thread of its
 * own. It passes if its best arm does. Choosing the best of several is slightly favourable, but 50,000 is far from any
 * of them.
 *
 * ioredis alone is judged: it is what an application pays. wire is a bound that no application reaches, so that it
 * passes says nothing, and it must not outvote ioredis; its figure is shown, as it shows whether the client is the
 * limit.
 */
export const highThroughput: PredictingClaim = {
  id: 'C15',
  statement: `Batches and several pools pass ${formatCount(minOps)} operations per second.`,
  predicted: `more than ${formatCount(minOps)} ops/s with ioredis`,
  suite: 'high-throughput',
  needs: `ioredis in optimized pools with pipeline ${profileBatch}`,
  predictions(scenarios) {
    const best = bestArmOf('ioredis', scenarios);
    if (best === undefined) return [];
    return [predictFigure(throughput, best, describeArm(best), atLeast(minOps), formatOps)];
  },
  // Too few operations on a machine without a free core reflect the machine and its neighbours: another run or machine
  // may pass. An arm that passes there counts all the more.
  proof(scenarios) {
    const best = bestArmOf('ioredis', scenarios);
    if (best === undefined || best.limitedBy.resource !== 'machine' || rateOf(best) >= minOps) return null;
    return 'the whole machine was busy all the time, and that is what limited the best arm';
  },
  remarks(scenarios) {
    const wire = bestArmOf('wire', scenarios);
    if (wire === undefined || !isMeasured(wire)) return describeFactors(scenarios);
    const rates = medianInterval(wholeRounds(wire.rounds).map(throughput.figure));
    return [
      ...describeFactors(scenarios),
      `The wire client, which shows the upper bound of the server and this machine, reached ${formatInterval(rates, formatOps)} with ${describeArm(wire)}.`,
    ];
  },
  context: scenarios => factors.flatMap(({ pairs }) => compareArms(pairs(scenarios), [throughput])),
};

/** What the rate is made of: each factor alone, the others as few as they can be. */
const factors: readonly {
  readonly name: string;
  readonly pairs: (scenarios: readonly ScenarioResult[]) => ArmPair[];
}[] = [
  {
    name: 'batches',
    pairs: scenarios =>
      pairArms(
        scenarios.filter(arm => arm.pools === 1 && isRateArm(arm)),
        {
          isBase: ({ pipeline }) => pipeline === 1,
          isOther: ({ pipeline }) => pipeline === profileBatch,
          differ: ['pipeline'],
        },
      ),
  },
  {
    name: 'pools in one thread',
    pairs: scenarios => pairPools(scenarios.filter(isBatchProfile)),
  },
  {
    name: 'threads',
    pairs: scenarios => pairThreads(scenarios.filter(isBatchProfile)),
  },
];

/** "Throughput by factor with ioredis: batches ×5.20 [4.90, 5.60], …". */
function describeFactors(scenarios: readonly ScenarioResult[]): string[] {
  const ratios = factors.flatMap(({ name, pairs }) =>
    pairs(scenarios.filter(({ client }) => client === 'ioredis')).flatMap(pair => {
      const { ratio } = ratioOf(pair, throughput);
      return ratio === null || excludesNothing(ratio) ? [] : [`${name} ${formatRatioInterval(ratio)}`];
    }),
  );
  return ratios.length === 0 ? [] : [`What each factor gave with ioredis: ${formatList(ratios)}.`];
}

function isRateArm(scenario: ScenarioResult): boolean {
  return scenario.pool === 'optimized' && isSteady(scenario);
}

function isBatchProfile(scenario: ScenarioResult): boolean {
  return scenario.pipeline === profileBatch && isRateArm(scenario);
}

function bestArmOf(client: string, scenarios: readonly ScenarioResult[]): ScenarioResult | undefined {
  return fastestOf(scenarios.filter(arm => isBatchProfile(arm) && arm.client === client));
}

const formatOps = (rate: number) => `${formatRate(rate)} ops/s`;

const describeArm = ({ pools, workers, pipeline }: ScenarioResult) =>
  `${formatPlural(pools, 'pool')} at ${formatPlural(workers, 'worker')} in batches of ${pipeline}`;
