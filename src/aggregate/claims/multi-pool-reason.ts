import type { Interval, Result, ScenarioResult, Verdict } from '../result.ts';
import { clearlyMore, minRounds } from '../stats/statistics.ts';
import { capitalise, describeIntervals, formatPlural, formatRatioInterval } from '../text/format.ts';
import type { Pair } from './judging/arms.ts';
import { sayDisagreement } from './judging/prediction.ts';
import { nameStandIn, sayRatioAgainst, sayStandIn, sayStandInShortly } from './judging/reason.ts';
import {
  type Combined,
  type Finding,
  mayPay,
  paysClearly,
  sayDissent,
  tellingOf,
} from './multi-pool-findings.ts';

/** The settings that decide, and those that are only a bound. */
export interface Findings {
  readonly deciding: readonly Finding[];
  readonly bounds: readonly Finding[];
}

/** The verdict's reason: what decided and whose the gain is, a sentence for each setting, what the figures are worth. */
export function explain(target: Result['target'], { deciding, bounds }: Findings, verdict: Verdict): string {
  return [
    ...(target.standIn ? [sayStandIn(target, verdict)] : []),
    sayVerdict(deciding, verdict),
    ...deciding.flatMap(finding => saySetting(finding, deciding)),
    ...bounds.flatMap(finding => saySetting(finding, deciding).map(told => `${asBound} ${told}`)),
    ...sayRounds([...deciding, ...bounds]),
    ...(deciding.some(({ split }) => split !== null) ? [] : [together]),
  ].join(' ');
}

const asBound = 'As a bound that no application reaches,';

/** What is said of a gain that the run has no arms to take apart. */
const together = 'Each pool has a thread of its own here, so a gain is that of pool and thread together.';

/** What decided, with the figures and the split of the first setting that is sound. */
export function sumUp(target: Result['target'], { deciding }: Findings, verdict: Verdict): string {
  const told = deciding.find(({ sound }) => sound);
  const isMixed = sayDisagreement(deciding, 'settings') !== null || sayCommonWhy(deciding) === null;
  return [
    ...(target.standIn ? [sayStandInShortly(target, verdict)] : []),
    isMixed ? `${deciding.map(sayFinding).join('; ')}.` : sayVerdict(deciding, verdict),
    ...(told === undefined ? [] : [`${told.label}: ${sayFigures(told)}${sayAfter(saySplit(told))}.`]),
  ].join(' ');
}

function sayFinding({ label, verdict, why }: Finding): string {
  return `${label}: ${verdict}${verdict === 'inconclusive' ? `, as ${why}` : ''}`;
}

/** Why; of a supported claim also by what several pools gain. */
function sayVerdict(deciding: readonly Finding[], verdict: Verdict): string {
  const disagreement = sayDisagreement(deciding, 'settings');
  if (disagreement !== null) return disagreement;
  const why = sayCommonWhy(deciding) ?? `${verdict} in every setting`;
  return `${capitalise(why)}${verdict === 'supported' ? `: ${sayWhose(deciding)}` : ''}.`;
}

/** What all of them are judged by; null if that differs. */
function sayCommonWhy(findings: readonly Finding[]): string | null {
  const whys = new Set(findings.map(({ why }) => why));
  return whys.size === 1 ? [...whys].join() : null;
}

/** "ioredis, optimized: 2 pools ×1.58 [1.15, 1.87] above 50 workers (pays), …", in one sentence; nothing without figures. */
function saySetting(finding: Finding, deciding: readonly Finding[]): string[] {
  const { label, sound, why, verdict } = finding;
  const flaw = sound || sayCommonWhy([...deciding, finding]) !== null ? '' : why;
  const clauses = [flaw, sayFigures(finding), sayCrossover(finding) ?? '', saySplit(finding) ?? ''];
  const told = clauses.filter(clause => clause !== '');
  const found = sayDisagreement(deciding, 'settings') === null ? '' : ` (${verdict})`;
  return told.length === 0 ? [] : [`${label}${found}: ${told.join('; ')}.`];
}

function sayAfter(clause: string | null): string {
  return clause === null ? '' : `; ${clause}`;
}

/** On either side of 50 workers the number of pools that tells most. */
function sayFigures({ above, upTo, sound }: Finding): string {
  const [bestAbove, bestUpTo] = [tellingOf(above), tellingOf(upTo)];
  const side = (best: Combined | undefined, where: string, without?: number) => {
    if (best === undefined) return [];
    const pools = best.pools === without ? '' : `${best.pools} pools `;
    const figures = sayRatioAgainst(best.throughput, clearlyMore);
    return [`${pools}${figures} ${where}${sound ? ` (${saySide(best)})` : ''}`];
  };
  return [...side(bestAbove, 'above 50 workers'), ...side(bestUpTo, 'at 50 or fewer', bestAbove?.pools)].join(
    ', ',
  );
}

