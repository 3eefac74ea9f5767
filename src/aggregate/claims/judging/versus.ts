import { isDeepStrictEqual } from 'node:util';
import type { Comparison, ScenarioResult } from '../../result.ts';
import { withoutControls } from '../../stats/control.ts';
import { p95, throughput } from '../../stats/measures.ts';
import { formatList } from '../../text/format.ts';
import { type Evidence, type Judgement, untested, type VersusSide } from '../claim.ts';
import {
  type ArmPair,
  armsOf,
  compareArms,
  isMeasured,
  isSteady,
  limitsOf,
  pairArms,
  ratioOf,
} from './arms.ts';
import { type Prediction, predictRatios, type Range } from './prediction.ts';

/** The scenarios of Redis and another server, the target, measured in turn: rounds of one number are pairs. */
export interface Sides extends Evidence {
  readonly ofRedis: ReadonlySet<ScenarioResult>;
  /** Redis first. */
  readonly results: readonly [VersusSide, VersusSide];
}

/** Why a run of one server is no test of a claim about two. */
export const takesTwoServers = 'It takes two servers, measured in turn: poolbench versus CONFIG CONFIG.';

/** The sides of Redis and `server` among these results, or why there are none, as a sentence. */
export function findSides(results: readonly VersusSide[], server: 'valkey' | 'dragonfly'): Sides | string {
  const [redis, ...otherRedis] = results.filter(result => isReal(result, 'redis'));
  const [other, ...others] = results.filter(result => isReal(result, server));
  if (redis === undefined) return describeMissing(results, 'redis');
  if (other === undefined) return describeMissing(results, server);
  if (otherRedis.length > 0) return describeSeveral('redis', [redis, ...otherRedis]);
  if (others.length > 0) return describeSeveral(server, [other, ...others]);
  if (redis.session === undefined || redis.session !== other.session) {
    return 'The two servers were not measured in turn by one run (poolbench versus), so their rounds cannot be paired.';
  }
  const ofRedis = withServer(redis);
  const scenarios = [...ofRedis, ...withServer(other)];
  return { target: other.target, scenarios, ofRedis: new Set(ofRedis), results: [redis, other] };
}

function isReal({ target }: VersusSide, server: string): boolean {
  return target.detected.server === server && !target.standIn;
}

/** Scenarios of both sides have the same ids, so the name of the server is put before them. */
function withServer(result: VersusSide): ScenarioResult[] {
  const { server } = result.target.detected;
  return withoutControls(result).map(scenario => ({ ...scenario, id: `${server}: ${scenario.id}` }));
}

function describeSeveral(server: string, sides: readonly VersusSide[]): string {
  const names = formatList(sides.map(({ name }) => name));
  return `Several sides are ${server} (${names}), and it is not clear which of them to judge; compare two of the results: poolbench compare A B.`;
}

function describeMissing(results: readonly VersusSide[], server: string): string {
  const declared = results.find(({ target }) => target.declared.server === server);
  if (declared === undefined) return `No side of the comparison is ${server}. ${takesTwoServers}`;
  const { detected } = declared.target;
  return `A config declares ${server}, but ${detected.server} ${detected.version} answered in its place, so there is no verdict on ${server}.`;
}

/** Every scenario of Redis that `isWanted`, with its equal on the other server. */
export function pairSides(
  { scenarios, ofRedis }: Sides,
  isWanted: (scenario: ScenarioResult) => boolean,
): ArmPair[] {
  return pairArms(scenarios.filter(isWanted), {
    isBase: scenario => ofRedis.has(scenario),
    isOther: scenario => !ofRedis.has(scenario),
    differ: [],
  });
}

/** The pairs in which workers only send and wait, in any pools and batches, as far as both arms were measured. */
export function pairUndisturbed(sides: Sides): ArmPair[] {
  const pairs = pairSides(sides, scenario => isSteady(scenario) && !scenario.burst);
  return pairs.filter(({ base, other }) => isMeasured(base) && isMeasured(other));
}

