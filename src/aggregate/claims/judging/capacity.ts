import type { ScenarioResult } from '../../result.ts';
import { machineCores, minNeighbourCores, neighbourCores } from '../../stats/interference.ts';
import { type Measure, p95, throughput } from '../../stats/measures.ts';
import { RoundSeries } from '../../stats/round-series.ts';
import { medianOfKnown } from '../../stats/statistics.ts';
import {
  excludesNothing,
  formatCount,
  formatList,
  formatPlural,
  formatRatioInterval,
} from '../../text/format.ts';
import type { VersusSide } from '../claim.ts';
import { type ArmPair, groupBy, ratioOf } from './arms.ts';
import { type Bound, type Prediction, predictRatios, type Range } from './prediction.ts';
import { nameOfOther, pairUndisturbed, type ServerPair } from './versus.ts';

/**
 * Which of two servers can do more, where a server is at its limit. A server below its limit can do more than was
 * measured, so if only one server is at its limit, the ratio is a bound.
 */

/**
 * The servers of a pair that are at their limit. Only Redis: the ratio is a lower bound; only the other one: an upper
 * bound.
 */
type AtLimit = 'both' | 'redis' | 'other' | 'none';

function atLimit(sides: ServerPair, pair: ArmPair): AtLimit {
  const [ofRedis, ofOther] = limitsOfPair(sides, pair);
  if (ofRedis === 'server') return ofOther === 'server' ? 'both' : 'redis';
  return ofOther === 'server' ? 'other' : 'none';
}

type Limit = ScenarioResult['limitedBy']['resource'];

/** What limited Redis, and the other server. */
function limitsOfPair(
  { results: [redis, other] }: ServerPair,
  { base, other: arm }: ArmPair,
): [Limit, Limit] {
  return [limitOf(base, redis), limitOf(arm, other)];
}

/**
 * One full thread is a server's limit only if its other threads and the client each have a core; otherwise the machine
 * is the limit.
 */
function limitOf(
  { limitedBy: { resource }, threads }: ScenarioResult,
  { target, environment }: VersusSide,
): Limit {
  const lacksCores = target.local && threadsOf(target) + threads > environment.cores;
  return resource === 'server' && lacksCores ? 'machine' : resource;
}

/** Threads of a server, of all masters of a cluster together. */
const threadsOf = ({ detected }: VersusSide['target']) => (detected.threads ?? 1) * (detected.masters ?? 1);

/** The pairs that can bring a server to its limit: those of wire, the cheapest client, unless the run has none. */
export function pairForCapacity(sides: ServerPair, minWorkers = 1): ArmPair[] {
  const pairs = pairUndisturbed(sides).filter(
    ({ other }) => other.pool === 'optimized' && other.workers >= minWorkers,
  );
  const ofWire = pairs.filter(({ other }) => other.client === 'wire');
  return ofWire.length > 0 ? ofWire : pairs;
}

/**
 * Predicts throughput and p95 from the pairs with both servers at their limit; without such pairs, from those that give
 * a bound.
 */
export function predictCapacity(
  sides: ServerPair,
  pairs: readonly ArmPair[],
  expected: { readonly throughput: Range; readonly p95: Range },
): Prediction[] {
  const groups = groupBy(pairs, pair => atLimit(sides, pair));
  const exact = groups.filter(([at]) => at === 'both');
  return (exact.length > 0 ? exact : groups).flatMap(([at, ofLimit]) => {
    if (at === 'none') return [];
    const where = `${nameOfOther(sides)} to Redis ${describeLoad(ofLimit)}${describeBound(sides, ofLimit, at)}`;
    const predicted = predictRatios(ofLimit, where, [
      [throughput, expected.throughput],
      [p95, expected.p95],
    ]);
    return predicted.map(prediction =>
      at === 'both' ? prediction : { ...prediction, bound: boundOf(at, prediction.measure) },
    );
  });
}

/** A server that could do more could have a higher throughput and shorter latencies. */
function boundOf(at: 'redis' | 'other', { better }: Measure): Bound {
  return (at === 'redis') === (better === 'more') ? 'lower' : 'upper';
}

/** "with wire in batches of 10". */
function describeLoad(pairs: readonly ArmPair[]): string {
  const arms = pairs.map(({ other }) => other);
  const list = (values: readonly (string | number)[]) => formatList([...new Set(values)].map(String));
  const sizes = arms.map(({ pipeline }) => pipeline);
  const batches = sizes.some(size => size > 1) ? ` in batches of ${list(sizes)}` : '';
  const [only] = arms;
  const workers =
    only !== undefined && arms.length === 1 ? ` at ${formatPlural(only.workers, 'worker')}` : '';
  return `with ${list(arms.map(({ client }) => client))}${batches}${workers}`;
}

