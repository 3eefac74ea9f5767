import type { Comparison, Interval, Result, ScenarioResult, Verdict } from '../result.ts';
import { groupBySetting } from '../scenario/setting.ts';
import { p99, throughput } from '../stats/measures.ts';
import { minRounds } from '../stats/sign-test.ts';
import { clearlyMore } from '../stats/statistics.ts';
import { capitalise, describeIntervals, formatPlural, formatRatioInterval } from '../text/format.ts';
import { type Evidence, type Judgement, type OwnRuleClaim, untested } from './claim.ts';
import { armsOf, compareArms, isSteady, limitsOf, type PoolsPair } from './judging/arms.ts';
import { agree, atLeast, atMost } from './judging/prediction.ts';
import {
  describeDisagreement,
  describeStandIn,
  describeStandInShortly,
  formatRatioAgainst,
} from './judging/reason.ts';
import {
  bestOf,
  type Combined,
  compareEffects,
  describeDissent,
  type Finding,
  isAbove,
  judgeSetting,
  mayPay,
  onePoolWorkers,
  pairsOfOwnThreads,
  paysClearly,
  type SplitGain,
  sharesThread,
} from './multi-pool-findings.ts';
import { sourceReport } from './source-report.ts';

const { low: minWorkers, high: maxWorkers } = sourceReport.workersPerPool;

/**
 * C1. In every setting (a client; a pool preset and a pipeline depth too, where the run has several), for every number
 * of pools, the throughput ratios to one pool are combined by geometric mean over the workers levels within each round,
 * once for the levels above 50 and once for those up to 50; a median with its interval is taken over the rounds.
 *
 * Above 50 several pools must pay: holds if for some number of pools the interval lies above 1.05, fails if for all
 * it lies below. Up to 50 none may pay: holds if all intervals lie below 1.05, fails if one lies above. Both hold:
 * supported. One fails: refuted. Anything else, and settings that disagree: inconclusive. So is a combination that one of
 * its levels contradicts by an interval of its own that lies on the other side of 1.05.
 *
 * Where the run has ioredis settings, only they decide: they are what an application pays. wire is a bound that no
 * application reaches, and it must not outvote them (as in C15); its findings follow theirs. Alone, it decides.
 *
 * An optimized pool has no lock that callers could contend for, so a run should have baseline pools as well.
 *
 * "Some number of pools" is not corrected for how many there are: each is a chance of its own. An interval of 5 rounds
 * lies above 1.05 by chance, where the true ratio is just 1.05, in up to 1 of 32 runs; with two numbers of pools that
 * is up to 2 of 32. It concerns `supported` above 50 workers, and `refuted` up to 50.
 *
 * Several pools have a thread each. If the run also has them all in one thread, the gain is split: the pool
 * effect is k pools in one thread to one pool, the thread effect k threads with one pool each to k pools in one thread.
 * The split decides nothing; it shows what the gain consists of, if those arms are sound too.
 *
 * `measured` is the combination above 50 workers of the first deciding setting whose figures are a ground for a verdict,
 * null if none is: of the number of pools that pays clearly, else may pay, and gains most. Figures are a ground if
 * `findFlaw` and `findGrowthFlaw` find nothing.
 */
export const multiPool: OwnRuleClaim = {
  id: 'C1',
  statement: `${minWorkers}–${maxWorkers} workers per pool; beyond ${maxWorkers}, use several pools.`,
  predicted: `gain above 1 for more than ${maxWorkers} workers, none at ${maxWorkers} or fewer`,
  suite: 'scaling',
  judge,
};

