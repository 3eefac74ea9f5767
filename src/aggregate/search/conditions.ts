import type { RoundResult } from '../result.ts';
import { withMerged } from '../stats/histogram.ts';
import { metrics, type RatioMetric } from '../stats/metrics.ts';
import { median } from '../stats/statistics.ts';
import { ratioOver } from '../stats/summary.ts';

/** Figures of a repeat that a condition can limit, by their keys in a config and in search.json. */
export const searchFigures = {
  /**
   * Over all operations due, where those that did not complete count as the slowest. Null if these are more than 1 %.
   */
  responseP99Ms: { metric: metrics['response.p99'], ofRepeat: p99OfAllMs },
  completedShare: { metric: metrics.completedShare, ofRepeat: ratioOf(metrics.completedShare) },
  failedShare: { metric: metrics.failedShare, ofRepeat: ratioOf(metrics.failedShare) },
} as const;

export type ConditionName = keyof typeof searchFigures;
export const conditionNames = Object.keys(searchFigures) as ConditionName[];

/** The figures of one repeat that the conditions are about. */
type RepeatFigures = {
  readonly [Name in ConditionName]: ReturnType<(typeof searchFigures)[Name]['ofRepeat']>;
};

/** The conditions for a rate: the limit of each figure, a max if less is better, otherwise a min. Null: no limit. */
export type SearchConditions = RepeatFigures;

/** Reads the figures of a repeat, which is a round in an open loop. */
export function repeatFigures(round: RoundResult): RepeatFigures {
  const figures = conditionNames.map(name => [name, searchFigures[name].ofRepeat(round)]);
  return Object.fromEntries(figures) as RepeatFigures;
}

function p99OfAllMs({ openLoop, completed, response, histograms }: RoundResult): number | null {
  const offered = openLoop?.offered ?? 0;
  if (completed >= offered && completed > 0) return response.p99;
  const percentile = completed === 0 ? Number.POSITIVE_INFINITY : (99 * offered) / completed;
  if (percentile > 100) return null;
  return withMerged([histograms.response], merged => merged.getValueAtPercentile(percentile) / 1e6);
}

function ratioOf(metric: RatioMetric): (round: RoundResult) => number {
  return round => ratioOver(metric, [round]) ?? 0;
}

/**
 * The median of a figure over the repeats of a step. A repeat without it lost too much to have a p99, so it counts as
 * slower than every other. Null if the median is such a repeat, and without a repeat.
 */
export function medianOfRepeats(figures: readonly (number | null)[]): number | null {
  const middle = median(figures.map(figure => figure ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(middle) ? middle : null;
}

/** Whether a repeat meets one condition. */
export function meets(name: ConditionName, figures: RepeatFigures, conditions: SearchConditions): boolean {
  const [figure, limit] = [figures[name], conditions[name]];
  if (limit === null) return true;
  if (figure === null) return false;
  return searchFigures[name].metric.better === 'less' ? figure <= limit : figure >= limit;
}

/** The figures that have a limit. */
export function namesOf(conditions: SearchConditions): ConditionName[] {
  return conditionNames.filter(name => conditions[name] !== null);
}
