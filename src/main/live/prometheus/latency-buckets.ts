import { decodeFromCompressedBase64, type JsHistogram } from 'hdr-histogram-js';
import type { RoundResult } from '../../../aggregate/result.ts';
import type { Sample } from './text-format.ts';

/** Upper bounds in seconds. */
const bounds = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** Scenarios that are told apart: a search has one for every rate it tries, and each is two dozen time series. */
export const mostScenarios = 50;
const others = 'other';

interface Buckets {
  /** Of each bound, those in the buckets below not among them. */
  readonly counts: number[];
  count: number;
  sumSeconds: number;
}

type Kind = 'service' | 'response';

/** Latencies of finished measurements, in the buckets of a Prometheus histogram. */
export class LatencyBuckets {
  readonly #scenarios = new Map<string, Record<Kind, Buckets>>();

  add(scenario: string, { service, response, histograms }: RoundResult): void {
    const label = this.#scenarios.has(scenario) || this.#scenarios.size < mostScenarios ? scenario : others;
    const buckets = this.#scenarios.get(label) ?? { service: empty(), response: empty() };
    this.#scenarios.set(label, buckets);
    fill(buckets.service, histograms.service, service.mean);
    fill(buckets.response, histograms.response, response.mean);
  }

  /** Cumulative, as the format wants them. */
  samples(kind: Kind): Sample[] {
    return [...this.#scenarios].flatMap(([scenario, ofScenario]) => {
      const { counts, count, sumSeconds } = ofScenario[kind];
      let below = 0;
      return [
        ...bounds.map((bound, index): Sample => {
          below += counts[index] ?? 0;
          return { suffix: '_bucket', labels: { scenario, le: String(bound) }, value: below };
        }),
        { suffix: '_bucket', labels: { scenario, le: '+Inf' }, value: count },
        { suffix: '_sum', labels: { scenario }, value: sumSeconds },
        { suffix: '_count', labels: { scenario }, value: count },
      ];
    });
  }
}

function empty(): Buckets {
  return { counts: bounds.map(() => 0), count: 0, sumSeconds: 0 };
}

function fill(buckets: Buckets, encoded: string, meanMs: number): void {
  // In JavaScript: that of WebAssembly does not tell its counts.
  const histogram = decodeFromCompressedBase64(encoded, 64, false) as JsHistogram;
  let bucket = 0;
  // Its iterators do the same ten times as slowly.
  for (let index = 0; index < histogram.countsArrayLength; index++) {
    const count = histogram.getCountAtIndex(index);
    if (count === 0) continue;
    const highestNs = histogram.highestEquivalentValue(histogram.valueFromIndex(index));
    while (bucket < bounds.length && highestNs > (bounds[bucket] ?? 0) * 1e9) bucket++;
    if (bucket < bounds.length) buckets.counts[bucket] = (buckets.counts[bucket] ?? 0) + count;
  }
  buckets.count += histogram.totalCount;
  buckets.sumSeconds += (histogram.totalCount * meanMs) / 1000;
}
