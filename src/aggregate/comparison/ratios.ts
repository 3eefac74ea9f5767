import type { Interval, ScenarioResult } from '../result.ts';
import { type Measure, measureOf, throughput } from '../stats/measures.ts';
import { comparedMetrics } from '../stats/metrics.ts';
import { pairByRound } from '../stats/pairs.ts';
import { coverageOf, medianInterval } from '../stats/statistics.ts';
import { wholeRounds } from '../stats/whole-rounds.ts';
import type { SideRatios } from './schema.ts';

/** other / base of one scenario on two sides whose rounds were measured in turn: paired by round. */
export function pairedRatios(base: ScenarioResult, other: ScenarioResult): SideRatios {
  const ratio = ({ figure }: Measure) => pairByRound(base, other, figure);
  const rounds = ratio(throughput).byRound.size;
  return {
    rounds,
    coverage: coverageOf(rounds),
    ...ratiosOf(measure => ratio(measure).ratio),
  };
}

/** other / base of one scenario in two runs that were made apart. */
export function independentRatios(base: ScenarioResult, other: ScenarioResult): SideRatios {
  const [baseRounds, otherRounds] = [wholeRounds(base.rounds), wholeRounds(other.rounds)];
  const ratio = ({ figure }: Measure) => independentRatio(baseRounds.map(figure), otherRounds.map(figure));
  return {
    rounds: Math.min(baseRounds.length, otherRounds.length),
    coverage: coverageOf(baseRounds.length) * coverageOf(otherRounds.length),
    ...ratiosOf(ratio),
  };
}

/** The ratio of each compared metric, by its key in comparison.json. */
function ratiosOf(ratio: (measure: Measure) => Interval | null): Omit<SideRatios, 'rounds' | 'coverage'> {
  const ratios = comparedMetrics.map(metric => [metric.ratioKey, ratio(measureOf(metric))]);
  return Object.fromEntries(ratios) as Omit<SideRatios, 'rounds' | 'coverage'>;
}

/**
 * The ratio of the medians of two independent samples, other / base, from the lowest that the intervals of both allow
 * (other.low / base.high) to the highest. If those cover their medians with probabilities p and q (`medianInterval`),
 * and the samples are independent, this covers the ratio with at least p × q: 0.879 with 5 rounds each. It is the
 * rectangle of two simultaneous intervals (Šidák, 1967), wider than a bootstrap of the ratio, and assumes nothing of
 * how the rounds are distributed. What drifted between the two runs, it cannot know.
 *
 * @returns null if there is no value, or one is not above 0, on either side
 */
export function independentRatio(base: readonly number[], other: readonly number[]): Interval | null {
  if (base.length === 0 || other.length === 0) return null;
  if ([...base, ...other].some(value => !(value > 0))) return null;
  const [below, above] = [medianInterval(base), medianInterval(other)];
  return {
    median: above.median / below.median,
    low: above.low / below.high,
    high: above.high / below.low,
  };
}
