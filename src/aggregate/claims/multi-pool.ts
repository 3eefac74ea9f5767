import { type Pair, pairWithOnePool } from '../pairs.ts';
import type { Comparison, ScenarioResult, Verdict } from '../result.ts';
import { groupBySetting } from '../setting.ts';
import type { Claim, Evidence, Judgement } from './claim.ts';
import { bestOf, combineByPools, isAbove, judgeSetting } from './multi-pool-findings.ts';
import { explain, explainUntested } from './multi-pool-reason.ts';

/**
 * C1. In every setting (a client; a pool preset and a pipeline depth too, where the run has several), for every number
 * of pools, the throughput ratios to one pool are combined by geometric mean over the workers levels within each round,
 * once for the levels above 50 and once for those up to 50; a median with its interval is taken over the rounds.
 *
 * Above 50 several pools must pay: holds if for some number of pools the interval lies above 1.05, fails if for all
 * it lies below. Up to 50 none may pay: holds if all intervals lie below 1.05, fails if one lies above. Both hold:
 * supported. One fails: refuted. Anything else, and settings that disagree: inconclusive.
 *
 * "Some number of pools" is not corrected for how many there are: each is a chance of its own. An interval of 5 rounds
 * lies above 1.05 by chance, where the true ratio is just 1.05, in up to 1 of 32 runs; with two numbers of pools that
 * is up to 2 of 32. It concerns `supported` above 50 workers, and `refuted` up to 50.
 *
 * `measured` is the combination over the settings whose figures are a ground for a verdict; null if none is.
 */
export const multiPool: Claim = {
  id: 'C1',
  statement: '10–50 workers per pool; beyond 50, use several pools.',
  predicted: 'gain above 1 for more than 50 workers, none at 50 or fewer',
  judge,
};

function judge({ target, scenarios }: Evidence): Judgement {
  const arms = scenarios.filter(isArm);
  const comparisons = pairWithOnePool(arms).flatMap(compare);
  const findings = groupBySetting(arms)
    .map(({ label, scenarios }) => judgeSetting(label, pairWithOnePool(scenarios)))
    .filter(finding => finding.pairs.some(isAbove));
  if (findings.length === 0) {
    const reason = explainUntested(target, scenarios, pairWithOnePool(arms));
    return { measured: null, low: null, high: null, verdict: 'not tested', reason, comparisons };
  }
  const verdict = agree(findings.map(finding => finding.verdict));
  const sound = findings.filter(finding => finding.sound);
  const best = bestOf(combineByPools(sound.flatMap(finding => finding.pairs.filter(isAbove))));
  return {
    measured: best?.throughput.median ?? null,
    low: best?.throughput.low ?? null,
    high: best?.throughput.high ?? null,
    verdict: target.standIn ? 'not tested' : verdict,
    reason: explain(target, findings, verdict),
    comparisons,
  };
}

/** Throughput is the server's answer in a closed loop only, and poolbench compares pools with a thread of their own. */
function isArm(scenario: ScenarioResult): boolean {
  return scenario.arrival.kind === 'closed' && scenario.threads === scenario.pools;
}

function agree(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = verdicts;
  return first !== undefined && others.every(other => other === first) ? first : 'inconclusive';
}

function compare({ one, several, throughput, responseP99 }: Pair): Comparison[] {
  if (throughput.ratio === null || responseP99.ratio === null) return [];
  return [
    {
      client: several.client,
      pool: several.pool,
      pipeline: several.pipeline,
      workers: several.workers,
      connections: several.connections,
      pools: several.pools,
      rounds: throughput.byRound.size,
      throughput: throughput.ratio,
      throughputP: throughput.p,
      responseP99: responseP99.ratio,
      limitedBy: { one: one.limitedBy.resource, several: several.limitedBy.resource },
    },
  ];
}
