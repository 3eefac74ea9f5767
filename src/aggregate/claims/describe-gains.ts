import type { Verdict } from '../result.ts';
import { workersPerPool } from '../scenario/setting.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { excludesNothing, formatList, formatPlural, formatRatio } from '../text/format.ts';
import { armsOf, groupBy, limitsOf } from './judging/arms.ts';
import { formatRatioAgainst } from './judging/reason.ts';
import {
  bestOf,
  doesNotPay,
  type Finding,
  type Gain,
  isAbove,
  isGain,
  isNoGain,
  type Level,
  largestOf,
  onePoolWorkers,
  pays,
  type SplitGain,
} from './pool-gains.ts';

/** The gains of several pools as text, for the claims of `multi-pool.ts`. */

export const beyond = `beyond ${onePoolWorkers} workers`;
export const upTo = `at ${onePoolWorkers} or fewer`;

/**
 * "Yes: 2 pools, each in its own thread, gave ×1.66 [1.41, 1.88] beyond 50 workers; it is the threads, not the pools
 * (pools alone ×1.02); they already pay off at 10 workers."
 */
export function describeGain(finding: Finding, verdict: Verdict): string {
  const best = bestOf(finding.above);
  if (best === undefined) return '';
  const figure = `${formatPlural(best.pools, 'pool')}, each in its own thread, gave ${formatGain(best)} ${beyond}`;
  const clauses = {
    supported: [`Yes: ${figure}`, describeSource(finding.split), describeEarlier(finding.upTo)],
    refuted: [`No: ${beyond} no number of pools gained 5 % (${listGains(finding.above)})`],
    inconclusive: [describeOpen(finding.above, beyond)],
    'not tested': [],
  }[verdict];
  return `${clauses.filter(clause => clause !== null).join('; ')}.`;
}

/** C20's finding in a setting: the gain at 50 workers or fewer, and the gain beyond that relative to it. */
export function describeBeginning(finding: Finding, verdict: Verdict): string {
  const contrast = largestOf(finding);
  const larger =
    contrast === undefined || excludesNothing(contrast.interval)
      ? null
      : `${beyond} the gain of ${formatPlural(contrast.pools, 'pool')} is ${formatRatioAgainst(contrast.interval, clearlyMore)} that ${upTo}`;
  const paying = bestOf(finding.upTo.filter(pays));
  const clauses = {
    supported: [`Yes: ${upTo} several pools gain less than 5 % (${listGains(finding.upTo)})`, larger],
    refuted: [
      paying === undefined
        ? `No: the gain ${beyond} is less than 5 % larger`
        : `No: ${upTo} ${formatPlural(paying.pools, 'pool')} already gave ${formatGain(paying)}`,
      larger,
      finding.upTo.every(doesNotPay) ? `one pool is enough ${upTo} (${listGains(finding.upTo)})` : null,
    ],
    inconclusive: [
      finding.upTo.every(doesNotPay)
        ? `One pool is enough ${upTo} (${listGains(finding.upTo)})`
        : describeOpen(finding.upTo, upTo),
      larger,
    ],
    'not tested': [],
  }[verdict];
  return `${clauses.filter(clause => clause !== null).join('; ')}.`;
}

/** An open verdict, described by what is excluded: that is its answer. */
function describeOpen(gains: readonly Gain[], where: string): string {
  const best = bestOf(gains);
  if (best === undefined) return '';
  if (best.dissent !== null)
    return `Open: ${where} ${formatPlural(best.pools, 'pool')} gave ${formatGain(best)} on average, but ${describeDissent(best.dissent)}`;
  const most = Math.max(...gains.map(({ interval }) => interval.high));
  const least = Math.max(...gains.map(({ interval }) => interval.low));
  // A gain that prints as ×1.00 is not worth mentioning.
  const answer =
    least > 1.01
      ? `a gain of at least ${formatRatio(least)}${Number.isFinite(most) ? `, and at most ${formatRatio(most)}` : ''}`
      : Number.isFinite(most)
        ? `no gain of more than ${formatRatio(most)}`
        : 'no gain is excluded';
  const figure = `${formatPlural(best.pools, 'pool')} ${formatGain(best)}`;
  return `Open: ${where} ${answer}${excludesNothing(best.interval) ? '' : ` (${figure})`}`;
}