function saySide(combined: Combined): string {
  if (combined.dissent !== null) return `unclear, as ${sayDissent(combined.dissent)}`;
  if (paysClearly(combined)) return 'pays';
  return mayPay(combined) ? 'unclear' : 'does not pay';
}

/** Null where there is none, and of a setting whose figures are no ground for it. */
function sayCrossover({ sound, crossover }: Finding): string | null {
  if (!sound || crossover === null) return null;
  return `${crossover.several.pools} pools pay from ${formatPlural(crossover.one.workers, 'worker')} on`;
}

/** By the fewest rounds that a figure in the reason is made of. */
function sayRounds(findings: readonly Finding[]): string[] {
  const rounds = findings.flatMap(({ above, upTo }) => [...above, ...upTo].map(combined => combined.rounds));
  if (rounds.length === 0) return [];
  const fewest = Math.min(...rounds);
  return [`Medians over ${formatPlural(fewest, 'round')} with ${describeIntervals(fewest)}.`];
}

/** More than these are for the table. */
const mostUntestedPairs = 4;

/** Why a run is no test of the claim, and what it says all the same. */
export function explainUntested(
  target: Result['target'],
  scenarios: readonly ScenarioResult[],
  pairs: readonly Pair[],
): string {
  const open = scenarios.length > 0 && scenarios.every(scenario => scenario.arrival.kind !== 'closed');
  const missing = open
    ? 'The run has open loops only, whose throughput is the rate that was asked for.'
    : 'The run has no scenario of several pools, each with a thread of its own, beside its equal of one pool at more than 50 workers.';
  // A ratio of fewer rounds can point either way, however plainly it is said.
  const found = pairs.flatMap(({ one, several, throughput: { ratio } }) =>
    ratio === null || Math.min(one.rounds.length, several.rounds.length) < minRounds
      ? []
      : `at ${formatPlural(one.workers, 'worker')} with ${one.client}, ${several.pools} pools gave ${formatRatioInterval(ratio)} the throughput of one`,
  );
  return [
    missing,
    ...(found.length > 0 && found.length <= mostUntestedPairs
      ? [`It does tell this: ${found.join('; ')}.`]
      : []),
    ...(target.standIn ? [`${nameStandIn(target)}.`] : []),
  ].join(' ');
}

/** Both effects of a setting, as a clause, or why they are no ground; null where there is nothing to say of them. */
export function saySplit({ split, sound }: Finding): string | null {
  // Of a setting that is not sound the flaw is told already.
  if (split === null || !sound) return null;
  const { pools, pool, thread, flaw } = split;
  if (flaw !== null) return `the run cannot take the gain apart, as ${flaw}`;
  return `taken apart: ${pools} pools in one thread ${sayRatioAgainst(pool, clearlyMore)}, their threads ${sayRatioAgainst(thread, clearlyMore)}`;
}

/** Whose the gain of these settings is, as a clause: of the threads, of the pools, of both, or that it is not clear. */
export function sayWhose(findings: readonly Finding[]): string {
  const told = findings.flatMap(finding => whoseOf(finding) ?? []);
  const [first] = told;
  if (first === undefined) return 'by pools or by threads, the run cannot tell';
  const agreed = told.length === findings.length && told.every(one => one === first);
  return agreed ? first : unclear;
}

const unclear = 'it is not clear whether by pools or by threads';

function whoseOf({ split }: Finding): string | null {
  return split === null || split.flaw !== null ? null : whoseGain[sideOf(split.pool)][sideOf(split.thread)];
}

type Side = 'gains' | 'does not' | 'unclear';

function sideOf({ low, high }: Interval): Side {
  if (low > clearlyMore) return 'gains';
  return high < clearlyMore ? 'does not' : 'unclear';
}

/** By what the pools do, then by what their threads do. Where one is open, so is whether it is that one alone. */
const whoseGain = {
  gains: { gains: 'it is both pools and threads', 'does not': 'it is the pools', unclear },
  'does not': { gains: 'it is their threads', 'does not': unclear, unclear },
  unclear: { gains: unclear, 'does not': unclear, unclear },
} as const satisfies Record<Side, Record<Side, string>>;
