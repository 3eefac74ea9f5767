import type { LoadResult, RoundResult } from '../result.ts';
import { type MedianMetric, metrics } from './metrics.ts';

/** One figure of a round, as claims compare it. 0 where the round has none: it makes no ratio then. */
export interface Measure {
  /** For a reader: "throughput", "response p99". */
  readonly name: string;
  /** Of the figure. */
  readonly unit?: string;
  readonly figure: (round: RoundResult) => number;
}

/** A metric as a measure. */
export function measureOf({ name, kind, ofRound }: MedianMetric): Measure {
  return { name, unit: kind.unit, figure: round => ofRound(round) ?? 0 };
}

export const throughput = measureOf(metrics.opsPerSecond);
export const meanLatency = measureOf(metrics['response.mean']);
export const p95 = measureOf(metrics['response.p95']);
export const p99 = measureOf(metrics['response.p99']);
export const p999 = measureOf(metrics['response.p999']);

/** What claims alone compare, so that it is no metric of a scenario. */
export const longest: Measure = {
  name: 'longest response time',
  unit: 'ms',
  figure: ({ response }) => (response.count === 0 ? 0 : response.max),
};

/** Time from the start of the load until every worker had its first reply. */
export const allServed: Measure = {
  name: 'time until all workers were served',
  unit: 'ms',
  figure: round => round.allServedMs ?? 0,
};

/** Of the workers with the smallest batches, where others send larger ones beside them. */
export const singlesP99 = ofLoad(
  'response p99 of single commands',
  'ms',
  loads => loads.at(0),
  load => (load.response.count === 0 ? 0 : load.response.p99),
);
/** Of the workers with the largest batches. */
export const batchThroughput = ofLoad(
  'throughput of the batches',
  'ops/s',
  loads => loads.at(-1),
  load => load.opsPerSecond,
);

function ofLoad(
  name: string,
  unit: string,
  pick: (loads: readonly LoadResult[]) => LoadResult | undefined,
  figure: (load: LoadResult) => number,
): Measure {
  return {
    name,
    unit,
    figure: ({ loads }) => {
      const load = pick(loads);
      return load === undefined ? 0 : figure(load);
    },
  };
}
