import { geometricMean } from '../stats/statistics.ts';
import type { StepVerdict } from './step-verdict.ts';

/** A rate that was tried, and what came of it. */
export interface TriedRate {
  /** Operations a second. */
  readonly rate: number;
  readonly verdict: StepVerdict;
}

/** Within what a search looks for the knee. */
export interface SearchRange {
  readonly start: number;
  readonly lowest: number;
  readonly highest: number;
  /** The interval is narrow enough where its ends are no further apart than this share of the lower one. */
  readonly precision: number;
}

/** More steps are not tried: enough to climb or to fall over the whole range, and to bisect to the finest precision. */
export const maxSteps = 40;

/** What the rates that were tried say of the knee. */
export interface Bracket {
  /** The highest rate that clearly passed; null if none did. */
  readonly low: number | null;
  /** The lowest that clearly failed. */
  readonly high: number | null;
  /** Rates in between that are unclear, ascending. */
  readonly unclear: readonly number[];
}

/**
 * Where steps at one rate differ, it is unclear. A rate below one that clearly failed, or above one that clearly passed,
 * is tried only where that verdict fell; the lowest fail counts.
 */
export function bracketOf(tried: readonly TriedRate[]): Bracket {
  const verdicts = new Map<number, StepVerdict>();
  for (const { rate, verdict } of tried)
    verdicts.set(rate, (verdicts.get(rate) ?? verdict) === verdict ? verdict : 'unclear');
  const ratesOf = (wanted: StepVerdict) =>
    [...verdicts].flatMap(([rate, verdict]) => (verdict === wanted ? [rate] : [])).toSorted((a, b) => a - b);
  const high = ratesOf('fail')[0] ?? null;
  const low = ratesOf('pass').findLast(rate => high === null || rate < high) ?? null;
  const unclear = ratesOf('unclear').filter(
    rate => (low === null || rate > low) && (high === null || rate < high),
  );
  return { low, high, unclear };
}

/**
 * The rate to try next: the start; then half of the lowest until one passes, twice the highest until one fails; then
 * the middle, by ratio, of the interval between them. Where unclear rates lie in the interval, the middle of the wider
 * of the gaps on either side of them. Where the interval is narrow enough, each of its ends once more: a verdict that
 * came by luck, or by a neighbour's doing, seldom comes twice. So is the end of the range. Then null.
 */
export function nextRate(tried: readonly TriedRate[], range: SearchRange): number | null {
  if (tried.length === 0) return range.start;
  if (tried.length >= maxSteps) return null;
  const { low, high, unclear } = bracketOf(tried);
  const lowestOpen = unclear[0] ?? high;
  const highestOpen = unclear.at(-1) ?? low;
  const once = (rate: number | null) => tried.filter(one => one.rate === rate).length === 1;
  if (low === null) return step(lowestOpen, 1 / 2, range) ?? (once(lowestOpen) ? lowestOpen : null);
  if (high === null) return step(highestOpen, 2, range) ?? (once(highestOpen) ? highestOpen : null);
  const gaps = [
    { from: low, to: lowestOpen ?? high },
    { from: highestOpen ?? low, to: high },
  ];
  const widest = gaps.toSorted((a, b) => b.to / b.from - a.to / a.from)[0];
  if (widest !== undefined && widest.to / widest.from > 1 + range.precision) {
    const middle = roundRate(Math.sqrt(widest.from * widest.to));
    if (middle > widest.from && middle < widest.to) return middle;
  }
  return [low, high].find(once) ?? null;
}

/** A factor away from a rate, as far as the range goes; null at its end. */
function step(from: number | null, factor: number, { start, lowest, highest }: SearchRange): number | null {
  const rate = Math.min(highest, Math.max(lowest, roundRate((from ?? start) * factor)));
  return rate === from ? null : rate;
}

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
  return { rate: roundRate(rate), low, high };
}

/** To four digits, so that a reader can say it. */
function roundRate(rate: number): number {
  return Number(rate.toPrecision(4));
}
