import type { ScenarioResult } from '../result.ts';
import { clientCpu, p99, throughput } from '../stats/measures.ts';
import { clearlyLess, clearlyMore } from '../stats/statistics.ts';
import { formatPlural } from '../text/format.ts';
import { judgeFindings, type OwnRuleClaim, type PredictingClaim } from './claim.ts';
import { type ArmPair, compareArms, isSteady, pairArms } from './judging/arms.ts';
import { atLeast, atMost, findSetting, predictRatios } from './judging/prediction.ts';

const isSingle = (arm: ScenarioResult) => isSteady(arm) && arm.pools === 1 && arm.pipeline === 1;

/**
 * C24. Redis recommends node-redis for new projects. The source report uses another client and does not mention it. The
 * client's CPU time per operation is judged, because throughput would hide it if the server is the limit. Each client
 * is used as installed, in the same pool. The arms have different clients, so together they are one setting.
 */
export const nodeRedisCosts: OwnRuleClaim = {
  id: 'C24',
  statement: 'node-redis costs less than ioredis.',
  predicted:
    'no prediction: the source report has another client. Judged: client CPU per operation at least 5 % lower, in equal pools without clientOptions',
  suite: 'clients',
  judge(evidence) {
    const pairs = pairClients(evidence.scenarios);
    const predictions = predictRatios(pairs, 'node-redis to ioredis', [[clientCpu, atMost(clearlyLess)]]);
    const findings = findSetting('both clients', { predictions, open: [], proof: () => null });
    return judgeFindings(evidence, findings, {
      needs: 'node-redis and ioredis, both without clientOptions, in otherwise equal pools',
      caveat: () =>
        'Only for single GET and SET of small values, and for these versions of the clients: clientOptions can change what a client costs.',
      context: scenarios => compareArms(pairClients(scenarios), [throughput, p99]),
    });
  },
};

function pairClients(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const asInstalled = scenarios.filter(
    arm => isSingle(arm) && !arm.autoPipelining && Object.keys(arm.clientOptions ?? {}).length === 0,
  );
  return pairArms(asInstalled, {
    isBase: ({ client }) => client === 'ioredis',
    isOther: ({ client }) => client === 'node-redis',
    differ: ['client'],
  });
}

/** Min workers on one connection at which enough commands share a turn of the event loop to be worth joining. */
const minCallers = 10;

/**
 * C25. Auto-pipelining joins the commands that callers of one connection send in one turn of the event loop. It can
 * therefore only pay off if several callers share a connection, and each level of workers is judged separately.
 */
export const autoPipelining: PredictingClaim = {
  id: 'C25',
  statement: `Auto-pipelining pays off from ${minCallers} callers on one connection, and costs a single caller nothing.`,
  predicted: `no prediction: the source report does not mention it. Judged on one shared connection: at least 5 % more throughput from ${minCallers} workers on, at most 5 % less for 1`,
  suite: 'auto-pipelining',
  needs: `a shared pool of 1 connection with autoPipelining and one without, for 1 worker, or for ${minCallers} or more`,
  predictions: scenarios =>
    pairJudged(scenarios).flatMap(pair => {
      const { workers } = pair.other;
      const callers = `${formatPlural(workers, 'worker')} on one connection`;
      const range = atLeast(workers === 1 ? clearlyLess : clearlyMore);
      return predictRatios([pair], `auto-pipelining to none, ${callers}`, [[throughput, range]]);
    }),
  open(scenarios) {
    const levels = pairJudged(scenarios).map(({ other }) => other.workers);
    if (levels.length === 0) return [];
    return [
      ...(levels.includes(1)
        ? []
        : ['The run has no arms of 1 worker, so the cost to a single caller is not tested.']),
      ...(levels.some(workers => workers >= minCallers)
        ? []
        : [`The run has no arms of ${minCallers} workers or more, so the gain is not tested.`]),
    ];
  },
  caveat: () => 'Only for single GET and SET of small values.',
  context: scenarios => compareArms(pairJoined(scenarios), [p99, clientCpu]),
};

/** The levels of workers that the claim is about. */
function pairJudged(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairJoined(scenarios).filter(({ other }) => other.workers === 1 || other.workers >= minCallers);
}

function pairJoined(scenarios: readonly ScenarioResult[]): ArmPair[] {
  const arms = scenarios.filter(arm => isSingle(arm) && arm.pool === 'shared' && arm.connections === 1);
  return pairArms(arms, {
    isBase: arm => !arm.autoPipelining,
    isOther: arm => arm.autoPipelining,
    differ: ['autoPipelining'],
  });
}
