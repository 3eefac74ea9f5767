import { isDeepStrictEqual } from 'node:util';
import type { Comparison, ScenarioResult, Verdict } from '../../result.ts';
import { withoutControls } from '../../stats/control.ts';
import { p95, throughput } from '../../stats/measures.ts';
import { formatList, formatPlural } from '../../text/format.ts';
import { describeMasters, describeSocket } from '../../text/target-words.ts';
import {
  type Evidence,
  type Judgement,
  judgeFindings,
  type TwoServerClaim,
  untested,
  type VersusSide,
} from '../claim.ts';
import { type ArmPair, compareArms, isMeasured, isSteady, pairArms } from './arms.ts';
import { agree, findSetting, type Prediction } from './prediction.ts';

/** The scenarios of Redis and another server, the target, measured in turn: rounds of one number are pairs. */
export interface ServerPair extends Evidence {
  readonly ofRedis: ReadonlySet<ScenarioResult>;
  /** Redis first. */
  readonly results: readonly [VersusSide, VersusSide];
}

/** Why a run of one server cannot test a claim about two. */
export const takesTwoServers = 'This needs two servers, measured in turn: poolbench versus CONFIG CONFIG.';

const names = { valkey: 'Valkey', dragonfly: 'Dragonfly' } as const;
type Server = keyof typeof names;

/** "Valkey": the name of the server that is compared with Redis. */
export function nameOfOther({ target }: ServerPair): string {
  return names[target.detected.server as Server] ?? target.detected.server;
}

/**
 * Redis paired with `server`, once for each of its numbers of threads, or why there is no such pair, as a sentence.
 */
function pairServers(results: readonly VersusSide[], server: Server): ServerPair[] | string {
  const [redis, ...otherRedis] = results.filter(result => isReal(result, 'redis'));
  const others = results.filter(result => isReal(result, server));
  if (redis === undefined) return describeMissing(results, 'redis');
  if (others.length === 0) return describeMissing(results, server);
  if (otherRedis.length > 0) return describeSeveral('redis', [redis, ...otherRedis]);
  const threads = new Set(others.map(({ target }) => target.detected.threads));
  if (threads.size < others.length) return describeSeveral(server, others);
  if (redis.session === undefined || others.some(({ session }) => session !== redis.session)) {
    return 'The two servers were not measured in turn by one run (poolbench versus), so their rounds cannot be paired.';
  }
  return others.map(other => {
    const ofRedis = labelScenarios(redis, 'redis');
    const label = others.length === 1 ? server : `${server}, ${describeThreads(other)}`;
    const scenarios = [...ofRedis, ...labelScenarios(other, label)];
    return { target: other.target, scenarios, ofRedis: new Set(ofRedis), results: [redis, other] };
  });
}

function isReal({ target }: VersusSide, server: string): boolean {
  return target.detected.server === server && !target.standIn;
}

/** Scenarios of both sides have the same ids, so the label of the side is put before them. */
function labelScenarios(result: VersusSide, side: string): ScenarioResult[] {
  return withoutControls(result).map(scenario => ({ ...scenario, id: `${side}: ${scenario.id}` }));
}