function describeBound(sides: ServerPair, pairs: readonly ArmPair[], at: AtLimit): string {
  if (at === 'both') return '';
  const server = at === 'redis' ? nameOfOther(sides) : 'Redis';
  const limits = new Set(
    pairs.map(pair => {
      const [ofRedis, ofOther] = limitsOfPair(sides, pair);
      return at === 'redis' ? ofOther : ofRedis;
    }),
  );
  return ` (a bound, as ${server} was not at its limit: ${formatList([...limits])})`;
}

/** Says that the servers cannot be compared because none was at its limit; empty if one was, or without pairs. */
export function describeOpenCapacity(sides: ServerPair, pairs: readonly ArmPair[]): string[] {
  if (pairs.length === 0 || pairs.some(pair => atLimit(sides, pair) !== 'none')) return [];
  const series = RoundSeries.combine(pairs.map(pair => ratioOf(pair, throughput).series));
  const limits = new Set(pairs.flatMap(pair => limitsOfPair(sides, pair)));
  const ratio = series.interval();
  const figure = excludesNothing(ratio) ? '' : ` (${formatRatioInterval(ratio)} in throughput)`;
  return [
    `No arm brought Redis or ${nameOfOther(sides)} to its limit (limited by ${formatList([...limits])}), so the figures${figure} do not compare the servers.`,
    ...describeCores(sides, pairs),
  ];
}

/** The cores needed to measure more than a bound; empty if both servers were at their limit. */
export function describeCoresBeyondBound(sides: ServerPair, pairs: readonly ArmPair[]): string[] {
  const limits = pairs.map(pair => atLimit(sides, pair));
  const isBound = !limits.includes('both') && limits.some(at => at !== 'none');
  return isBound ? describeCores(sides, pairs) : [];
}

/**
 * The cores needed to bring both servers of a pair to their limit, as a sentence: one for each of a server's threads,
 * and what the client needs while they are all busy, estimated from the CPU time that both used here.
 */
function describeCores(sides: ServerPair, pairs: readonly ArmPair[]): string[] {
  const [needed] = pairs
    .map(pair => coresFor(sides, pair))
    .toSorted((a, b) => a.server + a.client - (b.server + b.client));
  return needed === undefined ? [] : [describeNeed(sides, needed)];
}

interface Cores {
  readonly server: number;
  readonly client: number;
  /** Threads that the client had. */
  readonly threads: number;
}

function coresFor({ results: [redis, other] }: ServerPair, pair: ArmPair): Cores {
  const ofArms = [coresOf(pair.base, redis), coresOf(pair.other, other)];
  return {
    server: Math.max(...ofArms.map(({ server }) => server)),
    client: Math.max(...ofArms.map(({ client }) => client)),
    threads: pair.other.threads,
  };
}

function coresOf(arm: ScenarioResult, { target }: VersusSide): Cores {
  const server = threadsOf(target);
  const perServerCore = medianOfKnown(
    arm.rounds.map(({ cpu }) => (cpu.serverCores ? cpu.clientCores / cpu.serverCores : null)),
  );
  const client = Math.max(arm.threads, Math.ceil((perServerCore ?? 0) * server));
  return { server, client, threads: arm.threads };
}

/** The cores of arms that were limited only by missing cores. */
export function describeMissingCores(sides: ServerPair, arms: readonly ScenarioResult[]): string {
  const threads = Math.max(...arms.map(arm => arm.threads));
  const server = Math.max(...sides.results.map(({ target }) => threadsOf(target)));
  return describeNeed(sides, { server, client: threads, threads });
}

function describeNeed({ results }: ServerPair, { server, client, threads }: Cores): string {
  const [redis] = results;
  const { local } = redis.target;
  const total = local ? server + client : client;
  const had = client > threads ? `, of which these arms had ${threads}` : '';
  const parts = `${formatPlural(client, 'client thread')}${had}`;
  const split = local ? `${formatPlural(server, 'server thread')} and ${parts}` : parts;
  const taken = medianOfKnown(
    results.flatMap(result =>
      result.scenarios.flatMap(({ rounds }) => rounds.map(round => neighbourCores(round, result))),
    ),
  );
  const neighbours =
    taken === null || taken < minNeighbourCores ? '' : `, of which other programs used ${taken.toFixed(1)}`;
  const cores = formatCount(machineCores(redis.environment));
  return `A verdict needs about ${formatPlural(total, 'core')} that no other program uses (${split}); this machine has ${cores}${neighbours}.`;
}
