import type { RoundResult } from '../../../aggregate/result.ts';
import { readRecorded } from '../../../aggregate/stats/histogram.ts';
import type { LatencyName } from '../../../aggregate/stats/metrics.ts';
import type { Step } from '../snapshot.ts';
import type { Labels, Sample } from './text-format.ts';

/** Upper bounds in seconds. */
const bounds = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** Scenarios that are told apart: a search has one for every rate it tries, and each is two dozen time series. */
export const maxScenarios = 50;
const others = { scenario: 'other' };

interface Buckets {
  /** Of each bound, those in the buckets below not among them. */
  readonly counts: number[];
  count: number;
  sumSeconds: number;
}

/** What a measurement was of: suites of a ledger may have scenarios of one id and different workloads. */
type Measured = Pick<Step, 'suite' | 'scenario'>;

/** Latencies of finished measurements, in the buckets of a Prometheus histogram. */
export class LatencyBuckets {
  readonly #scenarios = new Map<string, { labels: Labels; buckets: Record<LatencyName, Buckets> }>();

  add(measured: Measured, { service, response, histograms }: RoundResult): void {
    const { buckets } = this.#of(labelsOf(measured));
    fill(buckets.service, histograms.service, service.mean);
    fill(buckets.response, histograms.response, response.mean);
  }

  /** Cumulative, as the format wants them. */
  samples(latency: LatencyName): Sample[] {
    return [...this.#scenarios.values()].flatMap(({ labels, buckets }) => {
      const { counts, count, sumSeconds } = buckets[latency];
      let below = 0;
      return [
        ...bounds.map((bound, index): Sample => {
          below += counts[index] ?? 0;
          return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below };
        }),
        { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
        { suffix: '_sum', labels, value: sumSeconds },
        { suffix: '_count', labels, value: count },
      ];
    });
  }

  #of(labels: Labels) {
    const own = JSON.stringify(labels);
    const isTold = this.#scenarios.has(own) || this.#scenarios.size < maxScenarios;
    const key = isTold ? own : JSON.stringify(others);
    const found = this.#scenarios.get(key) ?? {
      labels: isTold ? labels : others,
      buckets: { service: empty(), response: empty() },
    };
    this.#scenarios.set(key, found);
    return found;
  }
}

/** The labels that tell what was measured. */
export function labelsOf({ suite, scenario }: Measured): Labels {
  return suite === undefined ? { scenario } : { suite, scenario };
}

function empty(): Buckets {
  return { counts: bounds.map(() => 0), count: 0, sumSeconds: 0 };
}

function fill(buckets: Buckets, encoded: string, meanMs: number): void {
  const recorded = readRecorded([encoded]);
  let bucket = 0;
  for (const { high, count } of recorded.buckets) {
    while (bucket < bounds.length && high > (bounds[bucket] ?? 0) * 1e9) bucket++;
    if (bucket < bounds.length) buckets.counts[bucket] = (buckets.counts[bucket] ?? 0) + count;
  }
  buckets.count += recorded.total;
  buckets.sumSeconds += (recorded.total * meanMs) / 1000;
}