function describeThreads({ target: { detected } }: Pick<VersusSide, 'target'>): string {
  const { threads } = detected;
  return threads === null ? 'an unknown number of server threads' : formatPlural(threads, 'server thread');
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

/** How a claim compares Redis with another server. */
interface ServerPairDesign {
  /** The arms that both sides must have, as text. */
  readonly needs: string;
  /** The claim's predictions for these sides, the main one first. */
  readonly predictions: (sides: ServerPair) => readonly Prediction[];
  /** Each part of the claim that these sides cannot decide, as sentences. A claim with such a part is not supported. */
  readonly open: (sides: ServerPair) => readonly string[];
  /** Why the sides are not comparable, beyond `findUnfairness`, as a clause; null if they are. */
  readonly proof?: (sides: ServerPair) => string | null;
  readonly remarks?: (sides: ServerPair) => readonly string[];
}

/** How a claim about Redis and `server` reads the results of a `versus`: its predictions and the verdict. */
export function designForSides(server: Server, design: ServerPairDesign): Pick<TwoServerClaim, 'judgeSides'> {
  return {
    judgeSides(results) {
      const found = pairServers(results, server);
      return typeof found === 'string' ? untested(found) : judgeEach(design, found);
    },
  };
}

/**
 * Several numbers of threads: each alone can support the claim, so they share the chance of error, and only together
 * can they refute it.
 */
function judgeEach(design: ServerPairDesign, found: readonly ServerPair[]): Judgement {
  const judged = found.map(sides => judge(design, sides, found.length));
  const [only] = judged;
  if (only === undefined || judged.length === 1) return only?.judgement ?? untested(takesTwoServers);
  const verdicts = judged.map(({ judgement }) => judgement.verdict);
  const verdict: Verdict = verdicts.includes('supported') ? 'supported' : agree(verdicts);
  const decided = judged.filter(({ judgement }) => judgement.verdict === verdict);
  const [{ sides, judgement } = only] = (decided.length > 0 ? decided : judged).toSorted(
    (a, b) => b.speed - a.speed,
  );
  const label = (of: ServerPair, text: string) => `With ${describeThreads(of)}: ${text}`;
  return {
    ...judgement,
    verdict,
    gist: label(sides, judgement.gist || judgement.reason),
    reason: judged.map(one => label(one.sides, one.judgement.reason)).join(' '),
    limitedBy: [...new Set(judged.flatMap(one => one.judgement.limitedBy))],
    comparisons: judged.flatMap(one => one.judgement.comparisons),
    // One number of threads that supports the claim answers it.
    asked: judged.flatMap(one =>
      (one.judgement.asked ?? []).map(asked =>
        verdict === 'supported' && asked.state === 'open' ? { ...asked, state: 'decided' as const } : asked,
      ),
    ),
  };
}

/** @param settings how many numbers of threads share the chance of error */
function predict(design: ServerPairDesign, sides: ServerPair, settings: number): readonly Prediction[] {
  const predictions = design.predictions(sides);
  if (settings === 1) return predictions;
  const chances = { above: settings, below: settings };
  return predictions.map(prediction => ({ ...prediction, chances }));
}

/** One number of threads, judged, and the median of the figure that the claim is named for: 0 without one. */
interface JudgedPair {
  readonly sides: ServerPair;
  readonly judgement: Judgement;
  readonly speed: number;
}

/** A claim about servers is one setting, whatever clients its parts were measured with. */
function judge(design: ServerPairDesign, sides: ServerPair, settings: number): JudgedPair {
  const predictions = predict(design, sides, settings);
  const findings = findSetting(nameOfOther(sides), {
    predictions,
    open: design.open(sides),
    proof: () => findUnfairness(sides) ?? design.proof?.(sides) ?? null,
  });
  const judgement = judgeFindings(sides, findings, {
    needs: design.needs,
    remarks: () => design.remarks?.(sides) ?? [],
    context: () => compareBeside(sides, predictions),
  });
  return { sides, judgement, speed: predictions[0]?.series.interval().median ?? 0 };
}

/** Throughput and p95 of every arm on both servers, as far as it is not judged. */
function compareBeside(sides: ServerPair, predictions: readonly Prediction[]): Comparison[] {
  const judged = new Set(
    predictions.flatMap(({ comparisons }) => comparisons.map(({ base, other }) => `${base} ${other}`)),
  );
  const pairs = pairUndisturbed(sides).filter(({ base, other }) => !judged.has(`${base.id} ${other.id}`));
  return compareArms(pairs, [throughput, p95]);
}

/** Every scenario of Redis that `isWanted`, with its equal on the other server. */
export function pairSides(
  { scenarios, ofRedis }: ServerPair,
  isWanted: (scenario: ScenarioResult) => boolean,
): ArmPair[] {
  return pairArms(scenarios.filter(isWanted), {
    isBase: scenario => ofRedis.has(scenario),
    isOther: scenario => !ofRedis.has(scenario),
    differ: [],
  });
}

/** The pairs in which workers only send and wait, in any pools and batches, as far as both arms were measured. */
export function pairUndisturbed(sides: ServerPair): ArmPair[] {
  const pairs = pairSides(sides, scenario => isSteady(scenario) && !scenario.burst);
  return pairs.filter(({ base, other }) => isMeasured(base) && isMeasured(other));
}

/** Why these sides differ in more than the server, as a clause; null if they do not. */
function findUnfairness({ results: [redis, other] }: ServerPair): string | null {
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
  const [masters, otherMasters] = [redis, other].map(({ target }) => describeMasters(target.detected));
  if (masters !== otherMasters) return `redis was ${masters}, and ${server} was ${otherMasters}`;
  const [socket, otherSocket] = [redis, other].map(({ target }) => describeSocket(target));
  if (socket !== otherSocket)
    return `the load reached redis over ${socket}, and ${server} over ${otherSocket}`;
  const [writes, otherWrites] = [redis, other].map(({ target }) => target.detected.persistence?.toSorted());
  if (!writes || !otherWrites || isDeepStrictEqual(writes, otherWrites)) return null;
  return `redis ${describeWrites(writes)} and ${server} ${describeWrites(otherWrites)}`;
}

function describeWrites(writes: readonly string[]): string {
  return writes.length === 0 ? 'wrote nothing to disk' : `wrote to disk (${writes.join(', ')})`;
}

/** Why the servers' numbers of threads differ, as a clause; null if they are equal, or if one is not known. */
export function findUnequalThreads({ results: [redis, other] }: ServerPair): string | null {
  const { server, threads } = other.target.detected;
  const ofRedis = redis.target.detected.threads;
  if (ofRedis === null || threads === null || ofRedis === threads) return null;
  return `redis had ${ofRedis} and ${server} ${threads} server threads`;
}
