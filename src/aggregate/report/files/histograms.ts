import type { Result, RoundResult } from '../../result.ts';
import { withoutControls } from '../../stats/control.ts';
import { type Recorded, readRecorded } from '../../stats/histogram.ts';
import { loadsOf } from '../../stats/populations.ts';
import { sumOf } from '../../stats/statistics.ts';
import { toOneLine } from '../../text/format.ts';
import { safeName } from '../../text/safe-name.ts';
import { targetBanners } from '../../text/target-words.ts';

/** Percentiles for every halving of the distance to 100 %: the default of HdrHistogram. */
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
 * plotter and many others read. hdr-histogram-js 3.0 writes it, too, but in WebAssembly it loses the zeros after the
 * decimal point (0.031 becomes 0.310), and in JavaScript it takes 30 ms each.
 *
 * @param remarks caveats, each a line of comment before the figures
 */
export function renderHgrm(encoded: readonly string[], remarks: readonly string[] = []): string {
  const recorded = readRecorded(encoded);
  const { mean, deviation } = moments(recorded);
  const max = recorded.buckets.at(-1)?.high ?? 0;
  return [
    ...remarks.map(remark => `#[${toOneLine(remark)}]`),
    '       Value     Percentile TotalCount 1/(1-Percentile)',
    '',
    ...ticks(recorded).map(tickLine),
    `#[Mean    = ${ms(mean)}, StdDeviation   = ${ms(deviation)}]`,
    `#[Max     = ${ms(max)}, Total count    = ${String(recorded.total).padStart(12)}]`,
    `#[Buckets = ${String(recorded.bucketCount).padStart(12)}, SubBuckets     = ${String(recorded.subBucketCount).padStart(12)}]`,
    '',
  ].join('\n');
}

/** From the first recorded value to the last, at 100 %. */
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

function tickLine({ nanoseconds, percentile, count }: Tick): string {
  const quantile = percentile / 100;
  const distance = quantile === 1 ? '' : ` ${(1 / (1 - quantile)).toFixed(2).padStart(14)}`;
  return `${ms(nanoseconds)} ${quantile.toFixed(12)} ${String(count).padStart(10)}${distance}`;
}

/** Each value counts as the middle of its bucket. */
function moments({ buckets, total }: Recorded): { mean: number; deviation: number } {
  if (total === 0) return { mean: 0, deviation: 0 };
  const mean = sumOf(buckets, ({ middle, count }) => middle * count) / total;
  const squares = sumOf(buckets, ({ middle, count }) => (middle - mean) ** 2 * count);
  return { mean, deviation: Math.sqrt(squares / total) };
}

const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(3).padStart(12);

/** One round of one load on the time line of its run. */
interface Interval {
  /** Id of the load. */
  readonly scenario: string;
  readonly round: RoundResult;
  /** From the start of the run. */
  readonly startSeconds: number;
}

/**
 * All histograms of a result as an HdrHistogram log, format 1.3 (`.hlog`): an interval for each load, round and kind of
 * time, with a tag that names load and kind. Values are nanoseconds, and the maximum of an interval is in
 * milliseconds, as log processors expect by default.
 *
 * The lines are those that `HistogramLogWriter` of hdr-histogram-js writes, but without decoding and encoding again,
 * and without an empty line after the start time, at which Java's reader would stop.
 */
export function renderHlog(result: Result): string {
  const start = new Date(result.startedAt);
  const epoch = (start.getTime() / 1000).toFixed(3);
  const { known, intervals } = placeRounds(result);
  return [
    `#[${toOneLine(`${result.tool.name} ${result.tool.version}: ${result.name}`)}, nanoseconds]`,
    ...targetBanners(result).map(banner => `#[${banner}]`),
    ...(known ? [] : ['#[Rounds are placed end to end: the result has no start time for each]']),
    '#[Histogram log format version 1.3]',
    `#[BaseTime: ${epoch} (seconds since epoch)]`,
    `#[StartTime: ${epoch} (seconds since epoch), ${formatDate(start)}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...intervals.flatMap(interval => [intervalLine(interval, 'service'), intervalLine(interval, 'response')]),
    '',
  ].join('\n');
}

function intervalLine({ scenario, round, startSeconds }: Interval, kind: 'service' | 'response'): string {
  const { max } = round[kind];
  const histogram = round.histograms[kind];
  const fields = [startSeconds, round.seconds, max].map(number => number.toFixed(3));
  return [`Tag=${safeName(scenario)}.${kind}`, ...fields, histogram].join(',');
}

/** In the order of their start, which readers rely on; `known` tells whether the result has the start times. */
function placeRounds(result: Result): { known: boolean; intervals: Interval[] } {
  const { startedAt } = result;
  const rounds = withoutControls(result)
    .flatMap(loadsOf)
    .flatMap(({ id, rounds }) => rounds.map(round => ({ scenario: id, round })))
    .filter(({ round }) => round.histograms.service !== '' && round.histograms.response !== '')
    .toSorted((a, b) => a.round.round - b.round.round);
  const starts = rounds.map(
    ({ round }) => (Date.parse(round.startedAt ?? '') - Date.parse(startedAt)) / 1000,
  );
  const known = starts.every(Number.isFinite);
  let end = 0;
  const intervals = rounds.map((of, index) => {
    const startSeconds = known ? (starts[index] ?? 0) : end;
    end += of.round.seconds;
    return { ...of, startSeconds };
  });
  return { known, intervals: intervals.toSorted((a, b) => a.startSeconds - b.startSeconds) };
}

/** As Java writes a date, for log analyzers that read the time zone from it: "Thu Nov 26 14:38:16 UTC 2026". */
function formatDate(date: Date): string {
  const [day, dayOfMonth, month, year, time] = date.toUTCString().split(/,? /);
  return [day, month, dayOfMonth, time, 'UTC', year].join(' ');
}
