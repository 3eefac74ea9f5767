import type { Comparison, Result, ScenarioResult, Verdict } from '../result.ts';
import { p99, throughput } from '../stats/measures.ts';
import { clearlyMore } from '../stats/statistics.ts';
import {
  capitalise,
  excludesNothing,
  formatPlural,
  formatRatio,
  formatRatioInterval,
} from '../text/format.ts';
import { type Evidence, type Judgement, type OwnRuleClaim, untested } from './claim.ts';
import {
  beyond,
  describeBeginning,
  describeGain,
  describeLimits,
  describeParts,
  upTo,
} from './describe-gains.ts';
import { armsOf, compareArms, isSteady, limitsOf, type PoolsPair } from './judging/arms.ts';
import { type Asked, agree, atLeast, atMost, groupPairs, type Range, stateOf } from './judging/prediction.ts';
import {
  describeDisagreement,
  describePower,
  describeRounds,
  describeStandIn,
  describeStandInShortly,
} from './judging/reason.ts';
import {
  bestOf,
  type Contrast,
  compareEffects,
  doesNotPay,
  type Finding,
  findGains,
  type Gain,
  isAbove,
  isGain,
  isNoGain,
  judgeBeginning,
  judgeBeyond,
  largestOf,
  onePoolWorkers,
  pairsOfOwnThreads,
  pays,
  splitDeciding,
} from './pool-gains.ts';
import { sourceReport } from './source-report.ts';

/**
 * C1. For every number of pools, the throughput ratios to one pool are combined by geometric mean over the levels
 * beyond 50 workers within each round. Supported if for some number of pools the interval lies above 1.05: each is a
 * chance, and they share the chance of error. Refuted if for all of them it lies below. A combination that one of its
 * levels contradicts, with an interval on the other side of 1.05, is neither.
 *
 * The source of the gain (pools, threads), the other settings, and the gain at 50 workers or fewer (which is C20)
 * appear in the reason, and change nothing.
 */
export const multiPool: OwnRuleClaim = {
  id: 'C1',
  statement: `Beyond ${onePoolWorkers} workers, several pools pay off.`,
  predicted: `a gain above ${formatRatio(clearlyMore)} for some number of pools`,
  suite: 'scaling',
  judge: evidence =>
    judgeGains(evidence, {
      isTested: ({ above }) => above.length > 0,
      verdictOf: judgeBeyond,
      figure: ({ above }) => shownOf(bestOf(above), atLeast(clearlyMore)),
      families: 1,
      open: ({ above }) => ({ of: '', comparisons: above }),
      describe: describeGain,
      asks: ({ above }) => above,
      parts: describeParts,
      limits: describeLimits,
      needs: `a scenario of several pools, each with its own thread, and an otherwise equal one of one pool, both with more than ${onePoolWorkers} workers`,
    }),
};

/**
 * C20. At 50 workers or fewer no number of pools may have its interval above 1.05, or the claim is refuted. Supported
 * if all lie below, and if for some number of pools the gain beyond 50 workers is larger by 5 % than that at 50 or
 * fewer: the interval of their ratio, made within each round, lies above 1.05. Also refuted if it lies below for all of
 * them: then no worthwhile gain begins there.
 */
export const onePoolIsEnough: OwnRuleClaim = {
  id: 'C20',
  statement: `${sourceReport.workersPerPool.low}–${onePoolWorkers} workers per pool: one pool is enough; several pools gain only beyond that.`,
  predicted: `a gain below 5 % ${upTo}, and one that is 5 % larger ${beyond}`,
  suite: 'scaling',
  judge: evidence =>
    judgeGains(evidence, {
      isTested: finding => finding.upTo.length > 0 && finding.contrasts.length > 0,
      verdictOf: judgeBeginning,
      figure: finding =>
        judgeBeginning(finding) === 'refuted' && !finding.upTo.some(pays)
          ? shownOf(largestOf(finding), atLeast(clearlyMore))
          : shownOf(bestOf(finding.upTo), atMost(clearlyMore)),
      families: 2,
      open: ({ upTo: gains, contrasts }) =>
        gains.every(doesNotPay)
          ? { of: `of the gain ${beyond} to that ${upTo}, `, comparisons: contrasts }
          : { of: '', comparisons: gains },
      describe: describeBeginning,
      needs: `the same pools at ${onePoolWorkers} workers or fewer and at more`,
    }),
};

