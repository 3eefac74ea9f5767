import type { ScenarioResult } from '../result.ts';
import { armKey, type ScenarioKey } from '../scenario/scenario.ts';
import { meanLatency, p99, throughput } from '../stats/measures.ts';
import { medianInterval } from '../stats/sign-test.ts';
import { clearlyLess, clearlyMore } from '../stats/statistics.ts';
import {
  excludesNothing,
  formatInterval,
  formatList,
  formatMs,
  formatPlural,
  formatRate,
  formatRatio,
} from '../text/format.ts';
import type { PredictingClaim } from './claim.ts';
import {
  type ArmPair,
  compareArms,
  connectionsPerWorker,
  fastestOf,
  groupBy,
  isAsReported,
  isMeasured,
  pairArms,
  ratioOf,
} from './judging/arms.ts';
import { atLeast, atMost, type Prediction, predictFigure, predictRatios } from './judging/prediction.ts';
import { findBusyFlaw, findGrowthFlaw } from './judging/soundness.ts';
import { formatByWorkers, formatChange, sourceReport } from './source-report.ts';

/** A dimension along which throughput is claimed to peak between two levels, both included. */
interface Peak {
  /** The keys in which the arms of a peak differ: the dimension, and what follows from it. */
  readonly differ: readonly ScenarioKey[];
  readonly levelOf: (scenario: ScenarioResult) => number;
  readonly low: number;
  readonly high: number;
  /** "50 workers", "batches of 50". */
  readonly format: (level: number) => string;
}

const { workersPerPool, opsPerSecond, batches } = sourceReport;

const workersPeak: Peak = {
  differ: ['workers', 'connections', 'minIdle'],
  levelOf: ({ workers }) => workers,
  ...workersPerPool,
  format: workers => formatPlural(workers, 'worker'),
};
const workersRange = `${workersPerPool.low}–${workersPerPool.high} workers`;

const [firstLevel = { workers: 1, ops: 1 }, ...moreWorkers] = [...opsPerSecond].map(([workers, ops]) => ({
  workers,
  ops,
}));
const reportedGains = moreWorkers.map(({ workers, ops }) => ({ workers, gain: ops / firstLevel.ops }));
const mostWorkers = Math.max(...opsPerSecond.keys());

/**
 * C2. One `baseline` pool at several levels of workers: where the peak is (see `predictPeak`), what each level gains over
 * 1 worker, and that throughput declines beyond the range. The source report's decline is of 10 %; 5 % counts, as everywhere.
 */
export const workerPeak: PredictingClaim = {
  id: 'C2',
  statement: `The throughput of one pool without optimizations peaks at ${workersRange} and declines beyond.`,
  predicted: `${formatByWorkers(reportedGains, ({ gain }) => formatChange(gain))} over ${firstLevel.workers}; 5 % or more lost from ${workersPerPool.high} to ${mostWorkers}; at ${workersRange} 5 % more than below, and no higher level gains another 5 %`,
  suite: 'workers',
  needs: `one baseline pool at a level of ${workersRange}, and at one below or above`,
  predictions(scenarios) {
    const arms = scenarios.filter(isWorkersArm);
    const peak = predictPeak(arms, workersPeak);
    // Without a peak to look for, gains and declines are a different question.
    if (peak.length === 0) return [];
    return [
      ...peak,
      ...reportedGains.flatMap(({ workers, gain }) =>
        predictRatios(
          pairLevels(arms, firstLevel.workers, workers),
          `${workersPeak.format(workers)} to ${firstLevel.workers}`,
          [[throughput, atLeast(gain)]],
        ),
      ),
      ...predictRatios(
        pairLevels(arms, workersPerPool.high, mostWorkers),
        `${workersPeak.format(mostWorkers)} to ${workersPerPool.high}`,
        [[throughput, atMost(clearlyLess)]],
      ),
    ];
  },
  open(scenarios) {
    const arms = scenarios.filter(isWorkersArm);
    if (predictPeak(arms, workersPeak).length === 0) return [];
    const { low, high } = workersPerPool;
    return [
      ...(arms.some(({ workers }) => workers < low)
        ? []
        : [`The run has no pool of fewer than ${low} workers, so a rise up to there is not tested.`]),
      ...(pairLevels(arms, high, mostWorkers).length > 0
        ? []
        : [
            `The run lacks a pool of ${high} or of ${mostWorkers} workers, so a decline beyond ${high} is not tested.`,
          ]),
    ];
  },
  proof: scenarios => findGrowthFlaw(scenarios.filter(isWorkersArm)),
  remarks(scenarios) {
    const arms = scenarios.filter(isWorkersArm);
    return [...describePicked(arms, workersPeak), ...describeLevels(arms)];
  },
};

