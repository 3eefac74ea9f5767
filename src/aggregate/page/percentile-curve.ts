import { withMerged } from '../histogram.ts';

/** A latency at one percentile. */
export interface PercentilePoint {
  /** 0 to 100. */
  readonly percentile: number;
  readonly ms: number;
}

/** The latencies of a scenario, all rounds together. */
export interface PercentileCurve {
  /** Percentiles that have values beyond them, ascending. */
  readonly points: readonly PercentilePoint[];
  readonly count: number;
  readonly longestMs: number;
}

/** Up to 90 %; of what lies beyond, in percent, for each decade that follows: 90, 92.5, 95, 97.5, 98.5, then 99, 99.25… */
const firstPercentiles = [0, 10, 25, 40, 50, 60, 70, 75, 80, 85];
const beyond = [10, 7.5, 5, 2.5, 1.5];
const decades = 6;

/** Evenly spread where the axis is that of 1 / (1 − p). */
const percentiles: readonly number[] = [
  ...firstPercentiles,
  ...Array.from({ length: decades }, (_, decade) =>
    beyond.map(percent => Number((100 - percent / 10 ** decade).toFixed(decades + 1))),
  ).flat(),
];

/**
 * The percentiles of all rounds of a scenario together; null where nothing was recorded.
 *
 * @param encoded HDR V2 compressed, base64, in nanoseconds; empty ones are of rounds that recorded nothing
 */
export function percentileCurve(encoded: readonly string[]): PercentileCurve | null {
  const known = encoded.filter(one => one !== '');
  if (known.length === 0) return null;
  return withMerged(known, merged => {
    const count = merged.totalCount;
    if (count === 0) return null;
    const at = (percentile: number) => Math.round(merged.getValueAtPercentile(percentile)) / 1e6;
    // At least one value beyond, or it would be the longest.
    const told = percentiles.filter(percentile => nines(percentile) < count || percentile === 0);
    return {
      count,
      longestMs: at(100),
      points: told.map(percentile => ({ percentile, ms: at(percentile) })),
    };
  });
}

/** The place of a percentile on a logarithmic axis: 1 / (1 − p), so that each nine takes as much room as the last. */
export function nines(percentile: number): number {
  return 100 / (100 - percentile);
}
