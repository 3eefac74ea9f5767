import type { ClaimResult, Result } from '../result.ts';
import { findControlFlaw, judgeControl, withoutControls } from '../stats/control.ts';
import { capitalise } from '../text/format.ts';
import { type Claim, type Judgement, judgePredictions, untested, type VersusSide } from './claim.ts';
import { autoPipelining, nodeRedisCosts } from './clients.ts';
import { coldStart } from './cold-start.ts';
import { healthInterval } from './health-interval.ts';
import { isOfScript } from './judging/arms.ts';
import type { Asked } from './judging/prediction.ts';
import { takesTwoServers } from './judging/versus.ts';
import { mixed } from './mixed.ts';
import { multiPool, onePoolIsEnough } from './multi-pool.ts';
import { oneConnection } from './one-connection.ts';
import { healthCache, lockFree, optimized, optimizedTail } from './optimizations.ts';
import { pipeline, queueing, workerPeak } from './peaks.ts';
import { poolSize } from './pool-size.ts';
import { highThroughput, lowLatency } from './profiles.ts';
import { reconnect } from './reconnect.ts';
import { dragonfly, valkey, valkeyGains } from './two-servers.ts';
import { variableLoad } from './variable-load.ts';
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
  queueing,
  valkeyGains,
  variableLoad,
  nodeRedisCosts,
  autoPipelining,
];

/** A claim, and what a run shows about it. */
interface Judged {
  readonly claim: Claim;
  readonly judgement: Judgement;
}

/**
 * The verdicts of a run on all claims. A claim whose arms the run lacks is `not tested`, and names the suite that has
 * them.
 */
export function judgeClaims(result: Pick<Result, 'target' | 'scenarios'>): ClaimResult[] {
  return judgeRun(result).map(verdictOn);
}

/** The verdicts on the claims about two servers, by the results of all sides of one `poolbench versus`. */
export function judgeVersusClaims(results: readonly Result[]): ClaimResult[] {
  return judgeSides(results).map(verdictOn);
}

/** What a claim asks of a run. */
export interface AskedByClaim extends Asked {
  /** The id of the claim. */
  readonly claim: string;
}

/** What the claims ask of a run of one side, or of several sides that are measured in turn. */
export function askClaims(
  sides: readonly Pick<Result, 'environment' | 'target' | 'scenarios'>[],
): AskedByClaim[] {
  const [only, ...others] = sides;
  if (only === undefined) return [];
  const session = 'this run';
  const judged =
    others.length === 0
      ? judgeRun(only)
      : judgeSides(sides.map((side, index) => ({ ...side, session, name: `side ${index + 1}` })));
  return judged.flatMap(({ claim, judgement: { asked = [] } }) =>
    asked.map(one => ({ ...one, claim: claim.id })),
  );
}

const takesCommands =
  'The load is a script, whose own work is part of every figure, but the claims are about commands.';

const isScript = ({ scenarios }: Pick<Result, 'scenarios'>) => scenarios.some(isOfScript);

function judgeRun(result: Pick<Result, 'target' | 'scenarios'>): Judged[] {
  if (isScript(result)) return claims.map(claim => ({ claim, judgement: untested(takesCommands) }));
  const evidence = { target: result.target, scenarios: withoutControls(result) };
  const flaw = findFlawOfRun([result]);
  return claims.map(claim => {
    if ('judgeSides' in claim) return { claim, judgement: untested(takesTwoServers) };
    const judged = 'judge' in claim ? claim.judge(evidence) : judgePredictions(evidence, claim);
    return { claim, judgement: flawed(judged, flaw) };
  });
}

function judgeSides(results: readonly VersusSide[]): Judged[] {
  const flaw = findFlawOfRun(results);
  const isOfScripts = results.some(isScript);
  return claims.flatMap(claim => {
    if (!('judgeSides' in claim)) return [];
    const judgement = isOfScripts ? untested(takesCommands) : flawed(claim.judgeSides(results), flaw);
    return [{ claim, judgement }];
  });
}

/** Why these runs give no verdict on any claim, as a clause; null if they can. */
export function findFlawOfRun(results: readonly Pick<Result, 'scenarios'>[]): string | null {
  const flaws = results.map(({ scenarios }) => findControlFlaw(judgeControl(scenarios)));
  return flaws.find(flaw => flaw !== null) ?? null;
}

/** A run in which two identical arms differ gives no verdict. The reason says what it would have been. */
function flawed(judged: Judgement, flaw: string | null): Judgement {
  if (flaw === null || judged.verdict === 'not tested') return judged;
  const gist = `${capitalise(flaw)}, so there is no verdict.`;
  return {
    ...judged,
    verdict: 'inconclusive',
    measured: null,
    low: null,
    high: null,
    predictedRange: null,
    gist,
    asked: (judged.asked ?? []).map(one => ({ ...one, state: 'flawed' })),
    reason: `${gist} From the figures alone it would be ${judged.verdict}: ${judged.reason}`,
  };
}

function verdictOn({ claim: { id, statement, predicted, suite }, judgement: judged }: Judged): ClaimResult {
  const { lacksArms, asked: _, measured, low, high, ...judgement } = judged;
  const where = lacksArms ? ` configs/claims/${suite}.json tests it.` : '';
  const reason = judgement.reason + where;
  // A short reason is its own gist.
  return {
    ...{ id, statement, predicted, measured: finite(measured), low: finite(low), high: finite(high) },
    ...judgement,
    reason,
    gist: judgement.gist || reason,
  };
}

/** Also null if the ratio is unbounded because an arm completed nothing in too many rounds. */
function finite(figure: number | null): number | null {
  return figure !== null && Number.isFinite(figure) ? figure : null;
}