const { alone, growth } = sourceReport.queueing;
const describeGrowth = ({ from, to, low, high }: (typeof growth)[number]) =>
  `×${low === high ? low : `${low}–${high}`} from ${from} to ${to}`;

/**
 * C21. What is judged is the p99 of 1 worker. That latency grows with the workers once throughput is flat is arithmetic in
 * a closed loop (Little, 1961: workers = throughput × mean response time), so no measurement could refute it. The
 * growth is shown, and is not a verdict.
 */
export const queueing: PredictingClaim = {
  id: 'C21',
  statement: `One worker is answered within ${alone.p99Ms} ms; with more workers latency grows, because they queue.`,
  predicted: `p99 of ${alone.workers} worker ${alone.p99Ms} ms or less; not judged: mean response time ${formatList(growth.map(describeGrowth))} workers`,
  suite: 'workers',
  needs: `one baseline pool of ${alone.workers} worker`,
  predictions: scenarios =>
    findAlone(scenarios).map(arm =>
      predictFigure(
        p99,
        arm,
        formatPlural(alone.workers, 'worker'),
        atMost(alone.p99Ms),
        ms => `${formatMs(ms)} ms`,
      ),
    ),
  proof(scenarios) {
    const arms = findAlone(scenarios);
    return findGrowthFlaw(arms) ?? findBusyFlaw(arms, p99, alone.p99Ms);
  },
  remarks(scenarios) {
    const arms = scenarios.filter(isWorkersArm);
    const measured = growth.flatMap(step =>
      pairLevels(arms, step.from, step.to).flatMap(pair => {
        const { ratio } = ratioOf(pair, meanLatency);
        if (ratio === null || excludesNothing(ratio)) return [];
        return `${formatInterval(ratio, formatRatio)} from ${step.from} to ${step.to} (the source report: ×${step.low === step.high ? step.low : `${step.low}–${step.high}`})`;
      }),
    );
    if (measured.length === 0) return [];
    return [
      `Mean response time grew ${formatList(measured)} workers. In a closed loop it is the number of workers divided by the throughput, so this growth is arithmetic, and it is not part of the verdict.`,
    ];
  },
  context: scenarios =>
    growth.flatMap(({ from, to }) =>
      compareArms(pairLevels(scenarios.filter(isWorkersArm), from, to), [meanLatency]),
    ),
};

/** The arm of which a p99 is promised. */
const findAlone = (scenarios: readonly ScenarioResult[]) =>
  scenarios.filter(arm => isWorkersArm(arm) && arm.workers === alone.workers);

/** The pools of `to` workers with their equals of `from`. */
function pairLevels(arms: readonly ScenarioResult[], from: number, to: number): ArmPair[] {
  return pairArms(arms, {
    isBase: ({ workers }) => workers === from,
    isOther: ({ workers }) => workers === to,
    differ: workersPeak.differ,
  });
}

/** Levels are comparable only if pools grow with them: 2 connections per worker, as the source report advises. */
function isWorkersArm(scenario: ScenarioResult): boolean {
  return (
    isAsReported(scenario, 'baseline') && connectionsPerWorker(scenario) === sourceReport.connectionsPerWorker
  );
}

function describeLevels(arms: readonly ScenarioResult[]): string[] {
  return groupBy(arms, ({ client }) => client).flatMap(([client, ofClient]) => {
    const levels = ofClient.toSorted((a, b) => a.workers - b.workers);
    const best = fastestOf(levels);
    if (best === undefined || !levels.every(isMeasured)) return [];
    const each = levels.map(({ workers, rounds }) => {
      const reported = opsPerSecond.get(workers);
      const beside = reported === undefined ? '' : ` (the source report: ${formatRate(reported)})`;
      return `${formatInterval(medianInterval(rounds.map(throughput.figure)), formatRate)} at ${workers}${beside}`;
    });
    return [
      `With ${client} throughput was highest at ${workersPeak.format(best.workers)}: ${formatList(each)} ops/s.`,
    ];
  });
}

const batchSizes = batches.map(({ size }) => size);

const batchPeak: Peak = {
  differ: ['pipeline'],
  levelOf: scenario => scenario.pipeline,
  low: Math.min(...batchSizes),
  high: Math.max(...batchSizes),
  format: size => `batches of ${size}`,
};

/**
 * C3. Batches in one `baseline` pool against single commands, at 1 worker: the source report's single commands came one
 * after another. At 50 workers single commands already share turns of the event loop and reads of the socket, so a
 * batch gains less there. That is a different ratio; it is shown if the run has it, and decides nothing.
 *
 * "8×" promises a gain of 8, and a larger one keeps the promise: ×8 or more, ×9 or more. "Best at 50–100" is judged as
 * a peak (see `predictPeak`): the best of those gains 5 % over smaller batches, and larger ones gain no 5 % over it.
 */
