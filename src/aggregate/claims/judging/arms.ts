import type { Comparison, ScenarioResult } from '../../result.ts';
import { armKey, isUsual, type ScenarioKey } from '../../scenario/scenario.ts';
import { type Measure, throughput } from '../../stats/measures.ts';
import type { PairedRatio } from '../../stats/paired-ratio.ts';
import { endsOfFigure, pairByRound, wholeRounds } from '../../stats/rounds.ts';
import { median } from '../../stats/statistics.ts';
import { caveatFor, isRange } from '../../stats/tails.ts';
import { sourceReport } from '../source-report.ts';

/** Two scenarios that differ only in what a claim is about. */
export interface ArmPair {
  readonly base: ScenarioResult;
  readonly other: ScenarioResult;
}

/**
 * Pairs every scenario of `isOther` with the scenario of `isBase` that equals it in all dimensions except those of
 * `differ`, in the order of `scenarios`. Scenarios without an equal are left out.
 */
export function pairArms(
  scenarios: readonly ScenarioResult[],
  {
    isBase,
    isOther,
    differ,
  }: {
    readonly isBase: (scenario: ScenarioResult) => boolean;
    readonly isOther: (scenario: ScenarioResult) => boolean;
    readonly differ: readonly ScenarioKey[];
  },
): ArmPair[] {
  const keyOf = (scenario: ScenarioResult) => armKey(scenario, differ);
  const bases = new Map<string, ScenarioResult>();
  for (const scenario of scenarios) {
    if (!isBase(scenario)) continue;
    const key = keyOf(scenario);
    if (!bases.has(key)) bases.set(key, scenario);
  }
  return scenarios.flatMap(other => {
    const base = isOther(other) ? bases.get(keyOf(other)) : undefined;
    return base === undefined || base === other ? [] : [{ base, other }];
  });
}

/** A scenario of several pools (`other`) and its equal of one pool, with the ratio of their throughputs. */
export interface PoolsPair extends ArmPair {
  readonly throughput: PairedRatio;
}

/**
 * Pairs every scenario of several pools, in any number of threads, with its equal of one pool, if there is one, in the order
 * of `scenarios`.
 */
export function pairWithOnePool(scenarios: readonly ScenarioResult[]): PoolsPair[] {
  return pairArms(scenarios, {
    isBase: ({ pools }) => pools === 1,
    isOther: ({ pools }) => pools > 1,
    differ: ['pools', 'poolsPerThread', 'threads'],
  }).map(pair => ({ ...pair, throughput: ratioOf(pair, throughput) }));
}

/** Whether its pools share one thread. */
export const sharesThread = ({ pools, threads }: ScenarioResult) => pools > 1 && threads === 1;

/** Several pools in one thread, compared with one pool: the gain from pools without threads. */
export function pairPools(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: ({ pools }) => pools === 1,
    isOther: sharesThread,
    differ: ['pools', 'poolsPerThread'],
  });
}

/** The same pools with a thread each, compared with one thread: the gain from threads. */
export function pairThreads(scenarios: readonly ScenarioResult[]): ArmPair[] {
  return pairArms(scenarios, {
    isBase: sharesThread,
    isOther: ({ pools, threads }) => pools > 1 && threads === pools,
    differ: ['poolsPerThread', 'threads'],
  });
}

/** Both arms of every pair, each once. */
export function armsOf(pairs: readonly ArmPair[]): ScenarioResult[] {
  return [...new Set(pairs.flatMap(({ base, other }) => [base, other]))];
}

/** other / base of one measure, paired by round. */
export function ratioOf({ base, other }: ArmPair, measure: Measure): PairedRatio {
  return pairByRound(base, other, measure);
}

/** The ratios of these pairs as in result.json; a pair without a common round has none. */
export function compareArms(
  pairs: readonly ArmPair[],
  measures: readonly Measure[],
  predicted: Comparison['predicted'] = null,
): Comparison[] {
  return pairs.flatMap(pair =>
    measures.flatMap(measure => {
      const { ratio, p, series } = ratioOf(pair, measure);
      if (ratio === null) return [];
      const { base, other } = pair;
      const limitedBy = { base: base.limitedBy.resource, other: other.limitedBy.resource };
      const arms = { base: base.id, other: other.id };
      const isStall = [base, other].some(arm => measure.isWorstStall?.(arm) === true);
      const isBound = [base, other].some(({ rounds }) => isRange(endsOfFigure(rounds, measure)));
      const caveat = caveatFor(isBound, isStall);
      const comparison = {
        measure: measure.name,
        ...arms,
        rounds: series.roundsCounted,
        ratio,
        p,
        predicted,
        limitedBy,
      };
      return [caveat === null ? comparison : { ...comparison, caveat }];
    }),
  );
}

/** The settings of a preset, in which presets can differ. */
export const presetKeys = [
  'preset',
  'minIdle',
  'healthTtlMs',
  'connects',
] as const satisfies readonly ScenarioKey[];

/**
 * A pool of a preset as in the source report: a check looks at the socket, and a cached check stays valid
 * for 1 s.
 */
