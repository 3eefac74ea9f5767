import type { ScenarioResult } from '../result.ts';
import { armKey, type ScenarioKey } from '../scenario/scenario.ts';
import { throughput } from '../stats/measures.ts';
import { medianInterval } from '../stats/sign-test.ts';
import { clearlyLess, clearlyMore } from '../stats/statistics.ts';
import { formatInterval, formatList, formatPlural, formatRate } from '../text/format.ts';
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
} from './judging/arms.ts';
import { atLeast, type Prediction, predictRatios } from './judging/prediction.ts';
import { findGrowthFlaw } from './judging/soundness.ts';
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

/**
 * C2. One `baseline` pool at several levels of workers. What is judged is where the peak is (see `predictPeak`), which is
 * what the source report advises by. Gains over 1 worker are shown, and its throughputs beside ours; both decide nothing:
 * they are figures of one client on one machine, and a larger gain at 10 workers would not contradict a peak there.
 */
export const workerPeak: PredictingClaim = {
  id: 'C2',
  statement: `The throughput of one pool rises up to ${workersRange}; more workers gain nothing worthwhile.`,
  predicted: `${describeReportedGains()}; judged: where the peak is (at ${workersRange} 5 % more than below, and no higher level gains another 5 %)`,
  suite: 'scaling',
  needs: `one baseline pool at a level of ${workersRange}, and at one below or above`,
  predictions: scenarios => predictPeak(scenarios.filter(isWorkersArm), workersPeak),
  proof: scenarios => findGrowthFlaw(scenarios.filter(isWorkersArm)),
  remarks(scenarios) {
    const arms = scenarios.filter(isWorkersArm);
    return [...describePicked(arms, workersPeak), ...describeLevels(arms)];
  },
  context: scenarios =>
    compareArms(
      pairArms(scenarios.filter(isWorkersArm), {
        isBase: ({ workers }) => workers === 1,
        isOther: ({ workers }) => workers > 1,
        differ: workersPeak.differ,
      }),
      [throughput],
    ),
};

/** "+20 % at 10 workers, +17 % at 50, +5 % at 100 over 1". */
function describeReportedGains(): string {
  const [first = { workers: 1, ops: 1 }, ...others] = [...opsPerSecond].map(([workers, ops]) => ({
    workers,
    ops,
  }));
  const gains = formatByWorkers(others, ({ ops }) => formatChange(ops / first.ops));
  return `${gains} over ${first.workers}`;
}

/**
 * Levels are only comparable where pools grow with them: 2 connections per worker, as the source report
 * advises.
 */
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
 * after another. At 50 workers single commands already share turns of the event loop and reads of the socket, so a batch
 * gains less there. That ratio is another one; it is shown, where the run has it, and decides nothing.
 *
 * "8×" promises a gain of 8, so a larger one keeps it: ×8 or more, ×9 or more. "Best at 50–100" is judged as a peak (see
 * `predictPeak`): the best of those gains 5 % over smaller batches, and larger ones gain no 5 % over it.
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
  remarks(scenarios) {
    const alone = scenarios.filter(hasOneWorker);
    const sizes = new Set(pairWithSingles(alone).map(({ other }) => other.pipeline));
    const missing = batchSizes.filter(size => !sizes.has(size));
    return [
      ...describePicked(alone.filter(isBatched), batchPeak),
      ...(missing.length === 0
        ? []
        : [`The run has no batches of ${missing.join(', ')}, so that part is not judged.`]),
    ];
  },
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
 * this dimension alone, each set of them for itself: the best level there against every level outside. What counts is
 * 5 %, as in C1. The best level must gain that over every lower one, or the range is too high; no higher level may gain
 * it over the best, or the range is too low. A plateau that begins in the range and goes on is as good a reason to stop
 * there as a fall.
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