export const pipeline: PredictingClaim = {
  id: 'C3',
  statement: `Batches of ${formatList(batchSizes.map(String))} commands give ${formatList(batches.map(({ gain }) => String(gain)))} times the throughput of single commands; larger batches gain nothing worthwhile.`,
  predicted: `${batches.map(({ size, gain }) => `×${gain} at ${size}`).join(', ')}; the best of those 5 % above smaller batches, and no larger one gains another 5 %`,
  suite: 'pipeline',
  needs: `one baseline pool of 1 worker with pipeline 1 and ${batchSizes.join(' or ')}`,
  predictions(scenarios) {
    const alone = scenarios.filter(hasOneWorker);
    const gains = batches.flatMap(({ size, gain }) =>
      predictRatios(
        pairWithSingles(alone).filter(({ other }) => other.pipeline === size),
        `${batchPeak.format(size)} to single commands`,
        [[throughput, atLeast(gain)]],
      ),
    );
    // Single commands are what the gains above are compared with.
    return gains.length === 0 ? [] : [...gains, ...predictPeak(alone.filter(isBatched), batchPeak)];
  },
  open(scenarios) {
    const pairs = pairWithSingles(scenarios.filter(hasOneWorker));
    const sizes = new Set(pairs.map(({ other }) => other.pipeline));
    const missing = batchSizes.filter(size => !sizes.has(size));
    if (missing.length === batchSizes.length) return [];
    return [
      ...(missing.length === 0
        ? []
        : [`The run has no batches of ${missing.join(', ')}, so what they gain is not tested.`]),
      ...([...sizes].some(size => size > batchPeak.high)
        ? []
        : [`The run has no batches of more than ${batchPeak.high}, so what larger ones gain is not tested.`]),
    ];
  },
  remarks: scenarios =>
    describePicked(
      scenarios.filter(arm => hasOneWorker(arm) && isBatched(arm)),
      batchPeak,
    ),
  // All but the gains that are judged.
  context: scenarios =>
    compareArms(
      pairWithSingles(scenarios).filter(
        ({ other }) => !hasOneWorker(other) || batches.every(({ size }) => size !== other.pipeline),
      ),
      [throughput],
    ),
};

const hasOneWorker = ({ workers }: ScenarioResult) => workers === 1;

/** A plain pool, whatever its batches. */
function isBatchArm(scenario: ScenarioResult): boolean {
  return isAsReported({ ...scenario, pipeline: 1 }, 'baseline');
}

const isBatched = (scenario: ScenarioResult) => isBatchArm(scenario) && scenario.pipeline > 1;

function pairWithSingles(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isBatchArm(scenario) && scenario.pipeline === 1,
    isOther: isBatched,
    differ: ['pipeline'],
  });
}

/**
 * Predicts that throughput rises until somewhere between `low` and `high` and no further, for scenarios that differ in
 * this dimension alone, each set of them for itself: the best level there against every level outside. What counts is 5
 * %, as in C1. The best level must gain that over every lower one, or the range is too high; no higher level may gain
 * it over the best, or the range is too low. A plateau that begins in the range is as good a reason to stop there as a
 * decline.
 *
 * The best level is chosen by the same figures, by its median, which favours the claim: see `describePicked`.
 */
function predictPeak(scenarios: readonly ScenarioResult[], peak: Peak): Prediction[] {
  const { differ, levelOf, low, format } = peak;
  return groupBy(scenarios, arm => armKey(arm, differ)).flatMap(([, arms]) => {
    const best = fastestOf(arms.filter(arm => isWithin(arm, peak)));
    if (best === undefined) return [];
    return arms
      .filter(arm => !isWithin(arm, peak))
      .toSorted((a, b) => levelOf(a) - levelOf(b))
      .flatMap(outside => {
        const where = `${format(levelOf(best))} to ${format(levelOf(outside))}`;
        const min = levelOf(outside) < low ? clearlyMore : clearlyLess;
        return predictRatios([{ base: outside, other: best }], where, [[throughput, atLeast(min)]]);
      });
  });
}

/** A sentence on how the best level was found; none if there was no choice. */
function describePicked(arms: readonly ScenarioResult[], peak: Peak): string[] {
  const levels = new Set(arms.filter(arm => isWithin(arm, peak)).map(peak.levelOf));
  if (levels.size < 2) return [];
  const each = formatList([...levels].toSorted((a, b) => a - b).map(peak.format));
  return [`The best of ${each} was picked from the same figures that it is judged by, which favours it.`];
}

function isWithin(scenario: ScenarioResult, { levelOf, low, high }: Peak): boolean {
  return levelOf(scenario) >= low && levelOf(scenario) <= high;
}
