import type { ClaimResult, Result } from '../result.ts';
import { type Claim, type Evidence, type Judgement, judgePredictions, untested } from './claim.ts';
import { coldStart } from './cold-start.ts';
import { healthInterval } from './health-interval.ts';
import { takesTwoServers } from './judging/versus.ts';
import { mixed } from './mixed.ts';
import { multiPool, onePoolIsEnough } from './multi-pool.ts';
import { oneConnection } from './one-connection.ts';
import { healthCache, lockFree, optimized, optimizedTail } from './optimizations.ts';
import { pipeline, workerPeak } from './peaks.ts';
import { poolSize } from './pool-size.ts';
import { highThroughput, lowLatency } from './profiles.ts';
import { reconnect } from './reconnect.ts';
import { dragonfly, valkey } from './two-servers.ts';
import { minIdle, warming } from './warming.ts';

/** All claims poolbench can judge. */
export const claims: readonly Claim[] = [
  multiPool,
  workerPeak,
  pipeline,
  lockFree,
  healthCache,
  warming,
  optimized,
  optimizedTail,
  valkey,
  dragonfly,
  poolSize,
  minIdle,
  healthInterval,
  lowLatency,
  highThroughput,
  mixed,
  oneConnection,
  reconnect,
  coldStart,
  onePoolIsEnough,
];

/**
 * The verdict of one run on every claim. A claim whose arms the run lacks is `not tested`, and names the
 * suite that has them.
 */
export function judgeClaims(evidence: Evidence): ClaimResult[] {
  return claims.map(claim => {
    if ('judgeSides' in claim) return verdictOn(claim, untested(takesTwoServers));
    return verdictOn(claim, 'judge' in claim ? claim.judge(evidence) : judgePredictions(evidence, claim));
  });
}

/** The verdicts on the claims about two servers, by the results of all sides of one `poolbench versus`. */
export function judgeVersusClaims(results: readonly Result[]): ClaimResult[] {
  return claims.flatMap(claim =>
    'judgeSides' in claim ? [verdictOn(claim, claim.judgeSides(results))] : [],
  );
}

function verdictOn({ id, statement, predicted, suite }: Claim, judged: Judgement): ClaimResult {
  const { lacksArms, ...judgement } = judged;
  const where = lacksArms ? ` configs/claims/${suite}.json tests it.` : '';
  const reason = judgement.reason + where;
  // A short reason is its own gist.
  return { id, statement, predicted, ...judgement, reason, gist: judgement.gist || reason };
}