/**
 * Whether several pools also pay off at 50 workers or fewer, which changes nothing. Null if the run has no such level.
 */
function describeEarlier(gains: readonly Gain[]): string | null {
  const best = bestOf(gains);
  if (best === undefined) return null;
  if (pays(best)) {
    const paying = best.levels.filter(({ series }) => isGain(series.interval()));
    const first = Math.min(...paying.map(({ workers }) => workers));
    const from = Number.isFinite(first)
      ? `at ${formatPlural(first, 'worker')}, ${workersPerPool({ workers: first, pools: best.pools })} per pool`
      : upTo;
    return `they already pay off ${from} (${formatGain(best)})`;
  }
  return gains.every(doesNotPay)
    ? `${upTo} they do not pay off (${listGains(gains)})`
    : `whether they pay off ${upTo} stays open (${formatGain(best)})`;
}

/** The source of the gain, as a clause: a second event loop is not a second pool. Null if the run cannot tell. */
function describeSource(split: SplitGain | null): string | null {
  if (split === null || split.flaw !== null) return null;
  const { pool, thread } = split;
  const alone = `pools alone ${formatRatio(pool.median)}, their threads ${formatRatio(thread.median)}`;
  if (isGain(pool) && isGain(thread)) return `both pools and threads contribute (${alone})`;
  if (isGain(pool) && isNoGain(thread)) return `it is the pools, not the threads (${alone})`;
  if (isNoGain(pool) && isGain(thread)) return `it is the threads, not the pools (${alone})`;
  return `its source stays open (${alone})`;
}

/** The parts of the gain with their intervals, or why they are unsound. */
export function describeParts({ split }: Finding): string[] {
  if (split === null)
    return ['Each pool has its own thread here, so the run cannot tell pools from threads.'];
  if (split.flaw !== null) return [`The run cannot tell pools from threads, because ${split.flaw}.`];
  const { pools, pool, thread } = split;
  return [
    `Of the gain, ${pools} pools in one thread are ${formatRatioAgainst(pool, clearlyMore)}, their threads ${formatRatioAgainst(thread, clearlyMore)}.`,
  ];
}

/** "What limited the arms beyond 50 workers: 1 pool: client; 2 and 4 pools: machine." */
export function describeLimits({ pairs }: Finding): string[] {
  const arms = armsOf(pairs.filter(isAbove));
  const limits = groupBy(arms, ({ pools }) => pools)
    .toSorted(([a], [b]) => a - b)
    .map(([pools, ofPools]) => ({ pools, by: limitsOf(ofPools).join(' or ') }));
  const clauses = groupBy(limits, ({ by }) => by).map(([by, limited]) => {
    const numbers = formatList(limited.map(({ pools }) => String(pools)));
    return `${numbers} ${limited.at(-1)?.pools === 1 ? 'pool' : 'pools'}: ${by}`;
  });
  const one = limits[0]?.by ?? '';
  return [`What limited the arms ${beyond}: ${clauses.length === 1 ? one : clauses.join('; ')}.`];
}

const formatGain = ({ interval }: Gain) => formatRatioAgainst(interval, clearlyMore);

/** "2 pools ×0.99 [0.97, 1.02], 4 pools ×1.01 [0.98, 1.04]". */
function listGains(gains: readonly Gain[]): string {
  return gains.map(gain => `${formatPlural(gain.pools, 'pool')} ${formatGain(gain)}`).join(', ');
}

/** "×1.20 [1.18, 1.23] at 100 workers". */
function describeDissent({ workers, series }: Level): string {
  return `${formatRatioAgainst(series.interval(), clearlyMore)} at ${formatPlural(workers, 'worker')}`;
}
