import type { ScenarioResult } from '../../result.ts';

/** A second of a round, or several that were put together. */
export interface Moment {
  readonly round: number;
  /** From the start of the round's window. */
  readonly fromSecond: number;
  /** Less than a second at the end of a window. */
  readonly seconds: number;
  readonly completed: number;
  readonly failed: number;
  /** Of several seconds: the median, and the longest. Null where nothing completed. */
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface Timeline {
  readonly rounds: readonly { readonly round: number; readonly moments: readonly Moment[] }[];
  /** Seconds in one moment; 1 unless the chart would be too crowded. */
  readonly secondsEach: number;
}

/**
 * The seconds of all rounds, one after another; several are put together where there are more than `most`. Every round
 * keeps one of its own.
 */
export function timelineOf({ rounds }: Pick<ScenarioResult, 'rounds'>, most: number): Timeline {
  const seconds = rounds.reduce((sum, { series }) => sum + series.length, 0);
  const secondsEach = Math.max(1, Math.ceil(seconds / most));
  return {
    secondsEach,
    rounds: rounds.map(({ round, seconds: measured, series }) => {
      const moments: Moment[] = [];
      for (let first = 0; first < series.length; first += secondsEach) {
        moments.push(joinSeconds(round, measured, series.slice(first, first + secondsEach)));
      }
      return { round, moments };
    }),
  };
}

function joinSeconds(
  round: number,
  measured: number,
  series: ScenarioResult['rounds'][number]['series'],
): Moment {
  const known = (figure: 'p50' | 'p99') =>
    series.map(second => second[figure]).filter(value => value !== null);
  const middle = known('p50').toSorted((a, b) => a - b);
  const fromSecond = series[0]?.second ?? 0;
  return {
    round,
    fromSecond,
    // The last second of a window may be cut short by its end.
    seconds: Math.max(0.001, Math.min(series.length, measured - fromSecond)),
    completed: series.reduce((sum, second) => sum + second.completed, 0),
    failed: series.reduce((sum, second) => sum + second.failed, 0),
    p50: middle[Math.floor((middle.length - 1) / 2)] ?? null,
    p99: known('p99').length === 0 ? null : Math.max(...known('p99')),
  };
}
