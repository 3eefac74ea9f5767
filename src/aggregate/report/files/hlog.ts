import type { Result, RoundResult } from '../../result.ts';
import { toOneLine } from '../../text/format.ts';
import { safeName } from '../../text/safe-name.ts';
import { targetBanners } from '../../text/target-words.ts';

/** One round of one scenario on the time line of its run. */
interface Interval {
  readonly scenario: string;
  readonly round: RoundResult;
  /** From the start of the run. */
  readonly startSeconds: number;
}

/**
 * All histograms of a result as an HdrHistogram log, format 1.3 (`.hlog`): an interval for each scenario, round and kind
 * of time, with a tag that names scenario and kind. Values are nanoseconds, and the longest of an interval is in
 * milliseconds, as log processors expect unless told otherwise.
 *
 * The lines are those that `HistogramLogWriter` of hdr-histogram-js writes, but nothing is decoded to encode it again,
 * and no empty line follows the start time, at which Java's reader would stop.
 */
export function renderHlog(result: Result): string {
  const start = new Date(result.startedAt);
  const epoch = (start.getTime() / 1000).toFixed(3);
  const { known, intervals } = placeRounds(result);
  return [
    `#[${toOneLine(`${result.tool.name} ${result.tool.version}: ${result.name}`)}, nanoseconds]`,
    ...targetBanners(result).map(banner => `#[${banner}]`),
    ...(known ? [] : ['#[Rounds are laid end to end: the result does not tell when each began]']),
    '#[Histogram log format version 1.3]',
    `#[BaseTime: ${epoch} (seconds since epoch)]`,
    `#[StartTime: ${epoch} (seconds since epoch), ${formatDate(start)}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...intervals.flatMap(interval => [line(interval, 'service'), line(interval, 'response')]),
    '',
  ].join('\n');
}

function line({ scenario, round, startSeconds }: Interval, kind: 'service' | 'response'): string {
  const { max } = round[kind];
  const histogram = round.histograms[kind];
  const fields = [startSeconds, round.seconds, max].map(number => number.toFixed(3));
  return [`Tag=${safeName(scenario)}.${kind}`, ...fields, histogram].join(',');
}

/** In the order in which they began, which readers rely on; `known` tells whether the result says when that was. */
function placeRounds({ startedAt, scenarios }: Result): { known: boolean; intervals: Interval[] } {
  const rounds = scenarios
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