/** How one of the two claims reads the gains. */
interface Rule {
  readonly isTested: (finding: Finding) => boolean;
  /** Of a setting without a flaw. */
  readonly verdictOf: (finding: Finding) => Verdict;
  /** The figure that is shown of a setting without a flaw, and where it is predicted: of a refuted claim one that refutes it. */
  readonly figure: (finding: Finding) => ReturnType<typeof shownOf>;
  /** How many families of comparisons can each make the verdict wrong: those in a family share the chance of error. */
  readonly families: number;
  /** The family that an open verdict depends on, with a phrase to introduce it. */
  readonly open: (finding: Finding) => {
    readonly of: string;
    readonly comparisons: readonly (Contrast & Partial<Pick<Gain, 'dissent'>>)[];
  };
  /** The finding of one setting, as a sentence. */
  readonly describe: (finding: Finding, verdict: Verdict) => string;
  /** The gains that justify more rounds while the verdict is open; absent: none. */
  readonly asks?: (finding: Finding) => readonly Gain[];
  /** The source of the gain of a setting without a flaw, and what limited its arms, as sentences. */
  readonly parts?: (finding: Finding) => readonly string[];
  readonly limits?: (finding: Finding) => readonly string[];
  /** The arms without which the claim is not tested. */
  readonly needs: string;
}

function shownOf(gain: Contrast | undefined, range: Range) {
  return gain === undefined ? null : { ...gain.interval, range };
}

function judgeGains({ target, scenarios }: Evidence, rule: Rule): Judgement {
  const arms = scenarios.filter(isSteady);
  const pairs = pairsOfOwnThreads(arms);
  const comparisons = [...pairs.flatMap(compare), ...compareEffects(arms)];
  const { deciding, beside } = splitDeciding(findGains(scenarios).filter(rule.isTested));
  if (deciding.length === 0) {
    const judgement = { ...untested(describeUntested(target, scenarios, pairs, rule.needs)), comparisons };
    return comparisons.length > 0 ? judgement : { ...judgement, lacksArms: true };
  }
  const judged = deciding.map(finding => ({
    finding,
    verdict: finding.flaw === null ? rule.verdictOf(finding) : ('inconclusive' as const),
  }));
  const verdict = agree(judged.map(one => one.verdict));
  const sound = deciding.find(({ flaw }) => flaw === null);
  const figure = sound === undefined ? null : rule.figure(sound);
  const sentences = judged.map(
    ({ finding, verdict }) => `${nameOf(finding, deciding)}${describeJudged(finding, verdict, rule)}`,
  );
  return {
    unit: '×',
    measured: figure?.median ?? null,
    low: figure?.low ?? null,
    high: figure?.high ?? null,
    predictedRange: figure?.range ?? null,
    verdict: target.standIn ? 'not tested' : verdict,
    reason: [
      ...describeStandIn(target, verdict),
      ...[describeDisagreement(judged, 'settings')].filter(text => text !== null),
      ...sentences,
      ...judged.flatMap(({ finding, verdict }) =>
        verdict === 'inconclusive' ? describeOutlook(finding, rule) : [],
      ),
      ...deciding.flatMap(finding =>
        finding.flaw === null ? [...(rule.parts?.(finding) ?? []), ...(rule.limits?.(finding) ?? [])] : [],
      ),
      // A flaw usually affects all of them, and is stated once.
      ...beside
        .filter(({ flaw }) => flaw === null || deciding.every(one => one.flaw !== flaw))
        .map(finding => describeBeside(finding, rule)),
      ...describeRounds(
        [...deciding, ...beside]
          .filter(({ flaw }) => flaw === null)
          .flatMap(({ above, upTo }) => [...above, ...upTo].map(({ series }) => series)),
      ),
    ].join(' '),
    gist: [
      ...describeStandInShortly(target, verdict),
      ...[describeDisagreement(judged, 'settings')].filter(text => text !== null),
      ...sentences,
    ].join(' '),
    predictions: rule.families,
    limitedBy: limitsOf(deciding.flatMap(({ pairs }) => armsOf(pairs))),
    comparisons,
    asked: judged.flatMap(one => askGains(one, rule)),
  };
}