function judge({ target, scenarios }: Evidence): Judgement {
  const arms = scenarios.filter(isSteady);
  const pairs = pairsOfOwnThreads(arms);
  const comparisons = [...pairs.flatMap(compare), ...compareEffects(arms)];
  const paired = new Set(armsOf(pairs));
  const findings = groupBySetting(arms.filter(arm => paired.has(arm) || sharesThread(arm)))
    .map(({ label, scenarios }) => judgeSetting(label, scenarios))
    .filter(finding => finding.pairs.some(isAbove));
  if (findings.length === 0) {
    const judgement = { ...untested(describeUntested(target, scenarios, pairs)), comparisons };
    return comparisons.length > 0 ? judgement : { ...judgement, lacksArms: true };
  }
  const ofApplications = findings.filter(({ client }) => client !== 'wire');
  const deciding = ofApplications.length > 0 ? ofApplications : findings;
  const bounds = findings.filter(finding => !deciding.includes(finding));
  const verdict = agree(deciding.map(finding => finding.verdict));
  const figures = bestOf(deciding.find(({ sound }) => sound)?.above ?? [])?.throughput;
  return {
    unit: '×',
    measured: figures?.median ?? null,
    low: figures?.low ?? null,
    high: figures?.high ?? null,
    predictedRange: figures === undefined ? null : atLeast(clearlyMore),
    verdict: target.standIn ? 'not tested' : verdict,
    reason: describeReason(target, deciding, bounds, verdict),
    gist: describeGist(target, deciding, verdict),
    // Each number of pools is a chance of its own, on either side of the 50 workers.
    predictions: Math.max(...deciding.map(({ above, upTo }) => above.length + upTo.length)),
    limitedBy: limitsOf(deciding.flatMap(({ pairs }) => armsOf(pairs))),
    comparisons,
  };
}

function compare(pair: PoolsPair): Comparison[] {
  const predicted = isAbove(pair) ? atLeast(clearlyMore) : atMost(clearlyMore);
  return [...compareArms([pair], [throughput], predicted), ...compareArms([pair], [p99])];
}

/**
 * What decided and where the gain comes from, a sentence for each setting, and the reliability of the
 * figures.
 */
function describeReason(
  target: Result['target'],
  deciding: readonly Finding[],
  bounds: readonly Finding[],
  verdict: Verdict,
): string {
  return [
    ...describeStandIn(target, verdict),
    describeVerdict(deciding, verdict),
    ...deciding.flatMap(finding => describeSetting(finding, deciding)),
    ...bounds.flatMap(finding =>
      describeSetting(finding, deciding).map(
        sentence => `As a bound that no application reaches, ${sentence}`,
      ),
    ),
    ...describeRounds([...deciding, ...bounds]),
    ...(deciding.some(({ split }) => split !== null)
      ? []
      : ['Here each pool has its own thread, so a gain combines the effects of pool and thread.']),
  ].join(' ');
}

/** What decided, with the figures and the split of the first setting that is sound. */
function describeGist(target: Result['target'], deciding: readonly Finding[], verdict: Verdict): string {
  const shown = deciding.find(({ sound }) => sound);
  const isMixed = describeDisagreement(deciding, 'settings') !== null || findCommonWhy(deciding) === null;
  const findings = deciding.map(
    ({ label, verdict, why }) =>
      `${label}: ${verdict}${verdict === 'inconclusive' ? `, because ${why}` : ''}`,
  );
  return [
    ...describeStandInShortly(target, verdict),
    isMixed ? `${findings.join('; ')}.` : describeVerdict(deciding, verdict),
    ...(shown === undefined
      ? []
      : [`${shown.label}: ${joinClauses([describeFigures(shown), describeSplit(shown)])}.`]),
  ].join(' ');
}

/** Why; of a supported claim also by what several pools gain. */
function describeVerdict(deciding: readonly Finding[], verdict: Verdict): string {
  const disagreement = describeDisagreement(deciding, 'settings');
  if (disagreement !== null) return disagreement;
  const why = findCommonWhy(deciding) ?? `${verdict} in every setting`;
  return `${capitalise(why)}${verdict === 'supported' ? `: ${describeSource(deciding)}` : ''}.`;
}

/** What all of them are judged by; null if that differs. */
function findCommonWhy(findings: readonly Finding[]): string | null {
  const whys = new Set(findings.map(({ why }) => why));
  return whys.size === 1 ? [...whys].join() : null;
}

/** "ioredis, optimized: 2 pools ×1.58 [1.15, 1.87] above 50 workers (pays), …", in one sentence; nothing without figures. */
function describeSetting(finding: Finding, deciding: readonly Finding[]): string[] {
  const { label, sound, why, verdict, crossover } = finding;
  const clauses = joinClauses([
    sound || findCommonWhy([...deciding, finding]) !== null ? null : why,
    describeFigures(finding),
    // Figures that are no ground for a verdict are none for a crossover.
    sound && crossover !== null
      ? `${crossover.other.pools} pools pay from ${formatPlural(crossover.base.workers, 'worker')} on`
      : null,
    describeSplit(finding),
  ]);
  const found = describeDisagreement(deciding, 'settings') === null ? '' : ` (${verdict})`;
  return clauses === '' ? [] : [`${label}${found}: ${clauses}.`];
}

