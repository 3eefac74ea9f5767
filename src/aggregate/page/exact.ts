import type { Interval } from '../result.ts';
import { nothing } from '../text/format.ts';

const sevenDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 7 });

/** A value as result.json has it, to seven digits: "74,642.5", "0.292863". */
export function formatExact(value: number): string {
  return sevenDigits.format(value);
}

/** "74,642.5 [53,942.5, 88,470]"; a dash for null. */
export function formatExactInterval(interval: Interval | null): string {
  if (interval === null) return nothing;
  return `${formatExact(interval.median)} [${formatExact(interval.low)}, ${formatExact(interval.high)}]`;
}