export const isLimitedByServer = ({ limitedBy }: ScenarioResult) => limitedBy.resource === 'server';
const isLimitedByClient = ({ limitedBy }: ScenarioResult) => limitedBy.resource === 'client';

/** What a pair's ratio shows about its servers. A server behind a saturated client could have done more. */
function boundOf({ base, other }: ArmPair): 'as it is' | 'at least' | 'at most' | null {
  if (isLimitedByServer(base) && isLimitedByServer(other)) return 'as it is';
  if (isLimitedByServer(base) && isLimitedByClient(other)) return 'at least';
  return isLimitedByClient(base) && isLimitedByServer(other) ? 'at most' : null;
}

/**
 * Whether a pair's throughput decides if the servers' ratio is in this range: where the server was the limit on both
 * sides; a lower bound if it lies above the range's far end, and an upper bound if it lies below the near one. So a lower
 * bound can hold "×1.2 or more" and fail "×0.95 to ×1.05"; it does not do the contrary. One that decides nothing is no
 * prediction, and is not counted as a chance to err.
 */
export function decides(pair: ArmPair, { low, high }: Range): boolean {
  const bound = boundOf(pair);
  const { ratio } = ratioOf(pair, throughput);
  if (bound === 'at least') return ratio !== null && ratio.low > (high ?? low ?? Number.POSITIVE_INFINITY);
  if (bound === 'at most') return ratio !== null && ratio.high < (low ?? high ?? Number.NEGATIVE_INFINITY);
  return bound !== null;
}

/** Predicts the throughput of one pair that decides, and says if it is a bound. */
export function predictBeside(pair: ArmPair, server: string, range: Range): Prediction[] {
  const bound = boundOf(pair);
  const held = bound === 'at least' ? server : 'Redis';
  const how = bound === 'as it is' ? '' : `, ${bound}, as the client held ${held} back`;
  const { client, pool, workers, pipeline } = pair.other;
  const batches = pipeline === 1 ? '' : ` in batches of ${pipeline}`;
  const load = `with ${client} in ${pool} pools at ${workers} workers${batches}`;
  return predictRatios([pair], `${server} to Redis ${load}${how}`, [[throughput, range]]);
}

/** Why what differs between these sides is more than the server, as a clause; null if it is not. */
export function findUnfairness({ results: [redis, other] }: Sides): string | null {
  const { server } = other.target.detected;
  if (redis.target.local !== other.target.local) {
    const [near, far] = redis.target.local ? ['redis', server] : [server, 'redis'];
    return `${near} shared the machine with poolbench and ${far} did not`;
  }
  const [machine, otherMachine] = [redis, other].map(
    ({ environment }) => `${environment.cpu} with ${environment.cores} cores`,
  );
  if (machine !== otherMachine)
    return `poolbench ran on ${machine} for redis and on ${otherMachine} for ${server}`;
  const [writes, otherWrites] = [redis, other].map(({ target }) => target.detected.persistence?.toSorted());
  if (!writes || !otherWrites || isDeepStrictEqual(writes, otherWrites)) return null;
  return `redis ${describeWrites(writes)} and ${server} ${describeWrites(otherWrites)}`;
}

function describeWrites(writes: readonly string[]): string {
  return writes.length === 0 ? 'wrote nothing to disk' : `wrote to disk (${writes.join(', ')})`;
}

/** Throughput and p95 of these pairs, as context. */
export const showBoth = (pairs: readonly ArmPair[]): Comparison[] => compareArms(pairs, [throughput, p95]);

/**
 * No pair decides anything about the servers, so there is no verdict on them; what was measured is shown
 * all the same.
 */
export function judgeUndecided(pairs: readonly ArmPair[], sides: Sides): Judgement {
  const limitedBy = limitsOf(armsOf(pairs));
  const unfair = findUnfairness(sides);
  const reason = `No arm that could be judged was limited by the servers on both sides, and no bound from one side decides; what limited the arms: ${formatList(limitedBy)}${unfair === null ? '' : `; and ${unfair}`}.`;
  return { ...untested(reason), verdict: 'inconclusive', limitedBy, comparisons: showBoth(pairs) };
}
