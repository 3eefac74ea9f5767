import { median } from '../stats/statistics.ts';
import { formatMs, formatPlural } from '../text/format.ts';
import { bracketOf, kneeRates, type TriedRate } from './next-rate.ts';
import type { Knee, SearchStep } from './schema.ts';
import { formatSearchRate } from './words.ts';

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
