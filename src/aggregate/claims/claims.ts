import type { ClaimResult, Result } from '../result.ts';
import type { Claim, Evidence, Judgement } from './claim.ts';
import { coldStart } from './cold-start.ts';
import { dragonfly } from './dragonfly.ts';
import { healthCache } from './health-cache.ts';
import { healthInterval } from './health-interval.ts';
import { highThroughput } from './high-throughput.ts';
import { untested } from './judging/judge-predictions.ts';
import { takesTwoServers } from './judging/versus.ts';
import { lockFree } from './lock-free.ts';
import { lowLatency } from './low-latency.ts';
import { minIdle } from './min-idle.ts';
import { mixed } from './mixed.ts';
import { multiPool } from './multi-pool.ts';
import { oneConnection } from './one-connection.ts';
import { optimized, optimizedTail } from './optimized.ts';
import { pipeline } from './pipeline.ts';
import { poolSize } from './pool-size.ts';
import { reconnect } from './reconnect.ts';
import { valkey } from './valkey.ts';
import { warming } from './warming.ts';
import { workerPeak } from './worker-peak.ts';

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
];

/** The verdict on every claim, by one run. One that the run has no arms for is `not tested`, and says where they are. */
export function judgeClaims(evidence: Evidence): ClaimResult[] {
  return claims.map(claim =>
    verdictOn(claim, 'judge' in claim ? claim.judge(evidence) : untested(takesTwoServers)),
  );
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
  // A reason that is short has no gist of its own.
  return { id, statement, predicted, ...judgement, reason, gist: judgement.gist || reason };
}
