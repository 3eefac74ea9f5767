import type { RoundResult } from '../result.ts';
import { type MedianMetric, metrics } from './metrics.ts';
import type { Figure } from './paired-ratio.ts';
import {
  areSinglesLowerBound,
  areSinglesWorstStall,
  isLowerBound,
  isWorstStall,
  type TailSource,
} from './tails.ts';

/** What claims compare: metrics of the registry, and figures that only claims need, so that they are no metrics. */

/** One figure of a round. 0 where the round has none: it makes no ratio then, unless it may be 0. */
export interface Measure extends Figure {
  /** As text: "throughput", "response p99". */
  readonly name: string;
  /** Of the figure. */
  readonly unit?: string;
  readonly figure: (round: RoundResult) => number;
  /** Of a latency: whether it is practically the worst stall, so that no claim is judged by it. Absent: never. */
  readonly isWorstStall?: (scenario: TailSource) => boolean;
}

export const throughput = measureOf(metrics.opsPerSecond);
export const meanLatency = measureOf(metrics['response.mean']);
export const p50 = measureOf(metrics['response.p50']);
export const p95 = measureOf(metrics['response.p95']);
export const p99 = measureOf(metrics['response.p99']);
export const p999 = measureOf(metrics['response.p999']);
export const clientCpu = measureOf(metrics.clientMicrosPerOp);

export const maxResponse: Measure = {
  name: 'max response time',
  unit: 'ms',
  better: 'less',
  figure: ({ response }) => response.max,
  isLowerBound: rounds => isLowerBound({ latency: { of: 'response', figure: 'max' } }, rounds),
};

/** Time from the start of the load until every worker had its first reply; infinite if one had none. */
export const allServed: Measure = {
  name: 'time until all workers were served',
  unit: 'ms',
  better: 'less',
  figure: round => round.allServedMs ?? Number.POSITIVE_INFINITY,
};

/** Of the workers with the smallest batches, if others send larger ones. */
export const singlesP99: Measure = {
  name: 'response p99 of single commands',
  unit: 'ms',
  better: 'less',
  figure: ({ loads }) => loads.at(0)?.response.p99 ?? 0,
  isLowerBound: rounds => areSinglesLowerBound('p99', rounds),
  isWorstStall: scenario => areSinglesWorstStall('p99', scenario),
};

/**
 * The p99 of a window that begins with a cold start, and is short so that its slowest hundredth is that start. The start
 * is one stall, and is meant: so this is told apart from a p99, which must rest on several.
 */
export const p99OfStart: Measure = judgedAlsoAsStall(metrics['response.p99']);

/** Of the workers with the largest batches. */
export const batchThroughput: Measure = {
  name: 'throughput of the batches',
  unit: 'ops/s',
  better: 'more',
  figure: ({ loads }) => loads.at(-1)?.opsPerSecond ?? 0,
};

/** A metric of the registry as a measure. */
export function measureOf(metric: MedianMetric): Measure {
  const { name, kind, better, ofRound, latency } = metric;
  return {
    name,
    unit: kind.unit,
    better,
    figure: round => ofRound(round) ?? 0,
    ...(latency === null
      ? {}
      : {
          isLowerBound: (rounds: readonly RoundResult[]) => isLowerBound(metric, rounds),
          isWorstStall: (scenario: TailSource) => isWorstStall(metric, scenario),
        }),
  };
}

/** The same, to be judged even if it is practically the worst stall. */
export function judgedAlsoAsStall(metric: MedianMetric): Measure {
  const { isWorstStall: _, ...measure } = measureOf(metric);
  return measure;
}