export function isAsReported(scenario: ScenarioResult, preset: string): boolean {
  const { pool, probe, healthTtlMs } = scenario;
  const checks = probe === 'poll' && [0, sourceReport.healthCache.ttlMs].includes(healthTtlMs);
  return isPlain(scenario) && pool === preset && checks;
}

/** Pairs every pool of the preset with its equal `baseline` pool: they differ only in what the presets switch. */
export function pairWithBaseline(scenarios: readonly ScenarioResult[], preset: string): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isAsReported(scenario, 'baseline'),
    isOther: scenario => isAsReported(scenario, preset),
    differ: presetKeys,
  });
}

/**
 * Pairs the arms of the fewest and the most workers, with equal connections per worker and equal minIdle
 * ratios.
 */
export function pairFewWithMany(arms: readonly ScenarioResult[]): ArmPair[] {
  const levels = arms.map(({ workers }) => workers);
  const few = Math.min(...levels);
  const many = Math.max(...levels);
  return groupBy(arms, sizeOf).flatMap(([, ofSize]) =>
    pairArms(ofSize, {
      isBase: ({ workers }) => workers === few,
      isOther: ({ workers }) => workers === many && many > few,
      differ: ['workers', 'connections', 'minIdle'],
    }),
  );
}

/** Connections and minIdle are totals: two scenarios have the same size if these are the same for each worker. */
function sizeOf(scenario: ScenarioResult): string {
  const { connections, minIdle } = scenario;
  return `${connectionsPerWorker(scenario)} ${(minIdle / connections).toFixed(1)}`;
}

export const connectionsPerWorker = ({ connections, workers }: ScenarioResult) => connections / workers;

/** The minIdle that the source report recommends for a pool of this size. */
export function hasReportedMinIdle({ minIdle, connections }: ScenarioResult): boolean {
  return minIdle === Math.round(connections * sourceReport.minIdleRatio);
}

/** The pairs of each level of workers, the lowest first: each level is judged separately. */
export function byWorkers(pairs: readonly ArmPair[]): [workers: number, pairs: ArmPair[]][] {
  return groupBy(pairs, ({ base }) => base.workers).toSorted(([a], [b]) => a - b);
}

/** Groups items with the same key, in the order of their first ones. */
export function groupBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): [key: Key, items: Item[]][] {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups];
}

/** What claims vary, or name themselves: the client, the pool and its sizes. */
export const poolKeys = [
  'client',
  'preset',
  'workers',
  'connections',
  'minIdle',
  'healthTtlMs',
  'probe',
  'connects',
] as const satisfies readonly ScenarioKey[];

/** One pool and single commands in a closed loop, without anything else: what most claims are about. */
export function isPlain(scenario: ScenarioResult): boolean {
  return isUsual(scenario, poolKeys);
}

/** One pool in an open loop of bursts at one rate, all due at one instant. */
export function isBurst(scenario: ScenarioResult): boolean {
  const { kind, stages } = scenario.arrival;
  return kind === 'burst' && stages === undefined && isUsual(scenario, [...poolKeys, 'arrival']);
}

/** A plain arm, with or without cut connections, and with or without a burst of first connections. */
export function isOnePool(scenario: ScenarioResult): boolean {
  return isUsual(scenario, [...poolKeys, 'cutEveryMs', 'cut', 'burst']);
}

const steadyKeys: readonly ScenarioKey[] = [
  ...poolKeys,
  'pools',
  'poolsPerThread',
  'pipeline',
  'autoPipelining',
  'burst',
];

/** A closed loop in which all workers do the same and no connection is cut, with any pools and batches. */
export function isSteady(scenario: ScenarioResult): boolean {
  return isUsual(scenario, steadyKeys);
}

/** As {@link isSteady}, but with additional workers that send larger batches. */
export function hasBatchWorkers(scenario: ScenarioResult): boolean {
  return scenario.batch.pool !== 'none' && isUsual(scenario, [...steadyKeys, 'batch']);
}

/** Whether its operations are sessions of a script, which only its rounds show. */
export const isOfScript = ({ rounds }: Pick<ScenarioResult, 'rounds'>) =>
  rounds.some(({ script }) => script !== undefined);

/** An interrupted run has scenarios without a round. */
export const isMeasured = ({ rounds }: ScenarioResult) => rounds.length > 0;

/** The median throughput of whole rounds; 0 if nothing was measured. */
export function rateOf(arm: ScenarioResult): number {
  return isMeasured(arm) ? median(wholeRounds(arm.rounds).map(throughput.figure)) : 0;
}

/** The arm with the highest rate. */
export function fastestOf(arms: readonly ScenarioResult[]): ScenarioResult | undefined {
  return arms.toSorted((a, b) => rateOf(b) - rateOf(a))[0];
}

/** What limited these arms, each resource once. */
export function limitsOf(arms: readonly ScenarioResult[]): string[] {
  return [...new Set(arms.map(({ limitedBy }) => limitedBy.resource))];
}
