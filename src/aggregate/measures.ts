import type { LatencySummary, LoadResult, RoundResult } from './result.ts';

/** One figure of a round. 0 where the round has none: it makes no ratio then. */
export interface Measure {
  /** For a reader: "throughput", "response p99". */
  readonly name: string;
  /** Of the figure. */
  readonly unit?: string;
  readonly figure: (round: RoundResult) => number;
}

const ofResponse = (name: string, key: keyof LatencySummary): Measure => ({
  name,
  unit: 'ms',
  figure: ({ response }) => (response.count === 0 ? 0 : response[key]),
});

export const throughput: Measure = {
  name: 'throughput',
  unit: 'ops/s',
  figure: round => round.opsPerSecond,
};
export const meanLatency = ofResponse('mean response time', 'mean');
export const p95 = ofResponse('response p95', 'p95');
export const p99 = ofResponse('response p99', 'p99');
export const p999 = ofResponse('response p99.9', 'p999');
export const longest = ofResponse('longest response time', 'max');

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
