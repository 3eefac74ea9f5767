import { formatValue, type TrendTrait, trendTraitsOf } from '../comparison/traits.ts';
import type { Caveat, Interval, MeasuredResult, Result, ScenarioResult } from '../result.ts';
import { armKey } from '../scenario/scenario.ts';
import { controlPairs, withoutControls } from '../stats/control.ts';
import { metrics } from '../stats/metrics.ts';
import { quantile } from '../stats/statistics.ts';
import { canBeHigher, caveatFor, isWorstStall, type JudgedFigure, quantileOfRuns } from '../stats/tails.ts';

/** Runs of one config over time. They are not paired, so a trend shows figures, and judges none. */

/** What a trend shows of each scenario. */
const trendMetrics = [metrics.opsPerSecond, metrics['response.p99']] as const;
export type TrendMetric = (typeof trendMetrics)[number];

/** A figure of one scenario in one run: the median over its rounds with its interval. */
interface Figure extends Interval, JudgedFigure {
  readonly caveat: Caveat | null;
}

/** What a trend keeps of a result: the rounds of hundreds of them would fill the memory. */
export interface TrendRun
  extends Pick<Result, 'name' | 'complete' | 'tool' | 'environment' | 'target' | 'control'> {
  /** Of the folder of its result.json, below that of the trend. */
  readonly path: string;
  /** In milliseconds since 1970; NaN if the result has no such time. */
  readonly startedMs: number;
  readonly traits: Readonly<Record<TrendTrait, string>>;
  readonly scenarios: readonly FollowedScenario[];
  /** Control / twin, for each pair of identical arms. In the order of `trendMetrics`. */
  readonly controlRatios: readonly (readonly number[])[];
}

interface FollowedScenario {
  readonly id: string;
  /** Equal for equal arms. */
  readonly key: string;
  /** In the order of `trendMetrics`; null if nothing was measured. */
  readonly figures: readonly (Figure | null)[];
}

export interface LeftOut {
  /** As of a run. */
  readonly path: string;
  readonly reason: string;
}

interface TrendPoint extends Figure {
  readonly startedMs: number;
}

/** A figure of a line, and why it is not what its name says. */
type RunsFigure = ReturnType<typeof quantileOfRuns>;

/** One figure of one scenario over all runs. */
export interface TrendLine {
  readonly id: string;
  readonly metric: TrendMetric;
  /** One at least, the earliest first. */
  readonly points: readonly TrendPoint[];
  readonly median: RunsFigure;
  readonly lowest: RunsFigure;
  readonly highest: RunsFigure;
  /** What the noise of one run alone makes of the median; null if the noise is not known. */
  readonly band: { readonly low: number; readonly high: number } | null;
}

/** How far apart two identical arms of one run are. */
export interface Noise {
  readonly metric: TrendMetric;
  readonly pairs: number;
  /** The ratio, of 1 or more, that `noiseQuantile` of the pairs stay below; null with fewer than `minPairs`. */
  readonly ratio: number | null;
}

export interface Trend {
  /** One at least, the earliest first. */
  readonly runs: readonly TrendRun[];
  readonly newest: TrendRun;
  /** Of the scenarios of the newest run. */
  readonly lines: readonly TrendLine[];
  readonly noise: readonly Noise[];
  readonly leftOut: readonly LeftOut[];
  /** The other configs that a trend can be made of, the one with the most runs first. */
  readonly others: readonly OtherConfig[];
}

interface OtherConfig {
  readonly name: string;
  readonly runs: number;
}

/**
 * The two figures of a pair both have the noise of a figure, so the quantile of their ratio is √2 × 1.96 = 2.8 standard
 * deviations of one figure: about the 3 of a control chart (Shewhart, 1931).
 */
export const noiseQuantile = 0.95;
/** With fewer pairs their largest difference is mostly luck. */
export const minPairs = 6;

/** @param path of the folder of its result.json */
export function trendRunOf(path: string, result: Result): TrendRun {
  const { name, complete, tool, environment, target, control, startedAt, scenarios } = result;
  const pairs = controlPairs(scenarios);
  return {
    path,
    name,
    complete,
    tool,
    environment,
    target,
    control,
    startedMs: Date.parse(startedAt),
    traits: trendTraitsOf(result),
    scenarios: withoutControls(result).map(scenario => ({
      id: scenario.id,
      key: armKey(scenario),
      figures: trendMetrics.map(metric => figureOf(metric, scenario)),
    })),
    controlRatios: trendMetrics.map(metric =>
      pairs
        .map(({ control, twin }) => medianOf(metric, control) / medianOf(metric, twin))
        .filter(ratio => ratio > 0 && ratio < Number.POSITIVE_INFINITY),
    ),
  };
}

function figureOf(metric: TrendMetric, scenario: ScenarioResult): Figure | null {
  const interval = scenario.summary?.[metric.summaryKey] ?? null;
  if (interval === null) return null;
  const judged = {
    canBeHigher: canBeHigher(metric, scenario.rounds),
    isWorstStall: isWorstStall(metric, scenario),
  };
  return { ...interval, ...judged, caveat: caveatFor(judged.canBeHigher, judged.isWorstStall) };
}

