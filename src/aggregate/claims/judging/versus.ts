import { isDeepStrictEqual } from 'node:util';
import type { Result, ScenarioResult } from '../../result.ts';
import { p95, throughput } from '../../stats/measures.ts';
import { formatList, toOneLine } from '../../text/format.ts';
import type { Evidence, Judgement } from '../claim.ts';
import { type ArmPair, armsOf, compareArms, isMeasured, pairArms, ratioOf } from './arms.ts';
import { untested } from './judge-predictions.ts';
import { type Prediction, predictRatio, type Range } from './prediction.ts';

/** Workers that only send and wait, in any pools and batches. */
export function isUndisturbed({ arrival, batch, cutEveryMs, burst }: ScenarioResult): boolean {
  return arrival.kind === 'closed' && batch.pool === 'none' && cutEveryMs === 0 && !burst;
}

export const isLimitedByServer = ({ limitedBy }: ScenarioResult) => limitedBy.resource === 'server';
const isLimitedByClient = ({ limitedBy }: ScenarioResult) => limitedBy.resource === 'client';

/** What a pair's ratio says of its servers. One behind a saturated client could have done more than it was seen to. */
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
  const { ratio } = ratioOf(pair, throughput.figure);
  if (bound === 'at least') return ratio !== null && ratio.low > (high ?? low ?? Number.POSITIVE_INFINITY);
  if (bound === 'at most') return ratio !== null && ratio.high < (low ?? high ?? Number.NEGATIVE_INFINITY);
  return bound !== null;
}

/** Predicts the throughput of one pair that decides, and says if it is a bound. */
export function predictBeside(pair: ArmPair, server: string, range: Range): Prediction {
  const bound = boundOf(pair);
  const held = bound === 'at least' ? server : 'Redis';
  const how = bound === 'as it is' ? '' : `, ${bound}, as the client held ${held} back`;
  return predictRatio(throughput, [pair], `${server} to Redis ${sayLoad(pair.other)}${how}`, range);
}

/** An interrupted run has scenarios without a round. */
export const isPairMeasured = ({ base, other }: ArmPair) => isMeasured(base) && isMeasured(other);

/** "with wire in optimized pools at 50 workers in batches of 100". */
function sayLoad({ client, pool, workers, pipeline }: ScenarioResult): string {
  const batches = pipeline === 1 ? '' : ` in batches of ${pipeline}`;
  return `with ${client} in ${pool} pools at ${workers} workers${batches}`;
}

/** Why what differs between these sides is more than the server, as a clause; null if it is not. */
export function findUnfairness({ results: [redis, other] }: Sides): string | null {
  const { server } = other.target.detected;
  if (redis.target.local !== other.target.local) {
    const [near, far] = redis.target.local ? ['redis', server] : [server, 'redis'];
    return `${near} shared the machine with poolbench and ${far} did not`;
  }
  const machines = [redis, other].map(({ environment }) =>
    toOneLine(`${environment.cpu} with ${environment.cores} cores`),
  );
  if (machines[0] !== machines[1]) {
    return `poolbench ran on ${machines[0]} for redis and on ${machines[1]} for ${server}`;
  }
  return findUnequalWriting(redis, other);
}

/** Why the servers had not the same number of threads, as a clause; null if they had, or one does not tell. */
export function findUnequalThreads({ results: [redis, other] }: Sides): string | null {
  const [ofRedis, ofOther] = [redis.target.detected.threads, other.target.detected.threads];
  if (ofRedis === null || ofOther === null || ofRedis === ofOther) return null;
  return `redis had ${ofRedis} and ${other.target.detected.server} ${ofOther} server threads`;
}

function findUnequalWriting(redis: Result, other: Result): string | null {
  const [ofRedis, ofOther] = [persistenceOf(redis), persistenceOf(other)];
  if (ofRedis === null || ofOther === null || isDeepStrictEqual(ofRedis, ofOther)) return null;
  const say = (writes: readonly string[]) =>
    writes.length === 0 ? 'wrote nothing to disk' : `wrote to disk (${toOneLine(writes.join(', '))})`;
  return `redis ${say(ofRedis)} and ${other.target.detected.server} ${say(ofOther)}`;
}

