import { geometricMean } from '../stats/statistics.ts';
import { formatPlural } from '../text/format.ts';
import type { Knee, SearchStep } from './schema.ts';
import type { StepVerdict } from './step.ts';
import { formatSearchRate } from './words.ts';

/** A rate that was tried, and its verdict. */
export interface TriedRate {
  /** Operations a second. */
  readonly rate: number;
  readonly verdict: StepVerdict;
}

/** The range in which a search looks for the knee. */
export interface SearchRange {
  readonly start: number;
  readonly lowest: number;
  readonly highest: number;
  /** The interval is narrow enough if its ends are no further apart than this fraction of the lower one. */
  readonly precision: number;
}

/** Max steps: enough to traverse the whole range, and to bisect to the finest precision. */
export const maxSteps = 40;

/** Rates have four digits, so the interval can be this much wider than its precision. */
const roundingTolerance = 0.002;

/**
 * The bracket of the knee: the highest rate that clearly passed, the lowest that clearly failed, and those between that
 * are unclear, ascending. A rate is also unclear if its steps differ. A rate below one that clearly failed, or above
 * one that clearly passed, is tried only if that verdict was not confirmed; the lowest fail counts.
 */
function bracketOf(tried: readonly TriedRate[]) {
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
 * the middle, by ratio, of the interval between them. If unclear rates lie in the interval, the middle of the wider of
 * the gaps on either side of them. If the interval is narrow enough, each of its ends once more: a verdict due to
 * chance or other programs seldom occurs twice. The same at the end of the range. Then null.
 */
export function nextRate(tried: readonly TriedRate[], range: SearchRange): number | null {
  if (tried.length === 0) return range.start;
  if (tried.length >= maxSteps) return null;
  const { low, high, unclear } = bracketOf(tried);
  const lowestOpen = unclear[0] ?? high;
  const highestOpen = unclear.at(-1) ?? low;
  const once = (rate: number | null) => tried.filter(one => one.rate === rate).length === 1;
  if (low === null) return move(lowestOpen, 1 / 2, range) ?? (once(lowestOpen) ? lowestOpen : null);
  if (high === null) return move(highestOpen, 2, range) ?? (once(highestOpen) ? highestOpen : null);
  const below = { from: low, to: lowestOpen ?? high };
  const above = { from: highestOpen ?? low, to: high };
  const { from, to } = above.to / above.from > below.to / below.from ? above : below;
  const middle = roundRate(Math.sqrt(from * to));
  if (to / from > 1 + range.precision && middle > from && middle < to) return middle;
  return [low, high].find(once) ?? null;
}

/** A factor away from a rate, within the range; null at its end. */
function move(from: number | null, factor: number, { start, lowest, highest }: SearchRange): number | null {
  const rate = Math.min(highest, Math.max(lowest, roundRate((from ?? start) * factor)));
  return rate === from ? null : rate;
}

/**
 * The highest rate that meets the conditions, as far as known: the highest rate that clearly passed, the lowest that
 * clearly failed, and the best guess, which is the middle, by ratio, of the unclear rates, or else of the interval.
 */
export function kneeRates(tried: readonly TriedRate[]): Pick<Knee, 'rate' | 'low' | 'high'> {
  const { low, high, unclear } = bracketOf(tried);
  if (low === null || high === null) return { rate: low, low, high };
  return { rate: roundRate(geometricMean(unclear.length > 0 ? unclear : [low, high])), low, high };
}

/** To four digits, which are easy to remember. */
function roundRate(rate: number): number {
  return Number(rate.toPrecision(4));
}

type Resource = SearchStep['limitedBy']['resource'];

/** What each limit means for the server. */
const meanings: Record<Resource, (evidence: string) => string> = {
  client: evidence => `the generator, poolbench itself, was the limit: ${evidence}`,
  machine: () => 'the machine was the limit: it had no core left for poolbench and the server',
  pool: () => 'the pool was the limit: workers waited for connections',
  network: () => 'round trips took the time: more workers could have sent more',
  server: evidence => `the server was the limit: ${evidence}`,
  none: () => 'no resource was found busy: more workers might have sent more',
  unknown: () => 'the limit is unknown',
};

/** The knee according to the steps, and what the limit is. */
export function describeKnee(
  steps: readonly SearchStep[],
  { complete, precision }: { readonly complete: boolean; readonly precision: number },
): Knee {
  const tried = steps.flatMap(({ rate, verdict }): TriedRate[] =>
    verdict === 'unfinished' ? [] : [{ rate, verdict }],
  );
  const rates = kneeRates(tried);
  const { low, high } = rates;
  const failed = steps.findLast(step => step.rate === high && step.verdict === 'fail');
  const limitedBy = failed?.limitedBy ?? null;
  const lowerBound = low !== null && limitedBy?.resource !== 'server';
  const unclear = bracketOf(tried).unclear.length;
  const isWide = low !== null && high !== null && high / low > 1 + precision + roundingTolerance;
  const sentences = [
    describeRates(rates, complete, Math.min(...tried.map(one => one.rate))),
    complete && isWide && unclear > 0
      ? `The noise allows no narrower interval: ${formatPlural(unclear, 'rate')} between them met the conditions about as often as not.`
      : null,
    failed === undefined
      ? null
      : `At ${formatSearchRate(failed.rate)} ${meanings[failed.limitedBy.resource](failed.limitedBy.evidence)}.`,
    lowerBound
      ? `So this is a lower bound: the server may well sustain more than ${formatSearchRate(low)}.`
      : null,
  ];
  const gist = sentences.filter(sentence => sentence !== null).join(' ');
  return { ...rates, lowerBound, limitedBy, gist };
}

function describeRates(
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
      ? `Every rate met the conditions, up to the highest allowed, ${formatSearchRate(low)}.`
      : `So far: ${formatSearchRate(low)} clearly met the conditions, and no rate clearly failed.`;
  if (high !== null)
    return complete
      ? `No rate clearly met the conditions, down to ${formatSearchRate(lowest)}; lower ones have too few operations in a repeat to be judged.`
      : `So far: no rate clearly met the conditions, down to ${formatSearchRate(lowest)}.`;
  return 'No step came to a clear verdict.';
}