/** NaN if nothing was measured. */
function medianOf({ summaryKey }: TrendMetric, { summary }: MeasuredResult): number {
  return summary?.[summaryKey]?.median ?? Number.NaN;
}

/**
 * The trend of the runs that have the most in common with others: of the config and machine with the most runs, or of
 * several the one with the newest run. What does not belong to it is listed.
 *
 * @param unread results that could not be read
 * @param config the name of the config that is wanted; undefined: any
 * @returns null if there is no run that was measured to its end
 */
export function trendOf(
  found: readonly TrendRun[],
  unread: readonly LeftOut[],
  config?: string,
): Trend | null {
  const sorted = found.toSorted((a, b) => a.startedMs - b.startedMs);
  const points = sorted.filter(run => whyNoPoint(run) === null);
  const newest = newestOfLargestGroup(points.filter(({ name }) => config === undefined || name === config));
  if (newest === undefined) return null;
  const runs = new Map<number, TrendRun>();
  const leftOut = [...unread];
  for (const run of sorted) {
    const copied = runs.get(run.startedMs);
    const reason =
      whyNoPoint(run) ??
      whyAnother(run, newest) ??
      (copied === undefined ? null : `the same run as ${copied.path}`);
    if (reason === null) runs.set(run.startedMs, run);
    else leftOut.push({ path: run.path, reason });
  }
  const kept = [...runs.values()];
  const noise = trendMetrics.map((metric, index) =>
    noiseOf(
      metric,
      kept.flatMap(({ controlRatios }) => controlRatios[index] ?? []),
    ),
  );
  const others = configsOf(points).filter(({ name }) => name !== newest.name);
  return { runs: kept, newest, lines: linesOf(kept, newest, noise), noise, leftOut, others };
}

/** The configs of these runs, the one with the most first. */
export function configsOf(runs: readonly TrendRun[]): OtherConfig[] {
  const counts = new Map<string, number>();
  for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, runs]) => ({ name, runs })).toSorted((a, b) => b.runs - a.runs);
}

/** @param runs the earliest first */
function newestOfLargestGroup(runs: readonly TrendRun[]): TrendRun | undefined {
  const groups = new Map<string, { readonly size: number; readonly newest: TrendRun }>();
  for (const run of runs) {
    const key = JSON.stringify(run.traits);
    groups.set(key, { size: (groups.get(key)?.size ?? 0) + 1, newest: run });
  }
  const [largest] = [...groups.values()].toSorted(
    (a, b) => b.size - a.size || b.newest.startedMs - a.newest.startedMs,
  );
  return largest?.newest;
}

/** Why a run makes no point of any trend; null if it does. */
function whyNoPoint({ complete, scenarios }: TrendRun): string | null {
  if (!complete) return 'it ended early';
  return scenarios.length === 0 ? 'it has no scenario' : null;
}

/** Why a run belongs to another trend than the newest one of this trend; null if it does not. */
function whyAnother(run: TrendRun, newest: TrendRun): string | null {
  const names = Object.keys(newest.traits) as TrendTrait[];
  const differing = names.filter(trait => run.traits[trait] !== newest.traits[trait]);
  if (differing.length > 0)
    return differing
      .map(trait => `${trait}: ${formatValue(run.traits[trait])}, not ${formatValue(newest.traits[trait])}`)
      .join('; ');
  const hasCommon = newest.scenarios.some(scenario => sameIn(run, scenario) !== undefined);
  return hasCommon ? null : 'it has no scenario in common with the newest run';
}

function sameIn({ scenarios }: TrendRun, { id, key }: FollowedScenario): FollowedScenario | undefined {
  return scenarios.find(one => one.id === id && one.key === key);
}

function noiseOf(metric: TrendMetric, ratios: readonly number[]): Noise {
  const differences = ratios.map(ratio => Math.abs(Math.log(ratio)));
  const ratio = ratios.length < minPairs ? null : Math.exp(quantile(differences, noiseQuantile));
  return { metric, pairs: ratios.length, ratio };
}

function linesOf(runs: readonly TrendRun[], newest: TrendRun, noise: readonly Noise[]): TrendLine[] {
  return newest.scenarios.flatMap(scenario =>
    noise.flatMap(({ metric, ratio }, index): TrendLine[] => {
      const points = runs.flatMap((run): TrendPoint[] => {
        const figure = sameIn(run, scenario)?.figures[index] ?? null;
        return figure === null ? [] : [{ ...figure, startedMs: run.startedMs }];
      });
      if (points.length === 0) return [];
      const median = quantileOfRuns(points, 0.5);
      const band = ratio === null ? null : { low: median.value / ratio, high: median.value * ratio };
      const [lowest, highest] = [quantileOfRuns(points, 0), quantileOfRuns(points, 1)];
      return [{ id: scenario.id, metric, points, median, lowest, highest, band }];
    }),
  );
}
