import { type Recorded, readRecorded } from '../../stats/histogram.ts';
import { toOneLine } from '../../text/format.ts';

/** Percentiles that are told for every halving of the distance to 100 %, as HdrHistogram does unless told otherwise. */
const ticksPerHalfDistance = 5;

/** What was recorded up to a percentile: a line of the file. */
interface Tick {
  readonly nanoseconds: number;
  /** 0 to 100. */
  readonly percentile: number;
  /** Values up to this one. */
  readonly count: number;
}

/**
 * Histograms merged as a percentile distribution in milliseconds, in HdrHistogram's text format (`.hgrm`), which its
 * plotter and many others read. hdr-histogram-js 3.0 writes it, too, but in WebAssembly it loses the zeros behind the
 * point (0.031 becomes 0.310), and in JavaScript it takes 30 ms each.
 *
 * @param remarks what a reader must know, each a line of comment before the figures
 */
export function renderHgrm(encoded: readonly string[], remarks: readonly string[] = []): string {
  const recorded = readRecorded(encoded);
  const { mean, deviation } = moments(recorded);
  const max = recorded.buckets.at(-1)?.high ?? 0;
  return [
    ...remarks.map(remark => `#[${toOneLine(remark)}]`),
    '       Value     Percentile TotalCount 1/(1-Percentile)',
    '',
    ...ticks(recorded).map(line),
    `#[Mean    = ${ms(mean)}, StdDeviation   = ${ms(deviation)}]`,
    `#[Max     = ${ms(max)}, Total count    = ${String(recorded.total).padStart(12)}]`,
    `#[Buckets = ${String(recorded.bucketCount).padStart(12)}, SubBuckets     = ${String(recorded.subBucketCount).padStart(12)}]`,
    '',
  ].join('\n');
}

/** From the first value recorded to the last, which stands at 100 %. */
function ticks({ buckets, total }: Recorded): Tick[] {
  const found: Tick[] = [];
  let percentile = 0;
  let count = 0;
  for (const { high, count: inBucket } of buckets) {
    count += inBucket;
    while ((100 * count) / total >= percentile && percentile < 100) {
      found.push({ nanoseconds: high, percentile, count });
      const halvings = Math.floor(Math.log2(100 / (100 - percentile))) + 1;
      percentile += 100 / (ticksPerHalfDistance * 2 ** halvings);
      if (count === total) percentile = 100;
    }
    if (count === total) found.push({ nanoseconds: high, percentile: 100, count });
  }
  return found;
}

function line({ nanoseconds, percentile, count }: Tick): string {
  const share = percentile / 100;
  const distance = share === 1 ? '' : ` ${(1 / (1 - share)).toFixed(2).padStart(14)}`;
  return `${ms(nanoseconds)} ${share.toFixed(12)} ${String(count).padStart(10)}${distance}`;
}

/** Each value counts as the middle of its bucket. */
function moments({ buckets, total }: Recorded): { mean: number; deviation: number } {
  if (total === 0) return { mean: 0, deviation: 0 };
  const mean = buckets.reduce((sum, { middle, count }) => sum + middle * count, 0) / total;
  const squares = buckets.reduce((sum, { middle, count }) => sum + (middle - mean) ** 2 * count, 0);
  return { mean, deviation: Math.sqrt(squares / total) };
}

const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(3).padStart(12);
