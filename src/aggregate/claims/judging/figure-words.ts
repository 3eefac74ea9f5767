import type { Interval } from '../../result.ts';
import { formatInterval, formatRatio } from '../../text/format.ts';

/** Digits to look at: fewer are printed as it is, and where more are needed nobody measures the difference. */
const fewestDigits = 3;
const mostDigits = 6;

/** Something that prints figures of one unit. */
export interface FigureFormat {
  readonly format: (figure: number) => string;
  /** A ratio unless told. */
  readonly unit?: string;
}

/**
 * The format of an interval that is held against thresholds. Rounding must not contradict the verdict: where an end of
 * the interval and a threshold print alike but differ, so many digits more as tell them apart.
 */
export function tellApart(
  { format, unit = '×' }: FigureFormat,
  { low, high }: Interval,
  thresholds: readonly (number | null)[],
): (figure: number) => string {
  const alike = [low, high].flatMap(end =>
    thresholds.flatMap(threshold =>
      threshold !== null && threshold !== end && format(threshold) === format(end)
        ? [{ end, threshold }]
        : [],
    ),
  );
  if (alike.length === 0) return format;
  for (let digits = fewestDigits; digits <= mostDigits; digits++) {
    const round = (figure: number) => Number(figure.toPrecision(digits));
    if (alike.every(({ end, threshold }) => round(end) !== round(threshold)))
      return figure => (unit === '×' ? `×${round(figure)}` : `${round(figure)} ${unit}`);
  }
  return format;
}

/** "×1.41 [1.35, 1.47]", "0.412 ms [0.401 ms, 0.430 ms]"; a ratio's sign stands once. */
export function sayInterval(interval: Interval, format: (figure: number) => string): string {
  return formatInterval(interval, format).replace(/(?<=[[ ])×/g, '');
}

/** A ratio's interval that is held against one threshold. */
export function sayRatioAgainst(interval: Interval, threshold: number): string {
  return sayInterval(interval, tellApart({ format: formatRatio }, interval, [threshold]));
}
