import { geometricMean, median } from '../stats/statistics.ts';
import { formatMs, formatPlural } from '../text/format.ts';
import type { Knee, SearchStep } from './schema.ts';
import type { StepVerdict } from './step.ts';
import { formatSearchRate } from './words.ts';

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

/** Share of the response p99 that is the generator's own lag, from which the generator is what limits. */
const lateShare = 0.5;

type Resource = SearchStep['limitedBy']['resource'];

/** What each limit means for the server. Null: it is its own. */
const bounds: Record<Resource, string | null> = {
  client: 'the generator, poolbench itself, was the limit: it had no CPU left to send more',
  machine: 'the machine was the limit: poolbench and the server had no core of their own left',
  pool: 'the pool was the limit: workers waited for connections',
  network: 'round trips took the time: more workers could have sent more',
  server: null,
  none: 'nothing was found busy: more workers might have sent more',
  unknown: 'nobody knows what was the limit',
};

/** What the steps say of the knee, and whose limit it is. */
export function describeKnee(
  steps: readonly SearchStep[],
  { complete, precision }: { readonly complete: boolean; readonly precision: number },
): Knee {
  const tried = steps.flatMap(({ rate, verdict }): TriedRate[] =>
    verdict === 'unfinished' ? [] : [{ rate, verdict }],
  );
  const rates = kneeRates(tried);
  const failed = steps.filter(step => step.rate === rates.high && step.verdict === 'fail');
  const bound = findBound(failed);
  const limitedBy = failed.at(-1)?.limitedBy ?? null;
  const lowerBound = rates.low !== null && (rates.high === null || bound !== null);
  const unclear = bracketOf(tried).unclear.length;
  const wide = rates.low !== null && rates.high !== null && rates.high / rates.low > 1 + precision + 0.002;
  const sentences = [
    sayRates(rates, complete, Math.min(...tried.map(one => one.rate))),
    ...(complete && wide && unclear > 0 ? [sayNoise(unclear)] : []),
    ...(rates.high === null ? [] : [sayLimit(rates.high, bound, limitedBy)]),
    ...(lowerBound && rates.low !== null
      ? [`So this is a lower bound: the server may well keep more than ${formatSearchRate(rates.low)}.`]
      : []),
  ];
  return { ...rates, lowerBound, limitedBy, gist: sentences.join(' ') };
}

/** Why the server may do more than the failed steps let it; null where nothing says so. */
function findBound(failed: readonly SearchStep[]): string | null {
  const last = failed.at(-1);
  if (last === undefined) return null;
  const late = failed.flatMap(({ repeats }) =>
    repeats.flatMap(({ responseP99Ms, lagP99Ms }) =>
      responseP99Ms === null || lagP99Ms === null ? [] : [{ lagP99Ms, share: lagP99Ms / responseP99Ms }],
    ),
  );
  if (late.length > 0 && median(late.map(({ share }) => share)) >= lateShare) {
    const lagMs = formatMs(median(late.map(({ lagP99Ms }) => lagP99Ms)));
    return `the generator, poolbench itself, was the limit: it was late by ${lagMs} ms (p99), most of the response time`;
  }
  return bounds[last.limitedBy.resource];
}

function sayRates(
  { rate, low, high }: Pick<Knee, 'rate' | 'low' | 'high'>,
  complete: boolean,
  lowest: number,
): string {
  const stopped = complete ? '' : 'So far: ';
  if (low !== null && high !== null && rate !== null)
    return (
      `${stopped}${complete ? 'The' : 'the'} highest rate that meets the conditions is about ${formatSearchRate(rate)}: ` +
      `${formatSearchRate(low)} clearly met them, ${formatSearchRate(high)} clearly did not.`
    );
  if (low !== null)
    return complete
      ? `Every rate met the conditions, up to the highest that there is, ${formatSearchRate(low)}.`
      : `So far: ${formatSearchRate(low)} clearly met the conditions, and no rate clearly failed.`;
  if (high !== null)
    return complete
      ? `No rate clearly met the conditions, down to ${formatSearchRate(lowest)}; lower ones have too few operations in a repeat to be judged.`
      : `So far: no rate clearly met the conditions, down to ${formatSearchRate(lowest)}.`;
  return 'No step came to a clear verdict.';
}

function sayNoise(unclear: number): string {
  return `The noise allows no narrower interval: ${formatPlural(unclear, 'rate')} between them met the conditions about as often as not.`;
}

function sayLimit(rate: number, bound: string | null, limitedBy: Knee['limitedBy']): string {
  const at = `At ${formatSearchRate(rate)}`;
  if (bound !== null) return `${at} ${bound}.`;
  return `${at} the server was the limit: ${limitedBy?.evidence ?? 'nothing was measured'}.`;
}
