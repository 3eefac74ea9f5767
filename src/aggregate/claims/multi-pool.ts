import type { Comparison, ScenarioResult } from '../result.ts';
import { groupBySetting } from '../scenario/setting.ts';
import { p99, throughput } from '../stats/measures.ts';
import { clearlyMore } from '../stats/statistics.ts';
import type { Claim, Evidence, Judgement } from './claim.ts';
import { compareArms, type Pair } from './judging/arms.ts';
import { untested } from './judging/judge-predictions.ts';
import { agree } from './judging/prediction.ts';
import {
  compareEffects,
  type Finding,
  isAbove,
  judgeSetting,
  pairsOfOwnThreads,
  sharesThread,
  tellingOf,
} from './multi-pool-findings.ts';
import { explain, explainUntested, type Findings, sumUp } from './multi-pool-reason.ts';

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
 * application reaches, and it must not outvote them (as in C15); what it finds is said after theirs. Alone it decides.
 *
 * An optimized pool has no lock that callers could contend for, so a run should have baseline pools as well.
 *
 * "Some number of pools" is not corrected for how many there are: each is a chance of its own. An interval of 5 rounds
 * lies above 1.05 by chance, where the true ratio is just 1.05, in up to 1 of 32 runs; with two numbers of pools that
 * is up to 2 of 32. It concerns `supported` above 50 workers, and `refuted` up to 50.
 *
 * Several pools have a thread each. Where the run also has them all in one thread, the gain is taken apart: the pool
 * effect is k pools in one thread to one pool, the thread effect k threads with one pool each to k pools in one thread.
 * That decides nothing; it says what the gain is made of, where those arms are sound too.
 *
 * `measured` is the combination above 50 workers of the first deciding setting whose figures are a ground for a verdict,
 * null if none is: of the number of pools that pays clearly, else may pay, and gains most. Figures are a ground if
 * `findFlaw` and `findGrowthFlaw` find nothing.
 */
export const multiPool: Claim = {
  id: 'C1',
  statement: '10–50 workers per pool; beyond 50, use several pools.',
  predicted: 'gain above 1 for more than 50 workers, none at 50 or fewer',
  suite: 'scaling',
  judge,
};

function judge({ target, scenarios }: Evidence): Judgement {
  const arms = scenarios.filter(isArm);
  const pairs = pairsOfOwnThreads(arms);
  const comparisons = [...pairs.flatMap(compare), ...compareEffects(arms)];
  const paired = new Set(pairs.flatMap(({ one, several }) => [one, several]));
  const findings = groupBySetting(arms.filter(arm => paired.has(arm) || sharesThread(arm)))
    .map(({ label, scenarios }) => judgeSetting(label, scenarios))
    .filter(finding => finding.pairs.some(isAbove));
  if (findings.length === 0) {
    const judgement = { ...untested(explainUntested(target, scenarios, pairs)), comparisons };
    return comparisons.length > 0 ? judgement : { ...judgement, lacksArms: true };
  }
  const told = decideBy(findings);
  const { deciding } = told;
  const verdict = agree(deciding.map(finding => finding.verdict));
  const figures = tellingOf(deciding.find(({ sound }) => sound)?.above ?? [])?.throughput;
  const judged = deciding.flatMap(({ pairs }) => pairs.flatMap(({ one, several }) => [one, several]));
  return {
    unit: '×',
    measured: figures?.median ?? null,
    low: figures?.low ?? null,
    high: figures?.high ?? null,
    predictedRange: figures === undefined ? null : { low: clearlyMore, high: null },
    verdict: target.standIn ? 'not tested' : verdict,
    reason: explain(target, told, verdict),
    gist: sumUp(target, told, verdict),
    // Each number of pools is a chance of its own, on either side of the 50 workers.
    predictions: Math.max(...deciding.map(({ above, upTo }) => above.length + upTo.length)),
    limitedBy: [...new Set(judged.map(({ limitedBy }) => limitedBy.resource))],
    comparisons,
  };
}

function decideBy(findings: readonly Finding[]): Findings {
  const bounds = findings.filter(({ client }) => client === 'wire');
  const deciding = findings.filter(finding => !bounds.includes(finding));
  return deciding.length > 0 ? { deciding, bounds } : { deciding: bounds, bounds: [] };
}

/** Throughput is the server's answer in a closed loop only. */
function isArm({ arrival, batch, cutEveryMs }: ScenarioResult): boolean {
  return arrival.kind === 'closed' && batch.pool === 'none' && cutEveryMs === 0;
}

function compare(pair: Pair): Comparison[] {
  const arms = { base: pair.one, other: pair.several };
  const predicted = isAbove(pair) ? { low: clearlyMore, high: null } : { low: null, high: clearlyMore };
  return [...compareArms(arms, throughput, predicted), ...compareArms(arms, p99, null)];
}