function compare(pair: PoolsPair): Comparison[] {
  const predicted = isAbove(pair) ? atLeast(clearlyMore) : atMost(clearlyMore);
  return [...compareArms([pair], [throughput], predicted), ...compareArms([pair], [p99])];
}

const nameOf = ({ label }: Finding, deciding: readonly Finding[]) =>
  deciding.length > 1 ? `With ${label}: ` : '';

function describeJudged(finding: Finding, verdict: Verdict, rule: Rule): string {
  return finding.flaw === null
    ? rule.describe(finding, verdict)
    : `No verdict, and nothing is excluded: ${finding.flaw}.`;
}

/** What such a run can detect of the open question, and how long a deciding run would take, as a sentence. */
function describeOutlook(finding: Finding, rule: Rule): string[] {
  const { of, comparisons } = rule.open(finding);
  const [best] = comparisons
    .filter(({ interval, dissent }) => dissent != null || !(isGain(interval) || isNoGain(interval)))
    .toSorted((a, b) => b.interval.median - a.interval.median);
  if (best === undefined || finding.flaw !== null || best.dissent != null) return [];
  const clauses = describePower({
    series: best.series,
    range: atLeast(clearlyMore),
    format: formatRatio,
    chances: { above: comparisons.length },
  });
  return clauses.length === 0 ? [] : [`${capitalise(`${of}${clauses.join('; ')}`)}.`];
}

function describeBeside(finding: Finding, rule: Rule): string {
  const verdict = finding.flaw === null ? rule.verdictOf(finding) : 'inconclusive';
  const bound = finding.client === 'wire' ? ' (a bound that no application reaches)' : '';
  const parts = finding.flaw === null && finding.split !== null ? (rule.parts?.(finding) ?? []) : [];
  return [
    `For comparison, ${finding.label}${bound}: ${describeJudged(finding, verdict, rule)}`,
    ...parts,
  ].join(' ');
}

/** Further ones are only in the table. */
const maxUntestedPairs = 4;

/** Why a run does not test the claim, and what it shows anyway. */
function describeUntested(
  target: Result['target'],
  scenarios: readonly ScenarioResult[],
  pairs: readonly PoolsPair[],
  needs: string,
): string {
  const open = scenarios.length > 0 && scenarios.every(scenario => scenario.arrival.kind !== 'closed');
  const missing = open
    ? 'The run has only open loops, whose throughput is the requested rate.'
    : `The run lacks the arms for it: ${needs}.`;
  // A ratio of fewer rounds can point either way.
  const found = pairs.flatMap(({ base, other, throughput: { ratio } }) =>
    ratio === null || excludesNothing(ratio)
      ? []
      : `at ${formatPlural(base.workers, 'worker')} with ${base.client}, ${other.pools} pools gave ${formatRatioInterval(ratio)} the throughput of one`,
  );
  return [
    missing,
    ...(found.length > 0 && found.length <= maxUntestedPairs ? [`It shows: ${found.join('; ')}.`] : []),
    ...describeStandIn(target),
  ].join(' ');
}

/**
 * Each number of pools is a separate comparison. Once one of them pays off, or none does, no more rounds are needed.
 */
function askGains(
  { finding, verdict }: { readonly finding: Finding; readonly verdict: Verdict },
  { asks }: Rule,
): Asked[] {
  const gains = asks?.(finding) ?? [];
  const series = gains.map(gain => gain.series);
  return gains.map((gain): Asked => {
    const isDecided = verdict !== 'inconclusive' || pays(gain) || doesNotPay(gain);
    return {
      what: formatPlural(gain.pools, 'pool'),
      groups: groupPairs(finding.pairs.filter(pair => isAbove(pair) && pair.other.pools === gain.pools)),
      state: stateOf(finding.flaw, series, isDecided),
      rounds: gain.series.roundsCounted,
    };
  });
}
