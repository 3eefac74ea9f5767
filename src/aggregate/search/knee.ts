import { geometricMean } from '../statistics.ts';
import { bracketOf, type TriedRate } from './next-rate.ts';

/** The highest rate that meets the conditions, as far as the steps tell. */
export interface KneeRates {
  /** The best guess: the middle, by ratio, of the unclear rates, else of the interval. Null if no rate passed. */
  readonly rate: number | null;
  /** The highest rate that clearly passed; null if none did. */
  readonly low: number | null;
  /** The lowest rate that clearly failed; null if none did. */
  readonly high: number | null;
}

export function kneeRates(tried: readonly TriedRate[]): KneeRates {
  const { low, high, unclear } = bracketOf(tried);
  if (low === null) return { rate: null, low, high };
  if (high === null) return { rate: low, low, high };
  const rate = unclear.length > 0 ? geometricMean(unclear) : geometricMean([low, high]);
  return { rate: Number(rate.toPrecision(4)), low, high };
}
