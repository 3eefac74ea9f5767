import type { ScenarioResult } from '../../result.ts';
import { armKey, type ScenarioKey } from '../../scenario/scenario.ts';
import { throughput } from '../../stats/measures.ts';
import { clearlyMore, median } from '../../stats/statistics.ts';
import { wholeRounds } from '../../stats/whole-rounds.ts';
import { formatList } from '../../text/format.ts';
import { type Prediction, predictRatio } from './prediction.ts';

/** A dimension along which throughput is said to peak between two levels, both included. */
export interface Peak {
  /** What the arms of a peak differ in: the dimension, and what follows from it. */
  readonly differ: readonly ScenarioKey[];
  readonly levelOf: (scenario: ScenarioResult) => number;
  readonly from: number;
  readonly to: number;
  /** "50 workers", "batches of 50". */
  readonly say: (level: number) => string;
}

/**
 * Predicts that throughput rises until somewhere between `from` and `to` and no further, for scenarios that differ in
 * this dimension alone, each set of them for itself: the best level there against every level outside. What counts is 5 %, as in C1. The best level
 * must gain that over every lower one, or the range is too high; no higher level may gain it over the best, or the range
 * is too low. A plateau that begins in the range and goes on is as good a reason to stop there as a fall.
 *
 * The best level is chosen by the same figures, by its median, which favours the claim: see `sayPicked`.
 */
export function predictPeak(arms: readonly ScenarioResult[], peak: Peak): Prediction[] {
  const keys = new Set(arms.map(arm => armKey(arm, peak.differ)));
  return [...keys].flatMap(key =>
    predictOnePeak(
      arms.filter(arm => armKey(arm, peak.differ) === key),
      peak,
    ),
  );
}

function predictOnePeak(arms: readonly ScenarioResult[], peak: Peak): Prediction[] {
  const best = bestLevel(arms.filter(arm => isWithin(arm, peak)));
  if (best === undefined) return [];
  return arms
    .filter(arm => !isWithin(arm, peak))
    .toSorted((a, b) => peak.levelOf(a) - peak.levelOf(b))
    .map(outside => {
      const where = `${peak.say(peak.levelOf(best))} to ${peak.say(peak.levelOf(outside))}`;
      const low = peak.levelOf(outside) < peak.from ? clearlyMore : 1 / clearlyMore;
      return predictRatio(throughput, [{ base: outside, other: best }], where, { low, high: null });
    });
}

/** A sentence on how the best level was found; none where there was no choice. */
export function sayPicked(arms: readonly ScenarioResult[], peak: Peak): string[] {
  const levels = new Set(arms.filter(arm => isWithin(arm, peak)).map(peak.levelOf));
  if (levels.size < 2) return [];
  const each = formatList([...levels].toSorted((a, b) => a - b).map(peak.say));
  return [`The best of ${each} was picked by the same figures that it is judged by, which flatters it.`];
}

/** The scenario with the highest median throughput of whole rounds. */
export function bestLevel(arms: readonly ScenarioResult[]): ScenarioResult | undefined {
  const rate = ({ rounds }: ScenarioResult) =>
    rounds.length === 0 ? 0 : median(wholeRounds(rounds).map(throughput.figure));
  return arms.toSorted((a, b) => rate(b) - rate(a))[0];
}

function isWithin(scenario: ScenarioResult, { levelOf, from, to }: Peak): boolean {
  return levelOf(scenario) >= from && levelOf(scenario) <= to;
}
