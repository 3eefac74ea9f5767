import type { ScenarioResult } from '../result.ts';
import { type Measure, measureOf } from '../stats/measures.ts';
import type { MedianMetric } from '../stats/metrics.ts';
import { caveatOf } from '../stats/tails.ts';
import type { Gate } from './gate.ts';

/**
 * What a gate compares. A percentile that is practically the worst stall is judged, as by a threshold: it is a real figure,
 * and `describeCaveat` says what it is. One that is a lower bound is not, where that matters.
 */
export function measureOfGate(metric: MedianMetric): Measure {
  const { tail, ...measure } = measureOf(metric);
  if (tail === undefined) return measure;
  const boundOnly: typeof tail.caveatOf = scenario =>
    tail.caveatOf(scenario) === 'lower bound' ? 'lower bound' : null;
  return { ...measure, tail: { ...tail, caveatOf: boundOnly } };
}

/** What else a figure is, as a sentence; none if it is what its name says, or a lower bound. */
export function describeCaveat({ metric }: Gate, arms: readonly ScenarioResult[]): string[] {
  return arms.some(arm => caveatOf(metric, arm) === 'worst stall')
    ? [`The ${metric.name} is practically the worst stall of a round; longer windows (--seconds) mend that.`]
    : [];
}