/** What the server writes to disk, in words; null where that is not known. */
function persistenceOf({ target }: Result): readonly string[] | null {
  return target.detected.persistence?.toSorted() ?? null;
}

/** What limited these arms, each resource once. */
export function limitsOf(arms: readonly ScenarioResult[]): string[] {
  return [...new Set(arms.map(({ limitedBy }) => limitedBy.resource))];
}

/** No pair decides anything about the servers, so nothing is said of them; what was measured is shown all the same. */
export function notOfTheServers(pairs: readonly ArmPair[], sides: Sides): Judgement {
  const limits = limitsOf(armsOf(pairs));
  const unfair = findUnfairness(sides);
  return {
    ...untested(
      `No arm that could be judged was limited by the servers on both sides, and no bound from one side decides; what limited the arms: ${formatList(limits)}${unfair === null ? '' : `; and ${unfair}`}.`,
    ),
    verdict: 'inconclusive',
    limitedBy: limits,
    comparisons: showBoth(pairs),
  };
}

/** Throughput and p95 of these pairs, as context. */
export function showBoth(pairs: readonly ArmPair[]): Judgement['comparisons'] {
  return pairs.flatMap(pair => [...compareArms(pair, throughput, null), ...compareArms(pair, p95, null)]);
}

/** The scenarios of Redis and another server, the target, measured in turn: rounds of one number are pairs. */
export interface Sides extends Evidence {
  readonly ofRedis: ReadonlySet<ScenarioResult>;
  /** Redis first. */
  readonly results: readonly [Result, Result];
}

/** Why a run of one server is no test of a claim about two. */
export const takesTwoServers = 'It takes two servers, measured in turn: poolbench versus CONFIG CONFIG.';

/** The sides of Redis and `server` among these results, or why there are none, as a sentence. */
export function findSides(results: readonly Result[], server: 'valkey' | 'dragonfly'): Sides | string {
  const [redis, ...otherRedis] = results.filter(result => isReal(result, 'redis'));
  const [other, ...others] = results.filter(result => isReal(result, server));
  if (redis === undefined) return sayMissing(results, 'redis');
  if (other === undefined) return sayMissing(results, server);
  if (otherRedis.length > 0) return saySeveral('redis', [redis, ...otherRedis]);
  if (others.length > 0) return saySeveral(server, [other, ...others]);
  if (redis.session === undefined || redis.session !== other.session) {
    return 'The two servers were not measured in turn by one run (poolbench versus), so their rounds are no pairs.';
  }
  const ofRedis = named(redis);
  const scenarios = [...ofRedis, ...named(other)];
  return { target: other.target, scenarios, ofRedis: new Set(ofRedis), results: [redis, other] };
}

/** Every scenario of Redis that `isWanted`, with its equal on the other server. */
export function pairSides(
  scenarios: readonly ScenarioResult[],
  { ofRedis }: Sides,
  isWanted: (scenario: ScenarioResult) => boolean,
): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => ofRedis.has(scenario) && isWanted(scenario),
    isOther: scenario => !ofRedis.has(scenario) && isWanted(scenario),
    differ: [],
  });
}

function isReal({ target }: Result, server: string): boolean {
  return target.detected.server === server && !target.standIn;
}

/** Scenarios of both sides have the same ids, so the server goes before. */
function named({ scenarios, target: { detected } }: Result): ScenarioResult[] {
  return scenarios.map(scenario => ({ ...scenario, id: `${detected.server}: ${scenario.id}` }));
}

function saySeveral(server: string, sides: readonly Result[]): string {
  const names = formatList(sides.map(({ name }) => toOneLine(name)));
  return `Several sides are ${server} (${names}), and which of them to judge is not ours to choose; compare two of the results: poolbench compare A B.`;
}

function sayMissing(results: readonly Result[], server: string): string {
  const declared = results.find(({ target }) => target.declared.server === server);
  if (declared === undefined) return `No side of the comparison is ${server}. ${takesTwoServers}`;
  const answered = toOneLine(`${declared.target.detected.server} ${declared.target.detected.version}`);
  return `A config declares ${server}, but ${answered} answered in its place, so nothing is said of ${server}.`;
}
