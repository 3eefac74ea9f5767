import type { Comparison, RoundResult, ScenarioResult } from '../../result.ts';
import { armKey, type ScenarioKey } from '../../scenario/scenario.ts';
import { type Measure, p99, throughput } from '../../stats/measures.ts';
import type { PairedRatio } from '../../stats/paired-ratio.ts';
import { pairByRound } from '../../stats/rounds.ts';
import { formatList } from '../../text/format.ts';

/** Two scenarios that differ in nothing but what a claim is about. */
export interface ArmPair {
  readonly base: ScenarioResult;
  readonly other: ScenarioResult;
}

/**
 * Pairs every scenario of `isOther` with the scenario of `isBase` that equals it in all dimensions but those of
 * `differ`, in the order of `scenarios`. One without such an equal is left out.
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
    if (isBase(scenario) && !bases.has(keyOf(scenario))) bases.set(keyOf(scenario), scenario);
  }
  return scenarios.flatMap(other => {
    const base = isOther(other) ? bases.get(keyOf(other)) : undefined;
    return base === undefined || base === other ? [] : [{ base, other }];
  });
}

/** A scenario of several pools beside the one that differs from it only by having one pool. */
export interface Pair {
  readonly one: ScenarioResult;
  readonly several: ScenarioResult;
  /** several / one, paired by round. */
  readonly throughput: PairedRatio;
  readonly responseP99: PairedRatio;
}

/** Pairs every scenario of several pools with its equal of one pool, in the order of `scenarios`, if there is one. */
export function pairWithOnePool(scenarios: readonly ScenarioResult[]): Pair[] {
  const pairs = pairArms(scenarios, {
    isBase: ({ pools }) => pools === 1,
    isOther: ({ pools }) => pools > 1,
    differ: ['pools', 'poolsPerThread'],
  });
  return pairs.map(pair => ({
    one: pair.base,
    several: pair.other,
    throughput: ratioOf(pair, throughput.figure),
    responseP99: ratioOf(pair, p99.figure),
  }));
}

/** Both arms of every pair, each once. */
export function armsOf(pairs: readonly ArmPair[]): ScenarioResult[] {
  return [...new Set(pairs.flatMap(({ base, other }) => [base, other]))];
}

/** other / base of one measure, paired by round. */
export function ratioOf({ base, other }: ArmPair, figure: (round: RoundResult) => number): PairedRatio {
  return pairByRound(base, other, figure);
}

/** The pair's ratio as it stands in result.json; nothing if the arms have no round in common. */
export function compareArms(
  pair: ArmPair,
  measure: Measure,
  predicted: Comparison['predicted'],
): Comparison[] {
  const { ratio, p, byRound } = ratioOf(pair, measure.figure);
  if (ratio === null) return [];
  const { base, other } = pair;
  const limitedBy = { base: base.limitedBy.resource, other: other.limitedBy.resource };
  return [
    {
      measure: measure.name,
      base: base.id,
      other: other.id,
      rounds: byRound.size,
      ratio,
      p,
      predicted,
      limitedBy,
    },
  ];
}

/** How long the document's cached health check is good for. */
const documentTtlMs = 1000;

/** A pool of a preset as the document has it: checks are a look at the socket, a cached one is good for 1 s. */
export function isAsDocumented(scenario: ScenarioResult, preset: string): boolean {
  const { pool, probe, healthTtlMs } = scenario;
  const checks = probe === 'poll' && (healthTtlMs === 0 || healthTtlMs === documentTtlMs);
  return isPlain(scenario) && pool === preset && checks;
}

/** Every pool of the preset beside its equal `baseline` pool: they differ in what the presets switch, and in that alone. */
export function pairWithBaseline(scenarios: readonly ScenarioResult[], preset: string): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => isAsDocumented(scenario, 'baseline'),
    isOther: scenario => isAsDocumented(scenario, preset),
    differ: ['preset', 'minIdle', 'healthTtlMs', 'connects'],
  });
}

/** Those at one level of workers. */
export function atWorkers(pairs: readonly ArmPair[], workers: number): ArmPair[] {
  return pairs.filter(({ base }) => base.workers === workers);
}

/** Levels of a claim that a run leaves out: what it says then is not all of the claim. */
export function sayMissingLevels(pairs: readonly ArmPair[], wanted: readonly number[]): string[] {
  const missing = wanted.filter(workers => atWorkers(pairs, workers).length === 0).toSorted((a, b) => a - b);
  if (missing.length === 0) return [];
  const levels = `${formatList(missing.map(String))} worker${missing.at(-1) === 1 ? '' : 's'}`;
  return [`The run has no such arms at ${levels}, so that part is not judged.`];
}

/** The fewest workers of these arms with the most, at as many connections a worker and the same share of minIdle. */
export function pairFewWithMany(arms: readonly ScenarioResult[]): ArmPair[] {
  const levels = arms.map(({ workers }) => workers);
  const few = Math.min(...levels);
  const many = Math.max(...levels);
  const sizes = new Set(arms.map(sizeOf));
  return [...sizes].flatMap(size =>
    pairArms(arms, {
      isBase: arm => arm.workers === few && sizeOf(arm) === size,
      isOther: arm => arm.workers === many && many > few && sizeOf(arm) === size,
      differ: ['workers', 'connections', 'minIdle'],
    }),
  );
}

/** The pairs of each level of workers, the lowest first: a level is judged by itself. */
export function byWorkers(pairs: readonly ArmPair[]): [workers: number, pairs: ArmPair[]][] {
  const levels = [...new Set(pairs.map(({ base }) => base.workers))].toSorted((a, b) => a - b);
  return levels.map(workers => [workers, pairs.filter(({ base }) => base.workers === workers)]);
}

/** Connections and minIdle are totals: two scenarios are sized alike if these are the same for each worker. */
function sizeOf({ workers, connections, minIdle }: ScenarioResult): string {
  return `${connections / workers} ${(minIdle / connections).toFixed(1)}`;
}

/** One pool, single commands in a closed loop, and nothing else going on: what most claims are about. */
export function isPlain(scenario: ScenarioResult): boolean {
  return isOnePool(scenario) && scenario.cutEveryMs === 0 && !scenario.burst;
}

/** The same, whether connections are cut or not, and whether they are asked for in a burst. */
export function isOnePool({ arrival, pools, pipeline, batch, autoPipelining }: ScenarioResult): boolean {
  return (
    arrival.kind === 'closed' && pools === 1 && pipeline === 1 && batch.pool === 'none' && !autoPipelining
  );
}

/** An interrupted run has scenarios without a round. */
export const isMeasured = ({ rounds }: ScenarioResult) => rounds.length > 0;