function joinClauses(clauses: readonly (string | null)[]): string {
  return clauses.filter(clause => clause !== null && clause !== '').join('; ');
}

/** The number of pools that is best on either side of 50 workers. */
function describeFigures({ above, upTo, sound }: Finding): string {
  const [bestAbove, bestUpTo] = [bestOf(above), bestOf(upTo)];
  const describeSide = (best: Combined | undefined, where: string, known?: number) => {
    if (best === undefined) return [];
    const pools = best.pools === known ? '' : `${best.pools} pools `;
    const figures = formatRatioAgainst(best.throughput, clearlyMore);
    return [`${pools}${figures} ${where}${sound ? ` (${describeGain(best)})` : ''}`];
  };
  return [
    ...describeSide(bestAbove, `above ${onePoolWorkers} workers`),
    ...describeSide(bestUpTo, `at ${onePoolWorkers} or fewer`, bestAbove?.pools),
  ].join(', ');
}

function describeGain(combined: Combined): string {
  if (combined.dissent !== null) return `unclear, as ${describeDissent(combined.dissent)}`;
  if (paysClearly(combined)) return 'pays';
  return mayPay(combined) ? 'unclear' : 'does not pay';
}

/** The smallest number of rounds that a figure in the reason is made of. */
function describeRounds(findings: readonly Finding[]): string[] {
  const rounds = findings.flatMap(({ above, upTo }) => [...above, ...upTo].map(combined => combined.rounds));
  if (rounds.length === 0) return [];
  const min = Math.min(...rounds);
  return [`Medians over ${formatPlural(min, 'round')} with ${describeIntervals(min)}.`];
}

/** Both effects of a setting, as a clause, or why they are unsound; null if there are none. */
function describeSplit({ split, sound }: Finding): string | null {
  // The flaw of an unsound setting is already in the text.
  if (split === null || !sound) return null;
  const { pools, pool, thread, flaw } = split;
  if (flaw !== null) return `the run cannot break the gain down, because ${flaw}`;
  return `broken down: ${pools} pools in one thread ${formatRatioAgainst(pool, clearlyMore)}, their threads ${formatRatioAgainst(thread, clearlyMore)}`;
}

/** What the gain of these settings comes from, as a clause: the threads, the pools, both, or that it is not clear. */
function describeSource(findings: readonly Finding[]): string {
  const sources = findings.flatMap(({ split }) =>
    split === null || split.flaw !== null ? [] : sourceOf(split),
  );
  const [first] = sources;
  if (first === undefined) return 'the run cannot tell whether the gain comes from pools or threads';
  const agreed = sources.length === findings.length && sources.every(source => source === first);
  return agreed ? first : unclear;
}

const unclear = 'it is not clear whether the gain comes from pools or threads';

/** If one effect is open, it is also open whether the gain comes from the other alone. */
function sourceOf({ pool, thread }: SplitGain): string {
  if (gains(pool) && gains(thread)) return 'the gain comes from both pools and threads';
  if (gains(pool) && gainsNothing(thread)) return 'the gain comes from the pools';
  return gainsNothing(pool) && gains(thread) ? 'the gain comes from their threads' : unclear;
}

const gains = ({ low }: Interval) => low > clearlyMore;
const gainsNothing = ({ high }: Interval) => high < clearlyMore;

/** More than these are left to the table. */
const maxUntestedPairs = 4;

/** Why a run does not test the claim, and what it shows nevertheless. */
function describeUntested(
  target: Result['target'],
  scenarios: readonly ScenarioResult[],
  pairs: readonly PoolsPair[],
): string {
  const open = scenarios.length > 0 && scenarios.every(scenario => scenario.arrival.kind !== 'closed');
  const missing = open
    ? 'The run has only open loops, whose throughput is the requested rate.'
    : `The run has no scenario of several pools, each with its own thread, and an otherwise equal one of one pool at more than ${onePoolWorkers} workers.`;
  // A ratio of fewer rounds can point either way.
  const found = pairs.flatMap(({ base, other, throughput: { ratio } }) =>
    ratio === null || Math.min(base.rounds.length, other.rounds.length) < minRounds
      ? []
      : `at ${formatPlural(base.workers, 'worker')} with ${base.client}, ${other.pools} pools gave ${formatRatioInterval(ratio)} the throughput of one`,
  );
  return [
    missing,
    ...(found.length > 0 && found.length <= maxUntestedPairs ? [`It shows: ${found.join('; ')}.`] : []),
    ...describeStandIn(target),
  ].join(' ');
}
